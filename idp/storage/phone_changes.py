"""Applications of people who have lost the phone that their account is bound to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, func, select, update
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from idp.storage.accounts import Account
from idp.storage.database import Base, UtcDateTime


class PhoneChange(Base):
    """One application with its scan, which is deleted a while after the decision."""

    __tablename__ = "phone_changes"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    phone_encrypted: Mapped[str] = mapped_column(Text)  # the new one
    form_encrypted: Mapped[str] = mapped_column(Text)  # the submitted fields as JSON
    scan_content_type: Mapped[str] = mapped_column(String(64))
    scan_size: Mapped[int]  # 0: deleted
    scan_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(String(12))  # pending, approved, rejected, withdrawn
    reason: Mapped[str | None] = mapped_column(Text)
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))


Index(
    "uq_phone_changes_pending",
    PhoneChange.account_id,
    unique=True,
    sqlite_where=PhoneChange.status == "pending",
    postgresql_where=PhoneChange.status == "pending",
)

_WITHOUT_SCAN = defer(PhoneChange.scan_encrypted, raiseload=True)
_PENDING = PhoneChange.status == "pending"


def find(session: Session, phone_change_id: str) -> tuple[PhoneChange, Account] | None:
    """An application without its scan, and the account it is for."""
    statement = (
        select(PhoneChange, Account)
        .join(Account, Account.id == PhoneChange.account_id)
        .where(PhoneChange.id == phone_change_id)
        .options(_WITHOUT_SCAN)
    )
    return session.execute(statement).one_or_none()


def find_pending(session: Session, account_id: str) -> PhoneChange | None:
    """The application of an account that waits for its decision, without its scan."""
    statement = select(PhoneChange).where(PhoneChange.account_id == account_id, _PENDING)
    return session.scalar(statement.options(_WITHOUT_SCAN))


def list_of_account(session: Session, account_id: str) -> Sequence[PhoneChange]:
    """Every application for an account, the latest first, without the scans."""
    mine = select(PhoneChange).where(PhoneChange.account_id == account_id)
    return session.scalars(mine.order_by(PhoneChange.applied_at.desc()).options(_WITHOUT_SCAN)).all()


def find_scan(session: Session, phone_change_id: str) -> PhoneChange | None:
    """An application with its scan."""
    return session.get(PhoneChange, phone_change_id)


def lock(session: Session, phone_change_id: str) -> PhoneChange | None:
    """The application as it is now, locked until the transaction ends, so that it is decided once."""
    statement = select(PhoneChange).where(PhoneChange.id == phone_change_id).with_for_update()
    fresh = statement.options(_WITHOUT_SCAN).execution_options(populate_existing=True)
    return session.scalar(fresh)


def list_pending(session: Session, offset: int, limit: int) -> Sequence[tuple[PhoneChange, Account]]:
    """What waits for a reviewer, oldest first, each with its account."""
    statement = (
        select(PhoneChange, Account)
        .join(Account, Account.id == PhoneChange.account_id)
        .where(_PENDING)
        .order_by(PhoneChange.applied_at, PhoneChange.id)
        .offset(offset)
        .limit(limit)
        .options(_WITHOUT_SCAN)
    )
    return session.execute(statement).all()


def count_pending(session: Session) -> int:
    """How many wait for a reviewer."""
    return session.scalar(select(func.count()).select_from(PhoneChange).where(_PENDING)) or 0


def take_decided_scans(session: Session, before: datetime, limit: int) -> list[tuple[str, str]]:
    """Delete the scans of applications decided before then, at most ``limit``; id and account of each."""
    old = (
        select(PhoneChange.id)
        .where(PhoneChange.decided_at < before, PhoneChange.scan_encrypted.is_not(None))
        .limit(limit)
    )
    emptied = session.execute(
        update(PhoneChange)
        .where(PhoneChange.id.in_(old))
        .values(scan_encrypted=None, scan_size=0)
        .returning(PhoneChange.id, PhoneChange.account_id)
        .execution_options(synchronize_session=False)
    )
    return [(change_id, account_id) for change_id, account_id in emptied]

"""Enterprises and the submissions by which an account proves whom it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, Select, String, Text, exists, func, or_, select
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from idp.storage.accounts import Account
from idp.storage.database import Base, UtcDateTime

VACANT = "vacant"


class Enterprise(Base):
    """A legal entity; at most one for each credit code, and at most one legal-person account for each."""

    __tablename__ = "enterprises"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    enterprise_credit_code: Mapped[str] = mapped_column(String(18), unique=True)
    enterprise_name: Mapped[str] = mapped_column(String(200))
    organization_type: Mapped[str] = mapped_column(String(32))
    legal_person_type: Mapped[str] = mapped_column(String(32))
    representative_name_encrypted: Mapped[str] = mapped_column(Text)
    representative_document_type: Mapped[str] = mapped_column(String(32))
    representative_document_number_encrypted: Mapped[str] = mapped_column(Text)
    address_encrypted: Mapped[str] = mapped_column(Text)
    # active, closed; vacant: its account was deleted, and another may take its place
    status: Mapped[str] = mapped_column(String(12), default="active")
    legal_account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), unique=True)
    registry_answer: Mapped[str | None] = mapped_column(
        String(8)
    )  # the registers' last: active, changed, closed
    registry_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RealNameApplication(Base):
    """One submission of 实名认证, matched by the registry at once or decided by a reviewer."""

    __tablename__ = "real_name_applications"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    subject_type: Mapped[str] = mapped_column(String(16))
    manual: Mapped[bool] = mapped_column(default=False)
    form_encrypted: Mapped[str] = mapped_column(Text)  # the submitted fields as JSON
    status: Mapped[str] = mapped_column(String(12))  # pending, approved, rejected
    reason: Mapped[str | None] = mapped_column(Text)
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))


class Upload(Base):
    """A scan that belongs to a submission, encrypted, known by a random name."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    application_id: Mapped[str] = mapped_column(ForeignKey("real_name_applications.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(32))  # document_scan, licence_scan
    content_type: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    content_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


Index(
    "uq_real_name_applications_pending",
    RealNameApplication.account_id,
    unique=True,
    sqlite_where=RealNameApplication.status == "pending",
    postgresql_where=RealNameApplication.status == "pending",
)


def find_enterprise(session: Session, enterprise_credit_code: str) -> Enterprise | None:
    """The enterprise with a canonical credit code."""
    return session.scalar(
        select(Enterprise).where(Enterprise.enterprise_credit_code == enterprise_credit_code)
    )


def find_of_legal_account(session: Session, account_id: str) -> Enterprise | None:
    """The enterprise whose legal-person account this is."""
    mine = (Enterprise.legal_account_id == account_id, Enterprise.status != VACANT)
    return session.scalar(select(Enterprise).where(*mine))


def find_legal_account(session: Session, enterprise_credit_code: str) -> Account | None:
    """The legal-person account of the enterprise with a canonical credit code."""
    return session.scalar(
        select(Account)
        .join(Enterprise, Enterprise.legal_account_id == Account.id)
        .where(Enterprise.enterprise_credit_code == enterprise_credit_code, Account.status != "deleted")
    )


def list_to_ask_about(session: Session, asked_before: datetime, limit: int) -> Sequence[Enterprise]:
    """Active enterprises that the registers were not asked about since then, the longest ago first."""
    asked = Enterprise.registry_asked_at
    statement = (
        select(Enterprise)
        .where(Enterprise.status == "active", or_(asked.is_(None), asked < asked_before))
        .order_by(asked.is_not(None), asked)
    )
    return session.scalars(statement.limit(limit)).all()


def is_enterprise_taken(session: Session, enterprise_credit_code: str) -> bool:
    """Whether the credit code has its legal-person account."""
    taken = (Enterprise.enterprise_credit_code == enterprise_credit_code, Enterprise.status != VACANT)
    return bool(session.scalar(select(exists().where(*taken))))


def take_vacant(session: Session, enterprise_credit_code: str) -> Enterprise | None:
    """The enterprise with this code that waits for an account, locked: of two at once one gets it."""
    waiting = (Enterprise.enterprise_credit_code == enterprise_credit_code, Enterprise.status == VACANT)
    return session.scalar(select(Enterprise).where(*waiting).with_for_update())


def is_document_taken(session: Session, document_index: str) -> bool:
    """Whether a verified natural person holds the document."""
    return bool(session.scalar(select(exists().where(Account.document_index == document_index))))


def lock_application(session: Session, application_id: str) -> RealNameApplication | None:
    """The application, locked until the transaction ends, so that it is decided once."""
    return session.get(RealNameApplication, application_id, with_for_update=True)


def find_application(session: Session, application_id: str) -> tuple[RealNameApplication, str] | None:
    """The application and its applicant's login name."""
    statement = _with_login_name().where(RealNameApplication.id == application_id)
    return session.execute(statement).one_or_none()


def find_latest_application(session: Session, account_id: str) -> tuple[RealNameApplication, str] | None:
    """The newest application of an account, and its login name."""
    statement = (
        _with_login_name()
        .where(RealNameApplication.account_id == account_id)
        .order_by(RealNameApplication.submitted_at.desc())
        .limit(1)
    )
    return session.execute(statement).one_or_none()


def list_pending_applications(
    session: Session, *, offset: int, limit: int
) -> Sequence[tuple[RealNameApplication, str]]:
    """What waits for a reviewer, oldest first, each with the applicant's login name."""
    statement = (
        _with_login_name()
        .where(RealNameApplication.status == "pending")
        .order_by(RealNameApplication.submitted_at, RealNameApplication.id)
        .offset(offset)
        .limit(limit)
    )
    return session.execute(statement).all()


def count_pending_applications(session: Session) -> int:
    """How many wait for a reviewer."""
    statement = select(func.count()).where(RealNameApplication.status == "pending")
    return session.scalar(statement) or 0


def list_uploads(session: Session, application_id: str) -> Sequence[Upload]:
    """An application's scans without their content (which must not be read from these rows)."""
    statement = (
        select(Upload)
        .where(Upload.application_id == application_id)
        .options(defer(Upload.content_encrypted, raiseload=True))
        .order_by(Upload.purpose)
    )
    return session.scalars(statement).all()


def _with_login_name() -> Select[RealNameApplication, str]:
    return select(RealNameApplication, Account.login_name).join(
        Account, Account.id == RealNameApplication.account_id
    )

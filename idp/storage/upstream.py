"""Which account of another platform is which account here, once a verified document has shown it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.storage.accounts import Account
from idp.storage.database import Base, UtcDateTime
from idp.storage.enterprises import Enterprise


class UpstreamIdentity(Base):
    """``iss`` and ``sub`` of an ID token, the latter as a blind index, and the account that they mean."""

    __tablename__ = "upstream_identities"

    issuer: Mapped[str] = mapped_column(String(255), primary_key=True)
    subject_index: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    linked_at: Mapped[datetime] = mapped_column(UtcDateTime)


_u = UpstreamIdentity


def find_linked(session: Session, issuer: str, subject_index: str) -> str | None:
    """The account that was linked; None too when it has been deleted since."""
    statement = (
        select(_u.account_id)
        .join(Account, Account.id == _u.account_id)
        .where(_u.issuer == issuer, _u.subject_index == subject_index, Account.status != "deleted")
    )
    return session.scalar(statement)


def insert_link(session: Session, issuer: str, subject_index: str, account_id: str, now: datetime) -> None:
    """Link, in place of a link to an account that is no more; IntegrityError when somebody was quicker."""
    session.execute(
        delete(_u).where(_u.issuer == issuer, _u.subject_index == subject_index, _is_of_deleted())
    )
    session.add(_u(issuer=issuer, subject_index=subject_index, account_id=account_id, linked_at=now))
    session.flush()


def delete_links(session: Session, account_id: str) -> int:
    """Forget an account's links; how many there were."""
    gone = session.execute(delete(_u).where(_u.account_id == account_id).returning(_u.issuer))
    return len(gone.all())


def find_linked_at(session: Session, issuer: str, account_id: str) -> datetime | None:
    """When an account was last linked to one of this issuer's."""
    statement = select(_u.linked_at).where(_u.issuer == issuer, _u.account_id == account_id)
    return session.scalar(statement.order_by(_u.linked_at.desc()).limit(1))


def find_of_document(session: Session, document_index: str) -> Account | None:
    """The account of the natural person whose verified document this is."""
    mine = (Account.document_index == document_index, Account.status != "deleted")
    return session.scalar(select(Account).where(*mine))


def find_of_enterprise(session: Session, enterprise_credit_code: str) -> Account | None:
    """The legal-person account of the enterprise with this credit code."""
    statement = (
        select(Account)
        .join(Enterprise, Enterprise.legal_account_id == Account.id)
        .where(Enterprise.enterprise_credit_code == enterprise_credit_code, Account.status != "deleted")
    )
    return session.scalar(statement)


def _is_of_deleted() -> ColumnElement[bool]:
    return _u.account_id.in_(select(Account.id).where(Account.status == "deleted"))

"""What is deleted with an account, and what stays under its pseudonym.

Every table whose ``account_id`` points at an account is emptied of it, also one that comes later, unless it
stands in ``KEPT``: forgetting to say so deletes too much rather than too little.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, delete, or_, select, update
from sqlalchemy.orm import Session

from idp.storage.accounts import accounts
from idp.storage.database import Base
from idp.storage.enterprises import Enterprise
from idp.storage.handler_events import HandlerEvent
from idp.storage.handler_invitations import HandlerInvitation
from idp.storage.handler_renewals import HandlerRenewal
from idp.storage.handlers import HandlerAuthorization

DELETED: Final = "account_deleted"  # the reason code of what ends with an account

OF_THE_IDENTITY: Final = frozenset(
    {
        "real_name_applications",
        "uploads",
        "held_scans",
        "handler_escalations",
        "upstream_identities",
        "phone_changes",
    }
)
NO_IDENTITY: Final[dict[str, object]] = {
    "subject_type": None,
    "verification_status": "unverified",
    "verified_at": None,
    "real_name_encrypted": None,
    "document_type": None,
    "document_number_encrypted": None,
    "document_index": None,
    "address_encrypted": None,
    "default_enterprise_id": None,
}
"""The columns of an account of which nobody is known."""
KEPT: Final = {
    "accounts": "the pseudonym that the trail and the enterprise's records name",
    "audit_events": "the trail, for its legal term; it names accounts by their ids",
    "handler_authorizations": "the enterprise's record of who acted for it",
    "handler_events": "its history, without the words of a reason",
    "handler_renewals": "the same",
    "agreements": "proof of what was agreed to and when; nothing personal",
}


def tables_erased() -> list[Table]:
    """Those that are emptied, what refers to others first."""
    return [table for table in reversed(Base.metadata.sorted_tables) if _is_erased(table)]


def _is_erased(table: Table) -> bool:
    column = table.c.get("account_id")
    return table.name not in KEPT and column is not None and _points_at_accounts(column)


def _points_at_accounts(column: Any) -> bool:
    return any(key.target_fullname == "accounts.id" for key in column.foreign_keys)


def erase_rows(session: Session, account_id: str, phone_index: str) -> None:
    """Delete all that hangs on the account, with what hangs on that; and invitations sent to its phone."""
    run = session.connection().execute
    invited = HandlerInvitation.phone_index == phone_index
    accepted = HandlerInvitation.handler_authorization_id.in_(_authorizations_of(account_id))
    run(delete(HandlerInvitation).where(or_(invited, accepted)))
    for table in tables_erased():
        _erase(session, table, account_id)


def _erase(session: Session, table: Table, account_id: str) -> None:
    run = session.connection().execute
    for child, column, parent in _children(table):
        mine = select(parent).where(table.c.account_id == account_id)
        run(delete(child).where(column.in_(mine)))
    run(delete(table).where(table.c.account_id == account_id))


def _children(table: Table) -> list[tuple[Table, Any, Any]]:
    """Tables without an account of their own that refer to this one: table, column, the column it means."""
    return [
        (child, key.parent, key.column)
        for child in Base.metadata.sorted_tables
        if "account_id" not in child.c and child.name not in KEPT
        for key in child.foreign_keys
        if key.column.table is table
    ]


def _authorizations_of(account_id: str) -> Any:
    return select(HandlerAuthorization.id).where(HandlerAuthorization.account_id == account_id)


def forget_reasons(session: Session, account_id: str) -> None:
    """What was typed as a reason about a handler may name somebody: the words go, the codes stay."""
    run = session.connection().execute
    run(update(HandlerAuthorization).where(HandlerAuthorization.account_id == account_id).values(reason=None))
    for history in (HandlerEvent, HandlerRenewal):
        about = history.handler_authorization_id.in_(_authorizations_of(account_id))
        run(update(history).where(about).values(reason=None))


def erase_identity_rows(session: Session, account_id: str) -> None:
    """Delete what proves who the holder is, and what rests on that."""
    for table in tables_erased():
        if table.name in OF_THE_IDENTITY:
            _erase(session, table, account_id)


def end_handler_rows(
    session: Session,
    now: datetime,
    reason: str,
    *,
    account_id: str | None = None,
    enterprise_id: str | None = None,
) -> tuple[list[str], list[str]]:
    """End what is open of a person or an enterprise: pending is withdrawn or refused, held is revoked.

    Returns the ids of both.
    """
    h = HandlerAuthorization
    mine = h.account_id == account_id if account_id else h.enterprise_id == enterprise_id
    refused = {"status": "withdrawn" if account_id else "refused", "decided_at": now, "reason_code": reason}
    revoked = {"status": "revoked", "revoked_at": now, "suspended_at": None, "reason_code": reason}
    held = (h.status.in_(("approved", "suspended")), or_(h.valid_until.is_(None), h.valid_until > now))
    run = session.connection().execute
    pending = (
        run(update(h).where(mine, h.status == "pending").values(refused).returning(h.id)).scalars().all()
    )
    in_force = run(update(h).where(mine, *held).values(revoked).returning(h.id)).scalars().all()
    theirs = HandlerRenewal.handler_authorization_id.in_([*pending, *in_force])
    still = (theirs, HandlerRenewal.status == "pending")
    run(update(HandlerRenewal).where(*still).values(status="withdrawn", decided_at=now))
    session.expire_all()
    return list(pending), list(in_force)


def vacate_enterprise(session: Session, enterprise_id: str, blank: dict[str, str], now: datetime) -> None:
    """The enterprise has no legal-person account any more; its name and code are public and stay.

    What it offered to people is void: the next account did not offer it.
    """
    offers = delete(HandlerInvitation).where(HandlerInvitation.enterprise_id == enterprise_id)
    session.connection().execute(offers)
    values = {**blank, "status": "vacant", "updated_at": now}
    session.connection().execute(update(Enterprise).where(Enterprise.id == enterprise_id).values(values))


def blank_account(session: Session, account_id: str, values: dict[str, Any]) -> None:
    """Overwrite the account's own columns."""
    session.connection().execute(update(accounts).where(accounts.c.id == account_id).values(values))

"""Agreeing to the platform's own texts, each with its version and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp import clock
from idp.domain import agreements as rules
from idp.domain.agreements import CURRENT, GENERAL, IDENTITY
from idp.domain.audit import AuditEvent, Origin
from idp.services import audit
from idp.storage import account_life
from idp.storage import agreements as rows
from idp.storage.accounts import update_account
from idp.storage.database import reading, transaction


@dataclass(frozen=True, slots=True)
class AgreementView:
    """One acceptance; ``current``: it is of the text of today and not taken back."""

    document: str
    version: str
    accepted_at: datetime
    withdrawn_at: datetime | None
    current: bool


def accept_at_registration(session: Session, account_id: str) -> None:
    """The general documents, for an account that is just being made: its row and its line of the trail say so
    themselves.
    """
    rows.insert(session, [_values(account_id, document) for document in GENERAL])


def _values(account_id: str, document: str) -> dict[str, object]:
    return {
        "account_id": account_id,
        "document": document,
        "version": CURRENT[document],
        "accepted_at": clock.now(),
    }


def accept(account_id: str, origin: Origin) -> None:
    """The general documents in their present versions; twice is once."""
    with transaction() as session:
        account = account_life.lock_account(session, account_id)
        if account is None or rules.is_agreed(account.agreed_versions):
            return
        due = rules.outstanding(rows.find_standing(session, account_id))
        _accept(session, account_id, due, origin)
        update_account(session, account_id, {"agreed_versions": rules.AGREED})


def consent_to_identity(account_id: str, origin: Origin) -> None:
    """The separate consent for identity documents (PIPL 29); twice is once."""
    with transaction() as session:
        account_life.lock_account(session, account_id)
        if rows.find_standing(session, account_id).get(IDENTITY) != CURRENT[IDENTITY]:
            _accept(session, account_id, (IDENTITY,), origin)


def _accept(session: Session, account_id: str, documents: Sequence[str], origin: Origin) -> None:
    if not documents:
        return
    rows.insert(session, [_values(account_id, document) for document in documents])
    for document in documents:
        audit.record(
            session,
            AuditEvent.AGREEMENT_ACCEPT,
            origin,
            account_id=account_id,
            detail={"document": document, "version": CURRENT[document]},
        )


def list_of_account(account_id: str) -> list[AgreementView]:
    """Everything the account has agreed to, the latest first."""
    with reading() as session:
        found = rows.list_of_account(session, account_id)
    return [
        AgreementView(
            one.document,
            one.version,
            one.accepted_at,
            one.withdrawn_at,
            one.withdrawn_at is None and CURRENT.get(one.document) == one.version,
        )
        for one in found
    ]


def list_outstanding(account_id: str) -> tuple[str, ...]:
    """The general documents whose present text an account that hasn't agreed to both is asked for."""
    with reading() as session:
        return rules.outstanding(rows.find_standing(session, account_id)) or GENERAL

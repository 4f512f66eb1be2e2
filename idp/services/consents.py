"""Consents: what an account has allowed a client, remembered and withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from idp import clock
from idp.domain.audit import AuditEvent, Origin
from idp.domain.interaction import Remembered
from idp.services import audit, revocation
from idp.services.platform import Platform
from idp.storage import clients as rows
from idp.storage.database import reading, single_statements, transaction
from idp.storage.enterprises import Enterprise

NOTHING = Remembered()


@dataclass(frozen=True, slots=True)
class ConsentView:
    """One remembered consent; ``enterprise_name`` is None for a consent given as oneself."""

    client_id: str
    client_name: str
    scopes: tuple[str, ...]
    enterprise_name: str | None
    granted_at: datetime


def remembered(account_id: str, client_id: str) -> Remembered:
    """What this account has allowed this client so far; one query."""
    with single_statements() as driver:
        return Remembered(rows.list_consents(driver, account_id, client_id))


def remember(
    account_id: str, client_id: str, enterprise_id: str | None, scopes: frozenset[str], origin: Origin
) -> None:
    """Keep a consent just given; two at the same moment add up."""
    try:
        _save(account_id, client_id, enterprise_id, scopes, origin)
    except IntegrityError:  # the other one inserted the row first: now it is there to be added to
        _save(account_id, client_id, enterprise_id, scopes, origin)


def _save(
    account_id: str, client_id: str, enterprise_id: str | None, scopes: frozenset[str], origin: Origin
) -> None:
    with transaction() as session:
        rows.save_consent(session, account_id, client_id, enterprise_id or "", scopes, clock.now())
        audit.record(
            session,
            AuditEvent.CONSENT_GRANT,
            origin,
            account_id=account_id,
            enterprise_id=enterprise_id,
            client_id=client_id,
            detail={"scope": " ".join(sorted(scopes))},
        )


def list_of_account(account_id: str) -> list[ConsentView]:
    """The consents of an account, the latest first."""
    with reading() as session:
        views = []
        for consent in rows.list_consents_of_account(session, account_id):
            client = rows.find(session, consent.client_id)
            enterprise = session.get(Enterprise, consent.enterprise_id) if consent.enterprise_id else None
            views.append(
                ConsentView(
                    consent.client_id,
                    client.client_metadata["client_name"] if client else consent.client_id,
                    tuple(consent.scope.split()),
                    enterprise.enterprise_name if enterprise else None,
                    consent.granted_at,
                )
            )
        return views


def withdraw(platform: Platform, account_id: str, client_id: str, origin: Origin) -> bool:
    """Forget every consent given to a client and end all that rests on it; False when there was nothing."""
    with transaction() as session:
        forgotten = rows.delete_consents(session, account_id, client_id)
        ended = revocation.revoke_for_client(session, platform, account_id, client_id, clock.now())
        found = forgotten + ended > 0
        if found:
            event = AuditEvent.CONSENT_WITHDRAW
            audit.record(session, event, origin, account_id=account_id, client_id=client_id)
    return found

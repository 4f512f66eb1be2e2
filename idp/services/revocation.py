"""Ending authorizations, whatever the reason: with the tokens, and the word to the clients."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping
from sqlalchemy.orm import Session

from idp.domain.audit import AuditEvent, Origin
from idp.domain.claims import handler_scope
from idp.services import audit, clients, outbox, signals
from idp.services.grants import Grant
from idp.services.platform import Platform
from idp.storage import authorizations as rows
from idp.storage.authorizations import Authorization
from idp.storage.database import reading, transaction


def revoke(platform: Platform, grant: Grant, origin: Origin, now: datetime) -> None:
    """End an authorization on its client's word (RFC 7009)."""
    with transaction() as session:
        _revoke(session, platform, Authorization.id == grant.authorization_id, "client", now, notify=False)
        audit.record(
            session,
            AuditEvent.AUTHORIZATION_REVOKE,
            origin,
            account_id=grant.subject.account_id,
            client_id=grant.client_id,
            object_id=grant.authorization_id,
        )


def revoke_one(
    session: Session, platform: Platform, authorization_id: str, reason: str, now: datetime
) -> bool:
    """End one authorization and tell its client; whether it had not ended before."""
    return _revoke(session, platform, Authorization.id == authorization_id, reason, now) == 1


def revoke_for_handler(
    session: Session, platform: Platform, handler_authorization_id: str, reason: str, now: datetime
) -> int:
    """End everything that rests on a handler authorisation and tell the clients; returns how many
    grants that were.
    """
    criterion = Authorization.handler_authorization_id == handler_authorization_id
    return _revoke(session, platform, criterion, reason, now)


def end_uncovered(
    session: Session,
    platform: Platform,
    handler_authorization_id: str,
    matters: tuple[str, ...],
    now: datetime,
) -> None:
    """A handler authorisation covers other matters now: end what is left without any, and tell the clients.

    What keeps some of them goes on; every answer about a token reads them anew.
    """
    resting = Authorization.handler_authorization_id == handler_authorization_id
    for client_id in rows.list_resting_clients(session, handler_authorization_id):
        client = clients.find_client(platform, client_id)
        if client is None or not handler_scope(matters, client.matters):
            criterion = resting & (Authorization.client_id == client_id)
            _revoke(session, platform, criterion, "handler_narrowed", now)


def end_lapsed_handlers(platform: Platform, now: datetime, limit: int = 100) -> int:
    """Tell the clients of handler authorisations, up to ``limit``, whose validity is over; for the worker.

    No token waits for it: each is judged by the clock.
    """
    with reading() as session:
        lapsed = rows.list_lapsed_handlers(session, now, limit)
    for handler_authorization_id in lapsed:
        with transaction() as session:
            revoke_for_handler(session, platform, handler_authorization_id, "handler_expired", now)
    return len(lapsed)


def revoke_for_client(
    session: Session, platform: Platform, account_id: str, client_id: str, now: datetime
) -> int:
    """End everything an account has granted a client."""
    criterion = (Authorization.account_id == account_id) & (Authorization.client_id == client_id)
    return _revoke(session, platform, criterion, "consent_withdrawn", now)


def revoke_for_enterprise(
    session: Session, platform: Platform, enterprise_id: str, reason: str, now: datetime
) -> int:
    """End everything that has been granted for an enterprise, by whomever, and tell the clients."""
    return _revoke(session, platform, Authorization.enterprise_id == enterprise_id, reason, now)


def revoke_for_account(
    session: Session, platform: Platform, account_id: str, reason: str, now: datetime
) -> int:
    """End everything an account has granted, offline access too, and tell the clients."""
    return _revoke(session, platform, Authorization.account_id == account_id, reason, now)


def end_session(session: Session, platform: Platform, sid: str, reason: str, now: datetime) -> None:
    """End what ends with a browser session: all but offline access, and tell every client that took
    part in it.
    """
    told = rows.clients_of_session(session, sid)
    for row in told:
        _notify(session, platform, row)
    signals.sessions_ended(session, platform, told, reason, now)
    offline = (" " + Authorization.scope + " ").contains(" offline_access ", autoescape=True)
    ending = (Authorization.sid == sid) & ~offline
    _revoke(session, platform, ending, "session_ended", now, notify=False)


def _revoke(
    session: Session,
    platform: Platform,
    criterion: ColumnElement[bool],
    reason: str,
    now: datetime,
    *,
    notify: bool = True,
) -> int:
    """How many ended; ``notify``: each client is told, once for each session."""
    revoked = rows.revoke(session, criterion, reason, now)
    told: set[tuple[str, str | None]] = set()
    for row in revoked if notify else ():
        if row["redeemed_at"] is not None and (row["client_id"], row["sid"]) not in told:
            told.add((row["client_id"], row["sid"]))
            _notify(session, platform, row)
    if notify:
        signals.authorizations_ended(session, platform, revoked, reason, now)
    return len(revoked)


def _notify(session: Session, platform: Platform, row: RowMapping) -> None:
    """Put a back-channel logout token for the client of ``row`` into the outbox, if it wants one."""
    client = clients.find_client(platform, row["client_id"])
    if client is not None and client.backchannel_logout_uri is not None:
        claims = {"sub": row["account_id"], "sid": row["sid"]}
        outbox.enqueue_logout_token(
            session, platform, client.client_id, client.backchannel_logout_uri, claims
        )

"""Browser sessions: a random cookie, the tokens behind it, and their renewal,
one at a time for each session.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from clients.rp import clock, sign_in
from clients.rp.errors import ProviderUnavailable
from clients.rp.logout import LogoutEvent
from clients.rp.sealed import SealBroken
from clients.rp.sign_in import RefreshRefused, SignedIn, Tokens
from clients.rp.signals import EventToken, SecurityEvent, SessionRevoked, TokenClaimsChange
from clients.smdvs.access import MATTER
from clients.smdvs.storage import seen
from clients.smdvs.storage import sessions as rows
from clients.smdvs.storage.sessions import BrowserSession
from clients.smdvs.system import System

IDLE_TTL = timedelta(minutes=30)
ABSOLUTE_TTL = timedelta(hours=8)
SEEN_STEP = timedelta(minutes=1)
# Renewed this long before its end, so that it is still good when it arrives.
REFRESH_AHEAD = timedelta(seconds=30)
# Longer than a call to the provider may take, shorter than its grace for a rotated refresh token.
REFRESH_LEASE = timedelta(seconds=12)
WAIT_STEP_SECONDS = 0.05


@dataclass(frozen=True)
class Person:
    """Who is signed in, for display and for filling in forms."""

    name: str
    phone: str


@dataclass(frozen=True)
class SessionEnded:
    """The sign-in or the authorisation behind it is over."""


def start(system: System, signed_in: SignedIn, profile: Mapping[str, Any], now: datetime) -> str:
    """Keep a completed sign-in; returns the new cookie value (256 random bits)."""
    cookie = secrets.token_urlsafe(32)
    id_hash, claims = _hash(cookie), signed_in.claims
    person = {"name": _text(profile, "name"), "phone": _text(profile, "phone_number")}
    row = BrowserSession(
        id_hash=id_hash,
        sid=_text(claims, "sid") or None,
        sub=claims["sub"],
        account_type=_text(claims, "account_type"),
        enterprise_credit_code=_text(claims, "enterprise_credit_code") or None,
        enterprise_name=_text(claims, "enterprise_name") or None,
        person_sealed=_seal(system, "person", id_hash, json.dumps(person)),
        id_token_sealed=_seal(system, "id_token", id_hash, signed_in.id_token),
        access_token_sealed=_seal(system, "access_token", id_hash, signed_in.tokens.access_token),
        refresh_token_sealed=_sealed_refresh(system, id_hash, signed_in.tokens),
        access_expires_at=signed_in.tokens.expires_at,
        created_at=now,
        seen_at=now,
        ends_at=now + ABSOLUTE_TTL,
    )
    with system.database.transaction() as session:
        rows.purge_sessions(session, now)
        session.add(row)
    return cookie


def find(system: System, cookie: str | None, now: datetime) -> BrowserSession | None:
    """The session of a cookie, if it is neither idle for too long nor too old."""
    if not cookie:
        return None
    with system.database.reading() as session:
        row = rows.find_session(session, _hash(cookie))
    if row is None or now >= row.ends_at or now >= row.seen_at + IDLE_TTL or not _ours(system, row):
        return None
    if now >= row.seen_at + SEEN_STEP:
        with system.database.transaction() as session:
            rows.record_seen(session, row.id_hash, now)
    return row


def person(system: System, row: BrowserSession) -> Person:
    """The name and phone that userinfo gave at sign-in; empty where it gave none."""
    return Person(**json.loads(system.fields.open(row.person_sealed, _context("person", row.id_hash))))


def id_token(system: System, row: BrowserSession) -> str:
    """The ID token of the sign-in, the hint for signing out."""
    return system.fields.open(row.id_token_sealed, _context("id_token", row.id_hash))


def access_token(system: System, row: BrowserSession) -> str | SessionEnded:
    """An access token with time left, renewed if need be by exactly one of the requests that need it.

    Raises ProviderUnavailable when it can't be renewed now; the session then stays as it is.
    """
    gives_up = time.monotonic() + REFRESH_LEASE.total_seconds()
    current: BrowserSession | None = row
    while current is not None:
        now = clock.now()
        if now < current.access_expires_at - REFRESH_AHEAD:
            return system.fields.open(current.access_token_sealed, _context("access_token", current.id_hash))
        if _claim_refresh(system, current, now):
            return _refresh(system, current)
        if time.monotonic() > gives_up:
            raise ProviderUnavailable("another request's refresh didn't end")
        time.sleep(WAIT_STEP_SECONDS)
        with system.database.reading() as session:
            current = rows.find_session(session, row.id_hash)
    return SessionEnded()


def end(system: System, row: BrowserSession) -> None:
    """Sign this browser out here."""
    with system.database.transaction() as session:
        rows.end_session(session, row.id_hash)


def end_by_event(system: System, event: LogoutEvent, now: datetime) -> bool:
    """Carry out a logout event, once; false when its token has been used before."""
    with system.database.transaction() as session:
        identifier = hashlib.sha256(event.jti.encode()).hexdigest()
        first = seen.claim(session, "logout", identifier, now, event.expires_at)
        if first:
            rows.end_sessions_of(session, event.sid, event.sub)
    system.liveness.drop_all()
    return first


def end_by_signals(system: System, token: EventToken, now: datetime) -> bool:
    """Carry out the events of a token, once; false when it has been used before.

    Whatever the provider tells, what it has said of tokens until now is no longer taken for granted.
    """
    with system.database.transaction() as session:
        identifier = hashlib.sha256(token.jti.encode()).hexdigest()
        first = seen.claim(session, "event", identifier, now, token.expires_at)
        for event in token.events if first else ():
            _carry_out(session, event)
    system.liveness.drop_all()
    return first


def _carry_out(session: Session, event: SecurityEvent) -> None:
    if isinstance(event, SessionRevoked):
        rows.end_described_sessions(session, event.subject)
    elif isinstance(event, TokenClaimsChange) and _has_lost_the_matter(event.claims):
        rows.end_described_sessions(session, event.subject, account_type="handler")


def _has_lost_the_matter(claims: Mapping[str, Any]) -> bool:
    """Whether a handler's tokens no longer cover what we are here for."""
    matters = claims.get("handler_scope", [MATTER])
    return not isinstance(matters, list) or MATTER not in matters


def _ours(system: System, row: BrowserSession) -> bool:
    """Whether we still have the key that the session is sealed with; without it, it is of no use."""
    try:
        person(system, row)
    except SealBroken:
        return False
    return True


def _claim_refresh(system: System, row: BrowserSession, now: datetime) -> bool:
    with system.database.transaction() as session:
        return rows.claim_refresh(session, row.id_hash, row.access_token_sealed, now, now + REFRESH_LEASE)


def _refresh(system: System, row: BrowserSession) -> str | SessionEnded:
    """Renew the tokens. No transaction is open while the provider is asked: SQLite has only one writer."""
    if row.refresh_token_sealed is None:
        end(system, row)
        return SessionEnded()
    refresh_token = system.fields.open(row.refresh_token_sealed, _context("refresh_token", row.id_hash))
    try:
        tokens = sign_in.refresh(system.provider, system.client, refresh_token, clock.now())
    except ProviderUnavailable:
        with system.database.transaction() as session:
            rows.release_refresh(session, row.id_hash)
        raise
    if isinstance(tokens, RefreshRefused):
        end(system, row)
        return SessionEnded()
    return tokens.access_token if _store(system, row.id_hash, tokens) else SessionEnded()


def _store(system: System, id_hash: str, tokens: Tokens) -> bool:
    access_sealed = _seal(system, "access_token", id_hash, tokens.access_token)
    refresh_sealed = _sealed_refresh(system, id_hash, tokens)
    with system.database.transaction() as session:
        return rows.store_tokens(session, id_hash, access_sealed, refresh_sealed, tokens.expires_at)


def _sealed_refresh(system: System, id_hash: str, tokens: Tokens) -> str | None:
    return _seal(system, "refresh_token", id_hash, tokens.refresh_token) if tokens.refresh_token else None


def _seal(system: System, column: str, id_hash: str, text: str) -> str:
    return system.fields.seal(text, _context(column, id_hash))


def _context(column: str, id_hash: str) -> str:
    return f"browser_sessions.{column}:{id_hash}"


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""

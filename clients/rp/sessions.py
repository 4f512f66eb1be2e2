"""Browser sessions: a random cookie, the tokens behind it, and their renewal, one at a time for each."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic

from clients.rp import clock, sign_in
from clients.rp.client import Client
from clients.rp.discovery import Provider
from clients.rp.errors import ProviderUnavailable
from clients.rp.liveness import Liveness
from clients.rp.logout import LogoutEvent
from clients.rp.sealed import SealBroken, Sealer
from clients.rp.session_store import Ending, Row, SessionRecord, Store
from clients.rp.sign_in import RefreshRefused, SignedIn, Tokens
from clients.rp.signals import EventToken, SecurityEvent, SessionRevoked, Subject, TokenClaimsChange

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


@dataclass(frozen=True)
class Sessions(Generic[Row]):
    """The sessions of one relying party. ``matters`` are those it serves: a handler who has lost all of them
    is signed out when an event says so.
    """

    store: Store[Row]
    sealer: Sealer
    provider: Provider
    client: Client
    liveness: Liveness
    matters: tuple[str, ...] = ()

    def start(self, signed_in: SignedIn, profile: Mapping[str, Any], now: datetime) -> str:
        """Keep a completed sign-in; returns the new cookie value (256 random bits)."""
        cookie = secrets.token_urlsafe(32)
        id_hash, claims, tokens = _hash(cookie), signed_in.claims, signed_in.tokens
        person = {"name": _text(profile, "name"), "phone": _text(profile, "phone_number")}
        record = SessionRecord(
            id_hash=id_hash,
            sid=_text(claims, "sid") or None,
            sub=claims["sub"],
            account_type=_text(claims, "account_type"),
            enterprise_credit_code=_text(claims, "enterprise_credit_code") or None,
            enterprise_name=_text(claims, "enterprise_name") or None,
            person_sealed=self._seal("person", id_hash, json.dumps(person)),
            id_token_sealed=self._seal("id_token", id_hash, signed_in.id_token),
            access_token_sealed=self._seal("access_token", id_hash, tokens.access_token),
            refresh_token_sealed=self._sealed_refresh(id_hash, tokens),
            access_expires_at=tokens.expires_at,
            created_at=now,
            seen_at=now,
            ends_at=now + ABSOLUTE_TTL,
        )
        self.store.add(record, now)
        return cookie

    def find(self, cookie: str | None, now: datetime) -> Row | None:
        """The session of a cookie, if it is neither idle for too long nor too old."""
        row = self.store.find(_hash(cookie)) if cookie else None
        if row is None or now >= row.ends_at or now >= row.seen_at + IDLE_TTL or not self._is_ours(row):
            return None
        if now >= row.seen_at + SEEN_STEP:
            self.store.record_seen(row.id_hash, now)
        return row

    def person(self, row: Row) -> Person:
        """The name and phone that userinfo gave at sign-in; empty where it gave none."""
        return Person(**json.loads(self._open("person", row.id_hash, row.person_sealed)))

    def id_token(self, row: Row) -> str:
        """The ID token of the sign-in, the hint for signing out."""
        return self._open("id_token", row.id_hash, row.id_token_sealed)

    def access_token(self, row: Row) -> str | SessionEnded:
        """An access token with time left, renewed if need be by exactly one of the requests that need it.

        Raises ProviderUnavailable when it can't be renewed now; the session then stays as it is.
        """
        gives_up = time.monotonic() + REFRESH_LEASE.total_seconds()
        current: Row | None = row
        while current is not None:
            now = clock.now()
            if now < current.access_expires_at - REFRESH_AHEAD:
                return self._open("access_token", current.id_hash, current.access_token_sealed)
            if self._claim_refresh(current, now):
                return self._refresh(current)
            if time.monotonic() > gives_up:
                raise ProviderUnavailable("another request's refresh didn't end")
            time.sleep(WAIT_STEP_SECONDS)
            current = self.store.find(row.id_hash)
        return SessionEnded()

    def end(self, row: Row) -> None:
        """Sign this browser out here."""
        self.store.end(row.id_hash)

    def end_by_logout(self, event: LogoutEvent, now: datetime) -> bool:
        """Carry out a logout event, once; false when its token has been used before."""
        ending = Ending(Subject(event.sub, event.sid))
        first = self.store.once("logout", _hash(event.jti), now, event.expires_at, [ending])
        self.liveness.drop_all()
        return first

    def end_by_signals(self, token: EventToken, now: datetime) -> bool:
        """Carry out the events of a token, once; false when it has been used before.

        Whatever the provider tells, what it has said of tokens until now is no longer taken for granted.
        """
        endings = [ending for event in token.events if (ending := self._ending(event)) is not None]
        first = self.store.once("event", _hash(token.jti), now, token.expires_at, endings)
        self.liveness.drop_all()
        for event in token.events:
            if isinstance(event, SessionRevoked):
                self.liveness.end(event.subject, token.issued_at or now)
        return first

    def _ending(self, event: SecurityEvent) -> Ending | None:
        if isinstance(event, SessionRevoked):
            return Ending(event.subject)
        if isinstance(event, TokenClaimsChange) and self._has_lost_the_matters(event.claims):
            return Ending(event.subject, account_type="handler")
        return None

    def _has_lost_the_matters(self, claims: Mapping[str, Any]) -> bool:
        """Whether a handler's tokens no longer cover anything that we are here for."""
        if "handler_scope" not in claims or not self.matters:
            return False
        left = claims["handler_scope"]
        return not isinstance(left, list) or not any(matter in left for matter in self.matters)

    def _is_ours(self, row: Row) -> bool:
        """Whether we still have the key that the session is sealed with; without it, it is of no use."""
        try:
            self.person(row)
        except SealBroken:
            return False
        return True

    def _claim_refresh(self, row: Row, now: datetime) -> bool:
        return self.store.claim_refresh(row.id_hash, row.access_token_sealed, now, now + REFRESH_LEASE)

    def _refresh(self, row: Row) -> str | SessionEnded:
        """Renew the tokens. No transaction is open while the provider is asked."""
        if row.refresh_token_sealed is None:
            self.end(row)
            return SessionEnded()
        refresh_token = self._open("refresh_token", row.id_hash, row.refresh_token_sealed)
        try:
            tokens = sign_in.refresh(self.provider, self.client, refresh_token, clock.now())
        except ProviderUnavailable:
            self.store.release_refresh(row.id_hash)
            raise
        if isinstance(tokens, RefreshRefused):
            self.end(row)
            return SessionEnded()
        return tokens.access_token if self._store(row.id_hash, tokens) else SessionEnded()

    def _store(self, id_hash: str, tokens: Tokens) -> bool:
        access_sealed = self._seal("access_token", id_hash, tokens.access_token)
        refresh_sealed = self._sealed_refresh(id_hash, tokens)
        return self.store.store_tokens(id_hash, access_sealed, refresh_sealed, tokens.expires_at)

    def _sealed_refresh(self, id_hash: str, tokens: Tokens) -> str | None:
        return self._seal("refresh_token", id_hash, tokens.refresh_token) if tokens.refresh_token else None

    def _seal(self, column: str, id_hash: str, text: str) -> str:
        return self.sealer.seal(text, context(column, id_hash))

    def _open(self, column: str, id_hash: str, sealed: str) -> str:
        return self.sealer.open(sealed, context(column, id_hash))


def context(column: str, id_hash: str) -> str:
    """What a sealed text of a session is bound to: its column and its session."""
    return f"browser_sessions.{column}:{id_hash}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""

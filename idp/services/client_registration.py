"""Clients that register themselves (RFC 7591) and manage their registration (RFC 7592).

Both tokens are random and kept as hashes: an initial access token is leave to register, given by an
administrator; a registration access token belongs to the one client that it was answered to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from idp import clock, crypto
from idp.domain import client_registration as rules
from idp.domain.audit import AuditEvent, Origin
from idp.domain.client_metadata import client_from
from idp.domain.clients import is_client_id
from idp.domain.errors import Refusal
from idp.services import audit, clients
from idp.services.clients import RegisteredClient
from idp.services.platform import Platform
from idp.storage import clients as rows
from idp.storage.database import reading, transaction

ID_LENGTH: Final = 22
_NOBODY: Final = "0" * 64


def issue_initial_access_token(
    uses: int, ttl_seconds: int, origin: Origin, actor: str | None = None
) -> str | Refusal:
    """Leave to register ``uses`` clients within that time, shown this once: ``number_out_of_range``."""
    refusal = rules.check_initial_access(uses, ttl_seconds)
    if refusal:
        return refusal
    token, now = crypto.random_token(), clock.now()
    with transaction() as session:
        row = rows.InitialAccessToken(
            token_hash=crypto.hash_token(token),
            uses_left=uses,
            created_at=now,
            expires_at=now + timedelta(seconds=ttl_seconds),
            created_by=actor,
        )
        session.add(row)
        audit.record(
            session,
            AuditEvent.INITIAL_ACCESS_TOKEN_ISSUE,
            origin,
            account_id=actor,
            object_id=row.token_hash[:ID_LENGTH],
            detail={"uses": uses, "ttl_seconds": ttl_seconds},
        )
    return token


def admit(platform: Platform, origin: Origin) -> timedelta | None:
    """Count a registration from this address; if there were too many, how long to wait."""
    if platform.settings.development or not platform.settings.throttle:
        return None
    hit = platform.ephemeral.hit(f"client_registration:{origin.address}", rules.REGISTRATIONS_WINDOW)
    return hit.resets_in if hit.count > rules.REGISTRATIONS_PER_ADDRESS else None


def is_admitted(platform: Platform, initial_access_token: str) -> bool:
    """Whether a client may be registered with this token now, which uses nothing up."""
    if platform.settings.registration == "open":
        return True
    with reading() as session:
        token_hash = crypto.hash_token(initial_access_token)
        return rows.is_initial_access_token(session, token_hash, clock.now())


def register(
    platform: Platform, raw: Mapping[str, Any], initial_access_token: str, origin: Origin
) -> RegisteredClient | Refusal:
    """Register a client as it asks, as far as it may, and give it a registration access token.

    ``initial_access_token_invalid``; else as ``clients.register`` and the policy refuse. Of several
    registrations with a token's last use one succeeds, and a refused one uses nothing up.
    """
    metadata = _acceptable(platform, raw)
    if isinstance(metadata, Refusal):
        return metadata
    metadata["client_id"] = crypto.random_id()
    token = crypto.random_token()
    with transaction() as session:
        used = _use_up(session, platform, initial_access_token)
        if used is None:
            return Refusal.of("initial_access_token_invalid")
        registered = clients.save(session, None, metadata, origin, detail=used)
        rows.set_registration_access_token(session, registered.client_id, crypto.hash_token(token))
    clients.forget(platform)
    return replace(registered, registration_access_token=token)


def _acceptable(platform: Platform, raw: Mapping[str, Any]) -> dict[str, Any] | Refusal:
    metadata = rules.self_registered(raw)
    return metadata if isinstance(metadata, Refusal) else clients.validate(platform, metadata)


def _use_up(session: Session, platform: Platform, token: str) -> dict[str, object] | None:
    """What the audit trail tells of the leave; None when there is none (any more)."""
    if platform.settings.registration == "open":
        return {"registration": "open"}
    token_hash = crypto.hash_token(token)
    if not rows.use_initial_access_token(session, token_hash, clock.now()):
        return None
    return {"initial_access_token": token_hash[:ID_LENGTH]}


def find(client_id: str, registration_access_token: str) -> RegisteredClient | None:
    """The registration that this token manages.

    None for another client's token, an unknown client, and one that an administrator has disabled.
    """
    if not is_client_id(client_id):
        return None
    with reading() as session:
        row = _managed(rows.find(session, client_id), registration_access_token)
        if row is None:
            return None
        return replace(clients.registered(row), registration_access_token=registration_access_token)


def _managed(row: rows.Client | None, token: str) -> rows.Client | None:
    """The row, if the token manages it; whether there is a row makes no difference in time."""
    stored = (row.registration_access_token_hash if row else None) or _NOBODY
    fits = crypto.constant_time_equal(crypto.hash_token(token), stored)
    return row if row is not None and fits and row.disabled_at is None else None


def replace_metadata(
    platform: Platform,
    client_id: str,
    raw: Mapping[str, Any],
    registration_access_token: str,
    origin: Origin,
) -> RegisteredClient | Refusal:
    """Give a client that manages itself this metadata, the whole of it (RFC 7592 §2.2).

    ``registration_unknown`` where ``find`` finds nothing; ``metadata_invalid`` at ``client_id`` unless it is
    its own, and at ``client_secret`` if one is sent that isn't. The tokens stay as they are.
    """
    if raw.get("client_id") != client_id:
        return Refusal.of("metadata_invalid", "client_id", reason="must be the client's own")
    metadata = _acceptable(platform, {name: value for name, value in raw.items() if name != "client_id"})
    if isinstance(metadata, Refusal):
        return metadata
    metadata["client_id"] = client_id
    with transaction() as session:
        row = _managed(rows.lock(session, client_id), registration_access_token)
        if row is None:
            return Refusal.of("registration_unknown")
        if not _is_own_secret(session, row, raw.get("client_secret")):
            return Refusal.of("metadata_invalid", "client_secret", reason="must be the client's own")
        registered = clients.save(session, row, metadata, origin)
    clients.forget(platform)
    return replace(registered, registration_access_token=registration_access_token)


def _is_own_secret(session: Session, row: rows.Client, secret: object) -> bool:
    if secret is None:
        return True
    client = client_from(row.client_metadata, rows.secrets_of(session, row.client_id))
    return isinstance(secret, str) and clients.secret_matches(client, secret, clock.now())


def delete(
    platform: Platform, client_id: str, registration_access_token: str, origin: Origin
) -> Refusal | None:
    """End a client and all that rests on it: authorizations, secrets, consents (RFC 7592 §2.3).

    ``registration_unknown`` where ``find`` finds nothing.
    """
    with transaction() as session:
        row = _managed(rows.lock(session, client_id), registration_access_token)
        if row is None:
            return Refusal.of("registration_unknown")
        session.delete(row)
        event = AuditEvent.CLIENT_DELETE
        audit.record(session, event, origin, client_id=client_id, object_id=client_id)
    clients.forget(platform)
    return None

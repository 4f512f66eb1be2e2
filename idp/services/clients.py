"""The client register: admins register, change and disable clients;
every request reads them from a short cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, crypto
from idp.domain.audit import AuditEvent, Origin
from idp.domain.client_metadata import client_from, validate_metadata
from idp.domain.clients import SECRET_METHODS, Client, is_client_id
from idp.domain.errors import Refusal
from idp.domain.resources import ScopesByResource
from idp.services import audit, client_certificates, sector_identifiers
from idp.services.platform import Platform
from idp.storage import clients as rows
from idp.storage.database import reading, transaction


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A registration as the admin sees it; ``client_secret`` is there only in the answer that made it.

    ``registration_access_token`` is there only in what is answered to a client that manages itself.
    """

    client_id: str
    client_secret: str | None
    metadata: Mapping[str, Any]
    created_at: datetime
    disabled_at: datetime | None = None
    registration_access_token: str | None = None

    def as_answer(self) -> dict[str, Any]:
        """The client information of RFC 7591 §3.2.1; a secret never expires by itself."""
        secret = {"client_secret": self.client_secret, "client_secret_expires_at": 0}
        return {
            "client_id": self.client_id,
            **(secret if self.client_secret else {}),
            "client_id_issued_at": int(self.created_at.timestamp()),
            **self.metadata,
        }


def find_client(platform: Platform, client_id: str) -> Client | None:
    """The client of this id unless disabled; up to a second old, without a query most of the time."""
    if not is_client_id(client_id):
        return None
    client = platform.clients.get(client_id, lambda: _load(client_id))
    return None if client is None or client.disabled else client


def _load(client_id: str) -> Client | None:
    with reading() as session:
        row = rows.find(session, client_id)
        if row is None:
            return None
        secrets = rows.secrets_of(session, client_id)
    return client_from(row.client_metadata, secrets, disabled=row.disabled_at is not None)


def scopes_by_resource(platform: Platform) -> ScopesByResource:
    """Every resource that tokens are issued for, with the scopes that mean something there (RFC 8707).

    The provider itself is one (its userinfo). Up to a second old, like client records.
    """
    return platform.resource_servers.get("all", lambda: _load_resources(platform.settings.issuer))


def _load_resources(issuer: str) -> ScopesByResource:
    scopes: dict[str, frozenset[str]] = {issuer: frozenset()}
    with reading() as session:
        for row in rows.list_all(session):
            client = client_from(row.client_metadata, disabled=row.disabled_at is not None)
            for uri in () if client.disabled else client.resources:
                scopes[uri] = scopes.get(uri, frozenset()) | client.resource_scopes
    return scopes


def list_clients(platform: Platform) -> list[RegisteredClient]:
    """Every registration, disabled ones too, by id."""
    del platform
    with reading() as session:
        return [registered(row) for row in rows.list_all(session)]


def find_registration(platform: Platform, client_id: str) -> RegisteredClient | None:
    """One registration as stored, disabled or not."""
    del platform
    with reading() as session:
        row = rows.find(session, client_id)
        return None if row is None else registered(row)


def registered(row: rows.Client, secret: str | None = None) -> RegisteredClient:
    """A row as the registration it is."""
    return RegisteredClient(row.client_id, secret, row.client_metadata, row.created_at, row.disabled_at)


def register(
    platform: Platform,
    metadata: Mapping[str, Any],
    origin: Origin,
    actor: str | None = None,
    *,
    replace: bool = False,
) -> RegisteredClient | Refusal:
    """Register a client from RFC 7591 metadata with claims.md's additions.

    ``client_id`` may be given in the metadata; ``client_id_taken`` if it is in use, unless ``replace``,
    which gives the existing client this metadata and leaves its secrets.
    ``actor`` is the admin's account id.
    """
    validated = validate(platform, metadata)
    if isinstance(validated, Refusal):
        return validated
    validated.setdefault("client_id", crypto.random_id())
    try:
        with transaction() as session:
            row = rows.lock(session, validated["client_id"])
            if row is not None and not replace:
                return Refusal.of("client_id_taken", "client_id")
            outcome = save(session, row, validated, origin, actor)
    except IntegrityError:  # the same id, registered at the same moment
        return Refusal.of("client_id_taken", "client_id")
    forget(platform)
    return outcome


def validate(platform: Platform, metadata: Mapping[str, Any]) -> dict[str, Any] | Refusal:
    """The metadata to ``save``: as ``validate_metadata``, and what only this provider can tell.

    Asks the client's sector over the network: not within a transaction.
    """
    validated = validate_metadata(metadata, development=platform.settings.development)
    if isinstance(validated, Refusal):
        return validated
    problems = client_certificates.problems_of(platform.settings, validated)
    if problems:
        return Refusal(problems)
    return sector_identifiers.check(platform, validated) or validated


def save(
    session: Session,
    row: rows.Client | None,
    metadata: dict[str, Any],
    origin: Origin,
    actor: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> RegisteredClient:
    """Store validated metadata, of a new client or of the locked ``row``; ``forget`` afterwards.

    A client has a secret exactly when its method needs one: the one that it has is left to it.
    """
    now = clock.now()
    event = AuditEvent.CLIENT_REGISTER if row is None else AuditEvent.CLIENT_UPDATE
    if row is None:
        row = rows.Client(client_id=metadata["client_id"], created_at=now)
        session.add(row)
    row.client_metadata = metadata
    row.updated_at = now
    session.flush()
    secret = _settle_secret(session, row, now)
    audit.record(
        session,
        event,
        origin,
        account_id=actor,
        client_id=row.client_id,
        object_id=row.client_id,
        detail=detail,
    )
    return registered(row, secret)


def _settle_secret(session: Session, row: rows.Client, now: datetime) -> str | None:
    """The new secret, of a client that needs one and has none; one that needs none loses what it had."""
    if row.client_metadata["token_endpoint_auth_method"] not in SECRET_METHODS:
        rows.delete_secrets(session, row.client_id)
        return None
    if rows.secrets_of(session, row.client_id):
        return None
    secret = crypto.random_token()
    rows.replace_secrets(session, row.client_id, crypto.hash_token(secret), now)
    return secret


def disable(platform: Platform, client_id: str, origin: Origin, actor: str | None = None) -> Refusal | None:
    """Stop serving a client, within a second in every worker."""
    return _set_disabled(platform, client_id, clock.now(), origin, actor)


def enable(platform: Platform, client_id: str, origin: Origin, actor: str | None = None) -> Refusal | None:
    """Serve a disabled client again."""
    return _set_disabled(platform, client_id, None, origin, actor)


def _set_disabled(
    platform: Platform, client_id: str, disabled_at: datetime | None, origin: Origin, actor: str | None
) -> Refusal | None:
    with transaction() as session:
        row = rows.lock(session, client_id)
        if row is None:
            return Refusal.of("client_unknown")
        row.disabled_at = disabled_at
        event = AuditEvent.CLIENT_DISABLE if disabled_at else AuditEvent.CLIENT_UPDATE
        audit.record(session, event, origin, account_id=actor, client_id=client_id, object_id=client_id)
    forget(platform)
    return None


def rotate_secret(
    platform: Platform, client_id: str, origin: Origin, actor: str | None = None
) -> RegisteredClient | Refusal:
    """Give a client a new secret; the former one stops working at once."""
    secret = crypto.random_token()
    with transaction() as session:
        row = rows.lock(session, client_id)
        if row is None:
            return Refusal.of("client_unknown")
        if row.client_metadata["token_endpoint_auth_method"] not in SECRET_METHODS:
            return Refusal.of("client_has_no_secret")
        rows.replace_secrets(session, client_id, crypto.hash_token(secret), clock.now())
        event = AuditEvent.CLIENT_SECRET_ROTATE
        audit.record(session, event, origin, account_id=actor, client_id=client_id, object_id=client_id)
        outcome = registered(row, secret)
    forget(platform)
    return outcome


def secret_matches(client: Client, secret: str, now: datetime) -> bool:
    """Whether ``secret`` is one of the client's that has not expired; constant time for each stored hash."""
    presented = crypto.hash_token(secret)
    matches = [
        crypto.constant_time_equal(presented, stored)
        for stored, expires_at in client.secrets
        if expires_at is None or expires_at > now
    ]
    return any(matches)


def forget(platform: Platform) -> None:
    """After a change: this process sees it at once, others within a second."""
    platform.clients.forget()
    platform.resource_servers.forget()

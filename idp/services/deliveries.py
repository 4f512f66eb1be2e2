"""What the outbox could not deliver, as an administrator sees it; and to whom a message goes.

Kinds are open: of one that this version doesn't know, whatever its payload says is shown all the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp import clock
from idp.crypto import DecryptionError
from idp.domain.accounts import mask_phone
from idp.domain.audit import AuditEvent, Origin
from idp.domain.deliveries import is_worth_another_try
from idp.domain.errors import Refusal
from idp.services import audit, clients
from idp.services.platform import Platform
from idp.storage import outbox as rows
from idp.storage.database import reading, transaction
from idp.storage.outbox import Leased, Undelivered

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message of which an attempt has failed. ``next_attempt_at`` is None when it has been given up.

    ``phone`` is masked, ``purpose`` that of a text message; ``last_error`` is a code and its detail, None
    when the attempt ended without a word.
    """

    id: int
    kind: str
    client_id: str | None
    client_name: str | None
    phone: str | None
    purpose: str | None
    created_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    retryable: bool


def list_undelivered(platform: Platform, page: int = 1) -> list[Delivery]:
    """A page of fifty messages, the newest first."""
    with reading() as session:
        found = rows.list_undelivered(session, (page - 1) * PAGE_SIZE, PAGE_SIZE)
    payloads = [_payload(platform, row.payload_encrypted) for row in found]
    names: dict[str, str | None] = {}
    for client_id in {payload["client_id"] for payload in payloads if "client_id" in payload}:
        registered = clients.find_registration(platform, client_id)
        names[client_id] = registered.metadata["client_name"] if registered else None
    now = clock.now()
    return [_delivery(row, payload, names, now) for row, payload in zip(found, payloads, strict=True)]


def _delivery(
    row: Undelivered, payload: Mapping[str, Any], names: Mapping[str, str | None], now: datetime
) -> Delivery:
    phone = payload.get("phone")
    client_id = payload.get("client_id")
    return Delivery(
        id=row.id,
        kind=row.kind,
        client_id=client_id,
        client_name=names.get(client_id) if client_id else None,
        phone=mask_phone(phone) if phone else None,
        purpose=payload.get("purpose"),
        created_at=row.created_at,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        last_error=row.last_error,
        retryable=is_worth_another_try(payload.get("code"), row.created_at, now),
    )


def _payload(platform: Platform, sealed: str) -> dict[str, Any]:
    """What a message says; nothing when it can't be opened."""
    try:
        payload: dict[str, Any] = json.loads(platform.keyring.fields.decrypt(sealed, "outbox.payload"))
    except DecryptionError:
        return {}
    return payload


def count_undelivered() -> int:
    """How many messages wait for an administrator's look."""
    with reading() as session:
        return rows.count_undelivered(session)


def retry(platform: Platform, message_id: int, origin: Origin, actor: str) -> Refusal | None:
    """Have a message attempted at once. ``delivery_unknown`` when it is gone or delivered by now,
    ``delivery_stale`` for a code that has expired.
    """

    def send_again(session: Session, message: Undelivered) -> Refusal | None:
        now = clock.now()
        code = _payload(platform, message.payload_encrypted).get("code")
        if not is_worth_another_try(code, message.created_at, now):
            return Refusal.of("delivery_stale")
        rows.mark_due(session, message.id, now)
        return None

    return _act(platform, message_id, send_again, AuditEvent.DELIVERY_RETRY, origin, actor)


def discard(platform: Platform, message_id: int, origin: Origin, actor: str) -> Refusal | None:
    """Give a message up for good; ``delivery_unknown`` when it is gone or delivered by now."""

    def drop(session: Session, message: Undelivered) -> Refusal | None:
        rows.delete_message(session, message.id)
        return None

    return _act(platform, message_id, drop, AuditEvent.DELIVERY_DISCARD, origin, actor)


def _act(
    platform: Platform,
    message_id: int,
    act: Callable[[Session, Undelivered], Refusal | None],
    event: AuditEvent,
    origin: Origin,
    actor: str,
) -> Refusal | None:
    with transaction() as session:
        message = rows.find_undelivered(session, message_id)
        refusal = Refusal.of("delivery_unknown") if message is None else act(session, message)
        if message is None or refusal is not None:
            return refusal
        audit.record(
            session,
            event,
            origin,
            account_id=actor,
            client_id=_payload(platform, message.payload_encrypted).get("client_id"),
            object_id=f"{message.id}",
            detail={"kind": message.kind, "attempts": message.attempts},
        )
    return None


def destination(platform: Platform, message: Leased) -> str:
    """Who has to answer for a message to be delivered: for each kind a client, else whoever takes that kind.

    A client whose event receiver doesn't answer still hears of logouts at once.
    """
    client_id = _payload(platform, message.payload_encrypted).get("client_id")
    return f"{message.kind} {client_id or ''}".strip()

"""Security events on their way to the clients that have a stream: raised in the transaction of their cause,
pushed by way of the outbox, or kept until they are fetched.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp import clock, crypto
from idp.domain import signal_streams as streams
from idp.domain import signals as rules
from idp.domain.deliveries import error_of
from idp.domain.errors import Refusal
from idp.domain.signals import Ended, Envelope, Event
from idp.services import clients, outbox, subjects
from idp.services.outbox import DeliveryError, RefusedError
from idp.services.platform import Platform
from idp.storage import signals as rows
from idp.storage.database import reading, transaction
from idp.storage.signals import SignalStream

MOST_AT_ONCE = 100  # events in one answer to a poll
EVENT_TOKEN = "application/secevent+jwt"
PAYLOAD_CONTEXT = "signal_events.payload"
HEADER_CONTEXT = "signal_streams.authorization_header"

Row = Mapping[Any, Any]
Sign = Callable[[Mapping[str, Any]], str | None]
"""The claims of an event to its signed token; None when there is no such client any more."""

logger = logging.getLogger(__name__)


def sessions_ended(
    session: Session, platform: Platform, told: Iterable[Row], reason: str, now: datetime
) -> None:
    """A browser session is over: tell the clients that took part in it. Each row has ``client_id``,
    ``account_id`` and ``sid``.
    """
    _raise_all(session, platform, told, rules.ended_session, reason, now)


def authorizations_ended(
    session: Session, platform: Platform, revoked: Iterable[Row], reason: str, now: datetime
) -> None:
    """Authorizations have ended: tell the clients that had used them, each end once."""
    used = [row for row in revoked if row["redeemed_at"] is not None]
    _raise_all(session, platform, used, rules.ended_authorization, reason, now)


def _raise_all(
    session: Session,
    platform: Platform,
    ended: Iterable[Row],
    facts_of: Callable[[Row], Ended],
    reason: str,
    now: datetime,
) -> None:
    """No statement at all for clients without a stream; their names are at most a second old."""
    found: dict[str, dict[Ended, None]] = {}
    for row in ended:
        if row["client_id"] in _receivers(platform):
            found.setdefault(row["client_id"], {})[facts_of(row)] = None
    txn = crypto.random_id()
    for client_id in sorted(found):
        _raise_for(session, platform, client_id, found[client_id], reason, txn, now)


def _receivers(platform: Platform) -> frozenset[str]:
    return platform.signal_receivers.get("all", _load_receivers)


def _load_receivers() -> frozenset[str]:
    with reading() as session:
        return rows.list_receivers(session)


def _raise_for(
    session: Session,
    platform: Platform,
    client_id: str,
    ended: Iterable[Ended],
    reason: str,
    txn: str,
    now: datetime,
) -> None:
    client = clients.find_client(platform, client_id)
    stream = rows.lock_stream(session, client_id, to_change=False)
    if client is None or stream is None:
        return
    issuer = platform.settings.issuer
    for one in ended:
        sub_id = rules.subject_of(issuer, subjects.sub_of(platform, client, one.account_id), one)
        for event in rules.events_after(one, reason, now):
            if event.type in stream.events_requested:
                send(session, platform, stream, sub_id, event, now, txn)


def send(
    session: Session,
    platform: Platform,
    stream: SignalStream,
    sub_id: Mapping[str, Any],
    event: Event,
    now: datetime,
    txn: str | None = None,
) -> None:
    """Put an event into a stream; one that is disabled loses it (SSF 1.0 §8.1.2.1)."""
    jti = crypto.random_id()
    envelope = Envelope(platform.settings.issuer, stream.client_id, jti, txn or jti)
    _dispatch(session, platform, stream, rules.event_token_claims(envelope, sub_id, event, now), now)


def _dispatch(
    session: Session, platform: Platform, stream: SignalStream, claims: Mapping[str, Any], now: datetime
) -> None:
    if stream.status == streams.DISABLED:
        return
    if _pushes(stream):
        outbox.enqueue_signal(session, platform, stream.client_id, stream.stream_id, claims)
        return
    sealed = platform.keyring.fields.encrypt(json.dumps(claims), PAYLOAD_CONTEXT)
    rows.add_event(session, stream.stream_id, claims["jti"], sealed, now)


def _pushes(stream: SignalStream) -> bool:
    return stream.delivery_method == streams.PUSH and stream.status == streams.ENABLED


def release(session: Session, platform: Platform, stream: SignalStream) -> None:
    """What waits in a stream goes on its way if the stream now pushes, and is forgotten if it is disabled."""
    if _pushes(stream):
        for waiting in rows.list_events(session, stream.stream_id):
            claims = _opened(platform, waiting.payload_encrypted)
            outbox.enqueue_signal(session, platform, stream.client_id, stream.stream_id, claims)
    if _pushes(stream) or stream.status == streams.DISABLED:
        rows.delete_events(session, stream.stream_id)


def _opened(platform: Platform, sealed: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(platform.keyring.fields.decrypt(sealed, PAYLOAD_CONTEXT))
    return claims


# --- push (RFC 8935)


def push(platform: Platform, sign: Sign, message: Mapping[str, Any]) -> None:
    """Deliver an event of the outbox; for the worker.

    The stream is looked at now: one that is gone or disabled drops it, one that is paused or polled keeps it.
    202 is success and an ``err`` is the receiver's last word (RFC 8935 §2.2, §2.3); the rest comes again.
    """
    with transaction() as session:
        stream = rows.lock_stream(session, message["client_id"], to_change=False)
        if stream is None or stream.stream_id != message["stream_id"]:
            return
        if not _pushes(stream):
            _dispatch(session, platform, stream, message["claims"], clock.now())
            return
        url, headers = str(stream.endpoint_url), _headers(platform, stream)
    token = sign(message["claims"])
    if token is not None:
        _post(platform, url, token, headers)


def _headers(platform: Platform, stream: SignalStream) -> dict[str, str]:
    sealed = stream.authorization_header_encrypted
    own = {"Authorization": platform.keyring.fields.decrypt(sealed, HEADER_CONTEXT)} if sealed else {}
    return {"Content-Type": EVENT_TOKEN, "Accept": "application/json", **own}


def _post(platform: Platform, url: str, token: str, headers: Mapping[str, str]) -> None:
    answer = platform.outbound.post(url, data=token.encode("ascii"), headers=headers)
    if answer.status == 202:
        return
    refusal = error_of(answer.body, "err") if answer.status == 400 else None
    if refusal is not None:
        raise RefusedError(f"refused {refusal}")
    raise DeliveryError(f"answered {answer.status}")


# --- poll (RFC 8936)


@dataclass(frozen=True, slots=True)
class Polled:
    """The claims of the events that wait, the oldest first, and whether there are more."""

    events: tuple[Mapping[str, Any], ...]
    more_available: bool


def poll(
    platform: Platform, client_id: str, settled: Collection[str], failed: Mapping[str, str], most: int | None
) -> Polled | Refusal:
    """Forget what the receiver has settled, acknowledged or ``failed`` (by ``jti``, with its ``err``), and
    answer up to ``most`` of the events that wait (RFC 8936 §2.4).

    ``stream_unknown`` when the client has no stream that is polled. A ``jti`` that isn't there, or is
    another stream's, changes nothing.
    """
    with transaction() as session:
        stream = rows.find_stream(session, client_id)
        if stream is None or stream.delivery_method != streams.POLL:
            return Refusal.of("stream_unknown")
        if settled or failed:
            rows.delete_events(session, stream.stream_id, {*settled, *failed})
        for jti, error in failed.items():
            logger.warning("%s could not take the event %s: %s", client_id, jti, error)
        most = MOST_AT_ONCE if most is None else min(most, MOST_AT_ONCE)
        enabled = stream.status == streams.ENABLED
        waiting = rows.list_events(session, stream.stream_id, most + 1) if enabled else ()
    events = tuple(_opened(platform, one.payload_encrypted) for one in waiting[:most])
    return Polled(events, len(waiting) > most)

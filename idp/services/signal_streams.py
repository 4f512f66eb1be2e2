"""Event streams: a client registers its own, changes, pauses, tries and removes it (SSF 1.0 §8.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, crypto
from idp.domain import signal_streams as rules
from idp.domain import signals as events
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.domain.signal_streams import ENABLED, Delivery, Stream, Wishes
from idp.services import audit, signals
from idp.services.platform import Platform
from idp.services.signals import HEADER_CONTEXT
from idp.storage import signals as rows
from idp.storage.database import reading, transaction
from idp.storage.signals import SignalStream

POLL_PATH = "/ssf/poll"


def poll_url(platform: Platform) -> str:
    """Where events are fetched; each client has one stream, so that the address need not name it."""
    return f"{platform.settings.issuer}{POLL_PATH}"


def configuration(platform: Platform, stream: Stream) -> dict[str, Any]:
    """The stream as its receiver sees it."""
    return rules.configuration(stream, platform.settings.issuer, poll_url(platform))


def create(
    platform: Platform, client_id: str, document: Mapping[str, Any], origin: Origin
) -> Stream | Refusal:
    """The client's stream, enabled at once. ``stream_exists`` when it has one (SSF 1.0 §8.1.1.1), else
    ``stream_invalid``. Other processes send events into it within a second.
    """
    wishes = _wishes(platform, document)
    if isinstance(wishes, Refusal):
        return wishes
    try:
        with transaction() as session:
            stream = _add(session, platform, client_id, wishes)
            _record(session, AuditEvent.SIGNAL_STREAM_CREATE, stream, origin)
    except IntegrityError:
        return Refusal.of("stream_exists")
    platform.signal_receivers.forget()
    return stream


def _wishes(platform: Platform, document: Mapping[str, Any]) -> Wishes | Refusal:
    return rules.wishes_from(document, poll_url(platform), development=platform.settings.development)


def _add(session: Session, platform: Platform, client_id: str, wishes: Wishes) -> Stream:
    now = clock.now()
    row = SignalStream(stream_id=crypto.random_id(), client_id=client_id, status=ENABLED, created_at=now)
    _write(platform, row, wishes)
    session.add(row)
    session.flush()
    return _stream(row)


def _write(platform: Platform, row: SignalStream, wishes: Wishes) -> None:
    header = wishes.delivery.authorization_header
    row.delivery_method = wishes.delivery.method
    row.endpoint_url = wishes.delivery.endpoint_url
    row.authorization_header_encrypted = (
        None if header is None else platform.keyring.fields.encrypt(header, HEADER_CONTEXT)
    )
    row.events_requested = list(wishes.events_requested)
    row.description = wishes.description
    row.updated_at = clock.now()


def _stream(row: SignalStream) -> Stream:
    return Stream(
        stream_id=row.stream_id,
        client_id=row.client_id,
        method=row.delivery_method,
        endpoint_url=row.endpoint_url,
        events_requested=tuple(row.events_requested),
        description=row.description,
        status=row.status,
        reason=row.status_reason,
    )


def _record(session: Session, event: AuditEvent, stream: Stream, origin: Origin) -> None:
    detail = {"method": stream.method, "status": stream.status}
    audit.record(
        session, event, origin, client_id=stream.client_id, object_id=stream.stream_id, detail=detail
    )


def find_stream(client_id: str) -> Stream | None:
    """The client's stream."""
    with reading() as session:
        row = rows.find_stream(session, client_id)
        return None if row is None else _stream(row)


def get_stream(client_id: str, stream_id: object) -> Stream | Refusal:
    """The client's stream if that is its id; ``stream_unknown``."""
    stream = find_stream(client_id)
    return stream if stream and stream.stream_id == stream_id else Refusal.of("stream_unknown")


def delivers_by(platform: Platform, client_id: str, delivery: Delivery) -> bool:
    """Whether the client has a stream that is delivered in just this way, authorization header included."""
    with reading() as session:
        row = rows.find_stream(session, client_id)
        if row is None:
            return False
        sealed = row.authorization_header_encrypted
        header = platform.keyring.fields.decrypt(sealed, HEADER_CONTEXT) if sealed else None
        return Delivery(row.delivery_method, row.endpoint_url, header) == delivery


def update(
    platform: Platform, client_id: str, document: Mapping[str, Any], origin: Origin
) -> Stream | Refusal:
    """Change the members that are there (SSF 1.0 §8.1.1.3); ``stream_unknown``, ``stream_invalid``.

    A new ``delivery`` replaces the former as a whole, its authorization header with it.
    """

    def change(row: SignalStream) -> Refusal | None:
        present = configuration(platform, _stream(row))
        wishes = _wishes(platform, {**present, **document})
        if isinstance(wishes, Refusal):
            return wishes
        kept = None if "delivery" in document else row.authorization_header_encrypted
        _write(platform, row, wishes)
        row.authorization_header_encrypted = kept or row.authorization_header_encrypted
        return None

    return _change_configuration(platform, client_id, document, change, origin)


def replace(
    platform: Platform, client_id: str, document: Mapping[str, Any], origin: Origin
) -> Stream | Refusal:
    """Put a configuration in place of the present one (SSF 1.0 §8.1.1.4); refused as :func:`update`."""

    def change(row: SignalStream) -> Refusal | None:
        wishes = _wishes(platform, document)
        if isinstance(wishes, Refusal):
            return wishes
        _write(platform, row, wishes)
        return None

    return _change_configuration(platform, client_id, document, change, origin)


def _change_configuration(
    platform: Platform,
    client_id: str,
    document: Mapping[str, Any],
    change: Callable[[SignalStream], Refusal | None],
    origin: Origin,
) -> Stream | Refusal:
    def checked(row: SignalStream) -> Refusal | None:
        present = configuration(platform, _stream(row))
        return rules.contradiction(document, present) or change(row)

    return _change(platform, client_id, document.get("stream_id"), checked, origin)


def set_status(
    platform: Platform, client_id: str, document: Mapping[str, Any], origin: Origin
) -> Stream | Refusal:
    """Enable, pause or disable (SSF 1.0 §8.1.2.2); ``stream_unknown``, ``stream_invalid``.

    What waited while the stream was paused goes on its way; disabling forgets it.
    """

    def change(row: SignalStream) -> Refusal | None:
        asked = rules.asked_status(document)
        if isinstance(asked, Refusal):
            return asked
        row.status, row.status_reason = asked
        row.updated_at = clock.now()
        return None

    return _change(platform, client_id, document.get("stream_id"), change, origin)


def _change(
    platform: Platform,
    client_id: str,
    stream_id: object,
    change: Callable[[SignalStream], Refusal | None],
    origin: Origin,
) -> Stream | Refusal:
    with transaction() as session:
        row = rows.lock_stream(session, client_id, to_change=True)
        if row is None or row.stream_id != stream_id:
            return Refusal.of("stream_unknown")
        refusal = change(row)
        if refusal is not None:
            return refusal
        session.flush()
        signals.release(session, platform, row)
        stream = _stream(row)
        _record(session, AuditEvent.SIGNAL_STREAM_UPDATE, stream, origin)
    return stream


def delete(platform: Platform, client_id: str, stream_id: str | None, origin: Origin) -> Refusal | None:
    """Remove the client's stream with all that waits in it or is on its way (SSF 1.0 §8.1.1.5)."""
    with transaction() as session:
        row = rows.lock_stream(session, client_id, to_change=True)
        if row is None or row.stream_id != stream_id:
            return Refusal.of("stream_unknown")
        _record(session, AuditEvent.SIGNAL_STREAM_DELETE, _stream(row), origin)
        rows.delete_events(session, row.stream_id)
        session.delete(row)
    platform.signal_receivers.forget()
    return None


def verify(platform: Platform, client_id: str, document: Mapping[str, Any]) -> Refusal | None:
    """Send a verification event through the stream (SSF 1.0 §8.1.4.2).

    ``stream_unknown``, ``stream_invalid``; ``verification_too_soon`` after less than ten seconds.
    """
    state = rules.asked_state(document)
    stream = get_stream(client_id, document.get("stream_id"))
    if isinstance(stream, Refusal):
        return stream
    if isinstance(state, Refusal):
        return state
    if stream.status == rules.DISABLED:
        return rules.refused("names a stream that is disabled", "stream_id")
    if not _may_verify(platform, stream.stream_id):  # outside the transaction: SQLite has one writer
        return Refusal.of("verification_too_soon")
    with transaction() as session:
        row = rows.lock_stream(session, client_id, to_change=False)
        if row is not None:
            sub_id = events.opaque(row.stream_id)
            signals.send(session, platform, row, sub_id, events.verification(state), clock.now())
    return None


def _may_verify(platform: Platform, stream_id: str) -> bool:
    interval = timedelta(seconds=rules.MIN_VERIFICATION_SECONDS)
    return not platform.settings.throttle or platform.ephemeral.claim(f"verification:{stream_id}", interval)

"""Event streams of clients, and the events that wait there: for a poll, or for the stream to go on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import CursorResult, ForeignKey, String, Text, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.storage.database import Base, Json, UtcDateTime


class SignalStream(Base):
    """The one stream of a client; ``endpoint_url`` and the header are set when events are pushed."""

    __tablename__ = "signal_streams"

    stream_id: Mapped[str] = mapped_column(String(22), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"), unique=True)
    delivery_method: Mapped[str] = mapped_column(String(32))
    endpoint_url: Mapped[str | None] = mapped_column(Text)
    authorization_header_encrypted: Mapped[str | None] = mapped_column(Text)
    events_requested: Mapped[list[str]] = mapped_column(Json)
    description: Mapped[str | None] = mapped_column(String(300))
    status: Mapped[str] = mapped_column(String(8))  # enabled, paused, disabled
    status_reason: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SignalEvent(Base):
    """One event that waits; the claims of its token are JSON, encrypted. Gone when acknowledged."""

    __tablename__ = "signal_events"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    stream_id: Mapped[str] = mapped_column(
        ForeignKey("signal_streams.stream_id", ondelete="CASCADE"), index=True
    )
    jti: Mapped[str] = mapped_column(String(22), unique=True)
    payload_encrypted: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Waiting(NamedTuple):
    """An event that waits, the oldest first."""

    jti: str
    payload_encrypted: str


_s, _e = SignalStream, SignalEvent


def list_receivers(session: Session) -> frozenset[str]:
    """The clients that have a stream."""
    return frozenset(session.scalars(select(_s.client_id)))


def find_stream(session: Session, client_id: str) -> SignalStream | None:
    """The stream of a client."""
    return session.scalar(select(_s).where(_s.client_id == client_id))


def lock_stream(session: Session, client_id: str, *, to_change: bool) -> SignalStream | None:
    """The stream of a client, held until the transaction ends.

    Those who add events share it; who changes it has it alone, so that no event is put aside in a stream
    that is just being set going. SQLite's writers queue anyway.
    """
    statement = select(_s).where(_s.client_id == client_id).with_for_update(read=not to_change)
    return session.scalar(statement.execution_options(populate_existing=True))


def add_event(session: Session, stream_id: str, jti: str, sealed: str, now: datetime) -> None:
    """Let an event wait; one that waits already is left as it is."""
    present = select(_e.id).where(_e.jti == jti)
    if session.scalar(present) is None:
        values = {"stream_id": stream_id, "jti": jti, "payload_encrypted": sealed, "created_at": now}
        session.execute(insert(_e).values(values))


def list_events(session: Session, stream_id: str, limit: int | None = None) -> Sequence[Waiting]:
    """The events that wait in a stream, the oldest first."""
    statement = select(_e.jti, _e.payload_encrypted).where(_e.stream_id == stream_id).order_by(_e.id)
    return [Waiting(*row) for row in session.execute(statement.limit(limit))]


def delete_events(session: Session, stream_id: str, jtis: Collection[str] | None = None) -> int:
    """Forget these events of a stream, or all; other streams' are never touched. How many went."""
    statement = delete(_e).where(_e.stream_id == stream_id)
    if jtis is not None:
        statement = statement.where(_e.jti.in_(jtis))
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def purge_events(session: Session, before: datetime, limit: int) -> int:
    """Delete events that nobody has fetched since then; at most ``limit``."""
    old = select(_e.id).where(_e.created_at < before).limit(limit)
    return cast("CursorResult[Any]", session.execute(delete(_e).where(_e.id.in_(old)))).rowcount

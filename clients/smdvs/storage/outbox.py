"""The outbox: text messages that wait to be sent, each once by its ``dedupe_key``.

A message is leased for one attempt in a short transaction, sent outside any, then marked. ``send_after`` is
when it may be attempted next, be it new, leased or failed; ``attempts`` tells a worker whether the lease is
still its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Index, bindparam, delete, func, select, text, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, Session, mapped_column

from clients.smdvs.storage.database import Base, UtcDateTime

LONGEST_ERROR = 200


class OutboxMessage(Base):
    """One text message. ``kind`` and ``parameters`` (JSON) make its text and have nothing of a person;
    the phone rests sealed, ``recipient_index`` is its keyed digest, to count by.
    """

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    parameters: Mapped[str]
    recipient_sealed: Mapped[str]
    recipient_index: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
    send_after: Mapped[datetime]
    attempts: Mapped[int]
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


_WAITING = (OutboxMessage.sent_at.is_(None), OutboxMessage.given_up_at.is_(None))
Index("ix_outbox_recipient_index", OutboxMessage.recipient_index, OutboxMessage.created_at)
Index(
    "ix_outbox_waiting",
    OutboxMessage.send_after,
    sqlite_where=text("sent_at IS NULL AND given_up_at IS NULL"),
    postgresql_where=text("sent_at IS NULL AND given_up_at IS NULL"),
)

_INSERT = text(
    "INSERT INTO outbox (dedupe_key, kind, parameters, recipient_sealed, recipient_index, created_at,"
    " send_after, attempts) VALUES (:dedupe_key, :kind, :parameters, :recipient_sealed, :recipient_index,"
    " :created_at, :created_at, 0) ON CONFLICT DO NOTHING RETURNING 1"
).bindparams(bindparam("created_at", type_=UtcDateTime()))


class Leased(NamedTuple):
    """A message taken for one attempt; ``attempts`` counts this one."""

    id: int
    dedupe_key: str
    kind: str
    parameters: str
    recipient_sealed: str
    created_at: datetime
    attempts: int


_LEASED = tuple(getattr(OutboxMessage, name) for name in Leased._fields)


def insert_message(session: Session, values: Mapping[str, Any]) -> bool:
    """Put a message in; false when its ``dedupe_key`` is there, perhaps since this moment."""
    return session.execute(_INSERT, dict(values)).first() is not None


def known_keys(session: Session, keys: Iterable[str]) -> set[str]:
    """Which of these are there."""
    query = select(OutboxMessage.dedupe_key).where(OutboxMessage.dedupe_key.in_(list(keys)))
    return set(session.scalars(query))


def count_for(session: Session, recipient_index: str, since: datetime) -> int:
    """How many messages this phone has been given since then."""
    query = select(func.count()).where(
        OutboxMessage.recipient_index == recipient_index, OutboxMessage.created_at >= since
    )
    return session.execute(query).scalar_one()


def has_due(session: Session, now: datetime) -> bool:
    """Whether anything waits to be sent; takes no lock."""
    return session.execute(select(OutboxMessage.id).where(*_due(now)).limit(1)).first() is not None


def lease_due(session: Session, now: datetime, until: datetime) -> Leased | None:
    """The message due longest, which nobody else gets before ``until``; in a transaction of its own."""
    # SQLite knows no such lock and needs none: its writers queue.
    query = select(*_LEASED).where(*_due(now)).order_by(OutboxMessage.send_after, OutboxMessage.id).limit(1)
    row = session.execute(query.with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    _change(session, row.id, row.attempts, attempts=row.attempts + 1, send_after=until)
    return Leased(*row)._replace(attempts=row.attempts + 1)


def mark_sent(session: Session, message: Leased, at: datetime) -> bool:
    """It is sent; false when the lease had run out and another worker has it."""
    return _change(session, message.id, message.attempts, sent_at=at, last_error=None)


def mark_failed(session: Session, message: Leased, again: datetime, error: str) -> bool:
    """This attempt came to nothing: another one then."""
    return _change(session, message.id, message.attempts, send_after=again, last_error=error[:LONGEST_ERROR])


def mark_given_up(session: Session, message: Leased, at: datetime, why: str) -> bool:
    """There will be no other attempt."""
    return _change(session, message.id, message.attempts, given_up_at=at, last_error=why[:LONGEST_ERROR])


def list_recent(session: Session, limit: int) -> Sequence[OutboxMessage]:
    """The newest messages first."""
    return session.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(limit)).all()


def purge_messages(session: Session, before: datetime, limit: int) -> int:
    """Delete messages made before then, sent or not; at most ``limit``. Returns how many."""
    old = select(OutboxMessage.id).where(OutboxMessage.created_at < before).limit(limit)
    return _count(session.execute(delete(OutboxMessage).where(OutboxMessage.id.in_(old))))


def _due(now: datetime) -> tuple[Any, ...]:
    return (OutboxMessage.send_after <= now, *_WAITING)


def _change(session: Session, message: int, attempts: int, /, **values: object) -> bool:
    mine = (OutboxMessage.id == message, OutboxMessage.attempts == attempts, *_WAITING)
    return _count(session.execute(update(OutboxMessage).where(*mine).values(**values))) == 1


def _count(result: object) -> int:
    # What SQLAlchemy returns for UPDATE and DELETE.
    return cast("CursorResult[Any]", result).rowcount

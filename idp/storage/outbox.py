"""The outbox: side effects written in the transaction of their cause, delivered by the worker."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    Index,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.prepared import Driver, Prepared
from idp.storage.database import Base, UtcDateTime


class OutboxMessage(Base):
    """One thing to deliver, of a ``kind`` that services.outbox knows; the payload is JSON, encrypted."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(32))
    payload_encrypted: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: nothing more to do
    attempts: Mapped[int] = mapped_column(default=0)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(String(300))


_NOT_DELIVERED = OutboxMessage.delivered_at.is_(None)
Index("ix_outbox_due", OutboxMessage.next_attempt_at)
Index(
    "ix_outbox_undelivered",
    OutboxMessage.id,
    sqlite_where=_NOT_DELIVERED,
    postgresql_where=_NOT_DELIVERED,
)

LONGEST_ERROR = 300

table = cast(Table, OutboxMessage.__table__)
_c = table.c
_WRITTEN = {column.name: None for column in table.c if column.name != "id"}
_INSERT = insert(table)
_INSERT_PREPARED = Prepared(_INSERT.values({name: bindparam(name) for name in _WRITTEN}).inline())
_DUE = _c.next_attempt_at <= bindparam("now", type_=UtcDateTime)
_HAS_DUE = select(_c.id).where(_DUE).limit(1)
_FIRST_DUE = (
    select(_c.id, _c.kind, _c.payload_encrypted, _c.created_at, _c.attempts)
    .where(_DUE)
    .order_by(_c.next_attempt_at)
    .limit(1)
    .with_for_update(skip_locked=True)  # SQLite knows no such clause and needs none: its writers queue
)
_MINE = (_c.id == bindparam("message"), _c.attempts == bindparam("attempt"))
_LEASE = (
    update(table)
    .where(_c.id == bindparam("message"))
    .values(attempts=_c.attempts + 1, next_attempt_at=bindparam("until"))
)
_DELIVERED = (
    update(table).where(*_MINE).values(delivered_at=bindparam("at"), next_attempt_at=None, last_error=None)
)
_FAILED = (
    update(table).where(*_MINE).values(next_attempt_at=bindparam("again"), last_error=bindparam("error"))
)
_PUT_BACK = update(table).where(*_MINE).values(next_attempt_at=bindparam("again"), attempts=_c.attempts - 1)
# An attempt has failed: it said why, there will be no other, or it ended without a word and comes again.
_FAILING = (
    _c.delivered_at.is_(None),
    or_(_c.last_error.is_not(None), _c.next_attempt_at.is_(None), _c.attempts > 1),
)
_UNDELIVERED = (
    _c.id,
    _c.kind,
    _c.payload_encrypted,
    _c.created_at,
    _c.attempts,
    _c.next_attempt_at,
    _c.last_error,
)


class Leased(NamedTuple):
    """A message taken for one attempt; ``attempts`` counts this one."""

    id: int
    kind: str
    payload_encrypted: str
    created_at: datetime
    attempts: int


class Undelivered(NamedTuple):
    """A message of which an attempt has failed; ``next_attempt_at`` is None when there will be no other."""

    id: int
    kind: str
    payload_encrypted: str
    created_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None


def insert_message(where: Session | Driver, values: dict[str, Any]) -> None:
    """Insert one message from its column values."""
    if isinstance(where, Session):
        where.connection().execute(_INSERT, values)
    else:
        _INSERT_PREPARED.run(where, **{**_WRITTEN, **values})


def has_due(session: Session, now: datetime) -> bool:
    """Whether anything waits to be delivered; takes no lock."""
    return session.execute(_HAS_DUE, {"now": now}).first() is not None


def lease_due(session: Session, now: datetime, until: datetime) -> Leased | None:
    """The message due longest, which nobody else gets before ``until``; in a transaction of its own."""
    row = session.execute(_FIRST_DUE, {"now": now}).first()
    if row is None:
        return None
    session.connection().execute(_LEASE, {"message": row.id, "until": until})
    return Leased(row.id, row.kind, row.payload_encrypted, row.created_at, row.attempts + 1)


def mark_delivered(session: Session, message: int, attempt: int, at: datetime) -> None:
    """It is done, unless another worker has taken it over since."""
    session.connection().execute(_DELIVERED, {"message": message, "attempt": attempt, "at": at})


def mark_failed(session: Session, message: int, attempt: int, again: datetime | None, error: str) -> None:
    """This attempt failed; None means that there will be no other."""
    values = {"message": message, "attempt": attempt, "again": again, "error": error[:LONGEST_ERROR]}
    session.connection().execute(_FAILED, values)


def put_back(session: Session, message: int, attempt: int, again: datetime) -> None:
    """Return a leased message without an attempt."""
    values = {"message": message, "attempt": attempt, "again": again}
    session.connection().execute(_PUT_BACK, values)


def list_undelivered(session: Session, offset: int, limit: int) -> list[Undelivered]:
    """The messages of which an attempt has failed, the newest first."""
    statement = select(*_UNDELIVERED).where(*_FAILING).order_by(_c.id.desc()).offset(offset).limit(limit)
    return [Undelivered(*row) for row in session.execute(statement)]


def count_undelivered(session: Session) -> int:
    """How many they are."""
    return session.scalar(select(func.count()).select_from(table).where(*_FAILING)) or 0


def find_undelivered(session: Session, message: int) -> Undelivered | None:
    """One of them, locked until the transaction ends."""
    statement = select(*_UNDELIVERED).where(*_FAILING, _c.id == message).with_for_update()
    row = session.execute(statement).first()
    return None if row is None else Undelivered(*row)


def mark_due(session: Session, message: int, now: datetime) -> None:
    """Have it attempted at once."""
    session.connection().execute(update(table).where(_c.id == message).values(next_attempt_at=now))


def delete_message(session: Session, message: int) -> None:
    """Give it up for good."""
    session.connection().execute(delete(table).where(_c.id == message))


def list_recent(session: Session, kind: str, limit: int) -> list[tuple[str, datetime, datetime | None]]:
    """The latest messages of a kind, newest first: payload, when written, when delivered."""
    statement = select(_c.payload_encrypted, _c.created_at, _c.delivered_at).where(_c.kind == kind)
    return [(*row,) for row in session.execute(statement.order_by(_c.id.desc()).limit(limit))]


def purge_delivered(session: Session, before: datetime, limit: int) -> int:
    """Delete delivered messages written before then; at most ``limit``."""
    return _purge(session, _c.delivered_at.is_not(None), before, limit)


def purge_given_up(session: Session, before: datetime, limit: int) -> int:
    """Delete messages written before then that nobody will attempt any more; at most ``limit``."""
    return _purge(session, _c.delivered_at.is_(None), before, limit)


def _purge(session: Session, criterion: ColumnElement[bool], before: datetime, limit: int) -> int:
    old = select(_c.id).where(criterion, _c.next_attempt_at.is_(None), _c.created_at < before).limit(limit)
    return session.connection().execute(delete(table).where(_c.id.in_(old))).rowcount

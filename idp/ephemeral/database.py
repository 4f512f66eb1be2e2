"""The verbs on the database, for installations without Redis: one statement in a transaction of its own each.

The table stands on its own ``MetaData``: it holds nothing that outlives an hour, and may live in a database
of its own. On PostgreSQL it is unlogged: after a crash it is empty, as Redis is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Delete,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    case,
    delete,
    event,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from idp import clock
from idp.ephemeral import EphemeralUnavailable, Hit, milliseconds, stored_name
from idp.prepared import Prepared, Row, autocommitting

if TYPE_CHECKING:
    from datetime import datetime


PURGE_BATCH = 500

metadata = MetaData()

table = Table(
    "ephemeral",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary),
    Column("count", Integer, nullable=False),
    Column("expires_at", BigInteger, nullable=False, comment="milliseconds since 1970, UTC"),
    Index("ix_ephemeral_expires_at", "expires_at"),
)
event.listen(
    table,
    "after_create",
    # SQLAlchemy gives execute_if no types.
    DDL("ALTER TABLE ephemeral SET UNLOGGED").execute_if(dialect="postgresql"),  # type: ignore[no-untyped-call]
)

_key = table.c.key == bindparam("key")
_now = bindparam("now", type_=BigInteger)
_over = table.c.expires_at <= _now


class _Upserts:
    """The statements that insert or update, whose construct belongs to a dialect."""

    def __init__(self, insert: Any) -> None:
        new_value = insert(table).values(
            key=bindparam("key"), value=bindparam("value"), count=0, expires_at=bindparam("expires_at")
        )
        replaced = {
            "value": new_value.excluded.value,
            "count": 0,
            "expires_at": new_value.excluded.expires_at,
        }
        self.put = Prepared(new_value.on_conflict_do_update(index_elements=["key"], set_=replaced))
        self.claim = Prepared(
            new_value.on_conflict_do_update(index_elements=["key"], set_=replaced, where=_over).returning(
                table.c.key
            )
        )
        new_count = insert(table).values(
            key=bindparam("key"),
            count=bindparam("amount", type_=Integer),
            expires_at=bindparam("expires_at"),
        )
        self.hit = Prepared(
            new_count.on_conflict_do_update(
                index_elements=["key"],
                set_={
                    "count": case(
                        (_over, new_count.excluded.count), else_=table.c.count + new_count.excluded.count
                    ),
                    "expires_at": case((_over, new_count.excluded.expires_at), else_=table.c.expires_at),
                },
            ).returning(table.c.count, table.c.expires_at)
        )


GET = Prepared(select(table.c.value).where(_key, table.c.expires_at > _now))
TAKE = Prepared(delete(table).where(_key).returning(table.c.value, table.c.expires_at))
DROP = Prepared(delete(table).where(_key))
UPSERTS = {"sqlite": _Upserts(sqlite.insert), "postgresql": _Upserts(postgresql.insert)}


def purge_statement(batch: int) -> Delete:
    """Deletes up to ``batch`` expired rows; the outer test spares a row renewed since it was chosen."""
    expired = select(table.c.key).where(_over).limit(batch)
    return delete(table).where(table.c.key.in_(expired), _over)


PURGE = purge_statement(PURGE_BATCH)


class DatabaseEphemeral:
    """Keeps the contract of ``Ephemeral`` in the table ``ephemeral`` of an engine's database.

    Never call a verb that writes inside an open write transaction on the same SQLite file: the verb has its
    own connection and would wait for the caller.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._upserts = UPSERTS[engine.dialect.name]

    def put(self, key: str, value: bytes, ttl: timedelta) -> None:
        """INSERT … ON CONFLICT DO UPDATE."""
        expires_at = _milliseconds_of(clock.now()) + milliseconds(ttl)
        self._run(self._upserts.put, key, value=value, expires_at=expires_at)

    def get(self, key: str) -> bytes | None:
        """SELECT of what hasn't expired."""
        row = self._run(GET, key, now=_milliseconds_of(clock.now()))
        return bytes(row["value"]) if row else None

    def take(self, key: str) -> bytes | None:
        """DELETE … RETURNING; of concurrent deleters the database gives the row to one."""
        row = self._run(TAKE, key)
        if row is None:
            return None
        return bytes(row["value"]) if row["expires_at"] > _milliseconds_of(clock.now()) else None

    def claim(self, key: str, ttl: timedelta) -> bool:
        """INSERT … ON CONFLICT DO UPDATE WHERE the old one has expired; a row comes back to the winner."""
        now = _milliseconds_of(clock.now())
        return bool(
            self._run(self._upserts.claim, key, value=b"", now=now, expires_at=now + milliseconds(ttl))
        )

    def hit(self, key: str, window: timedelta, amount: int = 1) -> Hit:
        """INSERT … ON CONFLICT DO UPDATE … RETURNING the count."""
        now = _milliseconds_of(clock.now())
        expires_at = now + milliseconds(window)
        row = self._run(self._upserts.hit, key, now=now, expires_at=expires_at, amount=amount)
        count, expires_at = (
            (row["count"], row["expires_at"]) if row else (0, now)
        )  # it always returns its row
        return Hit(count, timedelta(milliseconds=max(expires_at - now, 0)))

    def drop(self, key: str) -> None:
        """DELETE."""
        self._run(DROP, key)

    def check(self) -> None:
        """For readiness: ``EphemeralUnavailable`` when the database or the table isn't there."""
        self.get("")

    def purge(self, now: datetime) -> int:
        """Delete what has expired by ``now``, in batches that lock nothing for long; returns how many."""
        removed = 0
        while True:
            try:
                with self._engine.begin() as connection:
                    batch = connection.execute(PURGE, {"now": _milliseconds_of(now)}).rowcount
            except SQLAlchemyError as error:
                raise EphemeralUnavailable from error
            removed += batch
            if batch < PURGE_BATCH:
                return removed

    def _run(self, statement: Prepared, key: str, **values: object) -> Row | None:
        """Run a statement in a transaction of its own; a connection that fails is thrown away."""
        try:
            with autocommitting(self._engine) as driver:
                return statement.first(driver, key=stored_name(key), **values)
        except SQLAlchemyError as error:
            raise EphemeralUnavailable from error


def _milliseconds_of(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

"""The database of smdvs: SQLite (WAL) or PostgreSQL, the same transactions on both."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Connection, DateTime, Dialect, Text, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

# What a database raises that is gone, full or busy for too long: try again later.
DatabaseUnavailable = OperationalError

BUSY_MILLISECONDS = 5000
LOCK_TIMEOUT = "5s"
_BEGIN = "smdvs_begin"
_SYNCHRONOUS = "smdvs_synchronous"


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC datetimes out, whatever the database makes of them."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; SQLite keeps no offset, so everything is kept in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite gives back naive times, PostgreSQL those of the session's zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The tables of smdvs."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {str: Text, datetime: UtcDateTime}


class Database:
    """Transactions on one database. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url, pool_pre_ping=True)
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self)
        else:
            event.listen(self.engine, "connect", _prepare_postgresql)
        self._reader = self.engine.execution_options(**{_BEGIN: "BEGIN"})
        self._hasty = self.engine.execution_options(**{_SYNCHRONOUS: "NORMAL"})

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Session]:
        """A session that commits on normal exit and rolls back on an exception.

        What it has committed outlives the end of any process; ``durable`` says that it outlives
        a power cut too, on SQLite for the price of an fsync.
        """
        bind = self.engine if durable else self._hasty
        with Session(bind, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading; what it changes is never kept."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session


def _prepare_sqlite(database: Database) -> None:
    if database.engine.url.database:
        Path(database.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    event.listen(database.engine, "connect", _on_sqlite_connect)
    event.listen(database.engine, "begin", _on_sqlite_begin)


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    # The driver's own BEGIN comes too late and is too weak: ours are sent by _on_sqlite_begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_MILLISECONDS}",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    _write_ahead(cursor)
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    # Of processes that open a new file together SQLite lets one switch it and refuses the others at once.
    until = time.monotonic() + BUSY_MILLISECONDS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _on_sqlite_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    _synchronise(connection, options.get(_SYNCHRONOUS, "FULL"))
    # IMMEDIATE takes the one write lock at once and waits for it; a later upgrade would fail instead of
    # waiting.
    connection.exec_driver_sql(options.get(_BEGIN, "BEGIN IMMEDIATE"))


def _synchronise(connection: Connection, level: str) -> None:
    """Whether a commit waits for the disk; asked of the driver's connection only when it changes."""
    if connection.info.get(_SYNCHRONOUS) != level:
        connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
        connection.info[_SYNCHRONOUS] = level


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    connection.commit()

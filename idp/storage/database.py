"""The database: our declarative base, its column types, and the two ways to open a session."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import orjson
from flask import Flask, current_app, g
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Engine, Text, create_engine, event, literal, select
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from idp.prepared import Driver, Lease, Prepared

if TYPE_CHECKING:
    from sqlalchemy import Dialect

SQLITE_BUSY_MS = 10_000
POOL: dict[str, Any] = {"pool_size": 10, "max_overflow": 10}
ANSWER = Prepared(select(literal(1).label("one")))

# What is raised when the database can't be reached or has no connection left: a page says so, with status
# 503.
UNAVAILABLE: tuple[type[Exception], ...] = (OperationalError, InterfaceError, PoolTimeoutError)
# What is raised when something that a change rests on went in the same moment, where no use case expects it.
CHANGED_MEANWHILE: tuple[type[Exception], ...] = (IntegrityError,)


class Base(DeclarativeBase):
    """The declarative base of every row of the provider."""


db = SQLAlchemy(model_class=Base)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite keeps it without zone, so both directions convert here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: refuses naive values."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a naive datetime can't be stored"
            raise ValueError(message)
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database: always aware, UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """A JSON document kept as text, the same on both databases; lists and dicts come back as such."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """From the database."""
        return None if value is None else orjson.loads(value)


@dataclass(frozen=True, slots=True)
class Engines:
    """One engine and its two ways of use: ``writes`` locks SQLite for writing at once,
    ``single`` is autocommit.
    """

    writes: Engine
    single: Engine

    @classmethod
    def over(cls, engine: Engine) -> Engines:
        """Set up ``engine`` (WAL, busy timeout, foreign keys and explicit BEGIN on SQLite)
        and derive both uses.
        """
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            single: Engine = engine.execution_options(sqlite_begin=None)
        else:  # a pool of its own, so that no connection has to be switched to and fro
            single = create_engine(
                engine.url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, **POOL
            )
        return cls(writes=engine.execution_options(sqlite_begin="IMMEDIATE"), single=single)

    def dispose(self) -> None:
        """Close every idle connection."""
        self.writes.dispose()
        self.single.dispose()


def init_app(app: Flask, url: str) -> None:
    """Give ``app`` its database."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = POOL
    db.init_app(app)
    with app.app_context():
        app.extensions["idp.engines"] = Engines.over(db.engine)
    app.teardown_appcontext(_release)


def engines(app: Flask) -> Engines:
    """The engines of an application."""
    return cast("Engines", app.extensions["idp.engines"])


def _release(_error: BaseException | None) -> None:
    lease: Lease | None = g.pop("idp_lease", None)
    if lease is not None:
        lease.release()


def _engines() -> Engines:
    return cast("Engines", current_app.extensions["idp.engines"])


@contextmanager
def transaction() -> Iterator[Session]:
    """A session that commits when the block ends and rolls back when it raises.

    On SQLite it begins with ``BEGIN IMMEDIATE``, so that a reader
    never has to become a writer halfway (SQLITE_BUSY).
    """
    with Session(_engines().writes, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading: every statement is its own transaction, nothing is ever committed."""
    with Session(_engines().single, expire_on_commit=False) as session:
        yield session


def single_statements() -> AbstractContextManager[Driver]:
    """For prepared statements: every one, also a write, is its own transaction and one round trip.

    A request (an application context) keeps one connection for all of them until it ends.
    """
    lease: Lease | None = g.get("idp_lease")
    if lease is None or lease.over:
        lease = g.idp_lease = Lease(_engines().single)
    return lease


def answers() -> bool:
    """Whether the database answers a statement now."""
    try:
        with single_statements() as driver:
            ANSWER.run(driver)
    except UNAVAILABLE:
        return False
    return True


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late and is never IMMEDIATE
    for pragma in (f"busy_timeout={SQLITE_BUSY_MS}", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    _write_ahead(connection)


def _write_ahead(connection: Any) -> None:
    """One at a time can switch a new file over, and SQLite refuses the others at once, whatever
    ``busy_timeout`` says.
    """
    until = time.monotonic() + SQLITE_BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    if mode is not None:
        connection.exec_driver_sql(f"BEGIN {mode}")

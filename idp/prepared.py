"""Statements of hot paths: SQLAlchemy writes each once for a database, and its driver runs it.

Core spends more on preparing an execution and its result than SQLite on the work itself. Everything off the
token paths uses Core and the ORM as they are (docs/adr/0005).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Protocol, cast

from sqlalchemy import Dialect, Engine
from sqlalchemy.exc import DBAPIError

Row = dict[str, Any]
Processor = Callable[[Any], Any] | None

observers: list[Callable[[str], None]] = []
"""Called with the text of each statement before it runs; for counting queries."""


class Driver(Protocol):
    """Where a prepared statement runs: ``autocommitting``, or SQLAlchemy's Connection of a transaction."""

    @property
    def dialect(self) -> Dialect:
        """The kind of database."""

    @property
    def connection(self) -> Any:
        """The driver's connection, or the pool's proxy of it."""


class Lease:
    """A pooled connection in autocommit, for as many statements as its holder has: each, also a write,
    is one round trip.

    Entering it gives the Driver. Errors come as SQLAlchemy's; after one of the driver's the lease is ``over``
    and its connection thrown away.
    """

    def __init__(self, engine: Engine) -> None:
        self.dialect = engine.dialect
        try:
            self._pooled = engine.raw_connection()
        except self.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy(self.dialect, error) from error
        connection: Any = self._pooled.driver_connection
        self.connection = connection
        # SQLite's driver is in autocommit by the engine's set-up, psycopg's when the engine was made for it.
        self._switched = self.dialect.name == "postgresql" and not connection.autocommit
        if self._switched:  # else psycopg sends BEGIN and COMMIT: two round trips more
            connection.autocommit = True
        self.over = False

    def __enter__(self) -> Driver:
        """The connection."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Translate and remember what the driver raised."""
        if isinstance(error, self.dialect.loaded_dbapi.Error):
            self.over = True
            self._pooled.invalidate()
            self._pooled.close()
            raise _as_sqlalchemy(self.dialect, error) from error

    def release(self) -> None:
        """Give the connection back, unless the lease is over."""
        if self.over:
            return
        self.over = True
        self.connection.commit()  # costs nothing in autocommit
        if self._switched:
            self.connection.autocommit = False
        self._pooled.close()


@contextmanager
def autocommitting(engine: Engine) -> Iterator[Driver]:
    """A lease for the length of a block."""
    lease = Lease(engine)
    try:
        with lease as driver:
            yield driver
    finally:
        lease.release()


def _as_sqlalchemy(dialect: Dialect, error: BaseException) -> BaseException:
    return DBAPIError.instance(
        None, None, cast("Exception", error), dialect.loaded_dbapi.Error, dialect=dialect
    )


class Prepared:
    """One statement, written out for each kind of database at its first use there."""

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._written: dict[str, _Written] = {}

    def run(self, driver: Driver, **values: object) -> list[Row]:
        """Execute; the rows it returns, by column name."""
        written = self._written.get(driver.dialect.name) or self._write(driver.dialect)
        for observe in observers:
            observe(written.sql)
        cursor = driver.connection.cursor()
        try:
            cursor.execute(written.sql, written.bound(values))
            return [written.row(row) for row in cursor.fetchall()] if written.names else []
        finally:
            cursor.close()

    def first(self, driver: Driver, **values: object) -> Row | None:
        """Execute; the first row, or None."""
        rows = self.run(driver, **values)
        return rows[0] if rows else None

    def _write(self, dialect: Dialect) -> _Written:
        written = self._written[dialect.name] = _Written(self._statement, dialect)
        return written


class _Written:
    """The text for one kind of database, and how values go in and come out."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        binds = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect)
            for name, bind in compiled.binds.items()
        }
        self._to_driver: dict[str, Callable[[Any], Any]] = {
            name: process for name, process in binds.items() if process is not None
        }
        self._constants = self._processed(
            {name: value for name, value in compiled.params.items() if value is not None}
        )
        columns = list(statement.exported_columns)
        self.names = tuple(column.name for column in columns)
        self._from_driver: tuple[tuple[int, Callable[[Any], Any]], ...] = tuple(
            (position, process)
            for position, column in enumerate(columns)
            if (process := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
        )

    def bound(self, values: dict[str, object]) -> dict[str, object] | tuple[object, ...]:
        """The values as the driver wants them, by position or by name."""
        named = {**self._constants, **self._processed(values)}
        return tuple(named[name] for name in self._order) if self._order else named

    def _processed(self, values: dict[str, object]) -> dict[str, object]:
        to_driver = self._to_driver
        return {
            name: to_driver[name](value) if name in to_driver else value for name, value in values.items()
        }

    def row(self, row: tuple[Any, ...]) -> Row:
        """A row of the driver's as Python values by column name."""
        values = list(row)
        for position, process in self._from_driver:
            values[position] = process(values[position])
        return dict(zip(self.names, values, strict=True))

"""Statements of hot paths: SQLAlchemy writes each once for a database, and its driver runs it.

Core spends more on preparing an execution and its result than SQLite on the work itself. Everything off the
token paths uses Core and the ORM as they are (docs/adr/0005).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

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


@dataclass(frozen=True, slots=True)
class _Autocommit:
    dialect: Dialect
    connection: Any


@contextmanager
def autocommitting(engine: Engine) -> Iterator[Driver]:
    """A pooled connection in autocommit: each statement, also a write, is one round trip.

    Errors come as SQLAlchemy's; a connection on which the driver failed is thrown away.
    """
    dialect = engine.dialect
    try:
        pooled = engine.raw_connection()
    except dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy(dialect, error) from error
    switched = dialect.name == "postgresql"
    driver: Any = pooled.driver_connection
    try:
        if switched:  # else psycopg sends BEGIN and COMMIT: two round trips more
            driver.autocommit = True
        yield _Autocommit(dialect, driver)
        driver.commit()  # costs nothing in autocommit, which SQLite's driver has by the engine's set-up
    except dialect.loaded_dbapi.Error as error:
        pooled.invalidate()
        switched = False
        raise _as_sqlalchemy(dialect, error) from error
    finally:
        if switched:
            driver.autocommit = False
        pooled.close()


def _as_sqlalchemy(dialect: Dialect, error: Exception) -> BaseException:
    return DBAPIError.instance(None, None, error, dialect.loaded_dbapi.Error, dialect=dialect)


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

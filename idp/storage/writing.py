"""A transaction of prepared statements: the writes of a sign-in, without the ORM's Session around them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError

from idp.prepared import Driver
from idp.storage.database import engines


@dataclass(frozen=True, slots=True)
class _Transaction:
    dialect: Dialect
    connection: Any


@contextmanager
def writing() -> Iterator[Driver]:
    """Commits when the block ends and rolls back when it raises, as ``transaction`` does.

    The driver's errors come as SQLAlchemy's, and their connection is thrown away.
    """
    engine = engines(current_app).writes
    dialect, pooled = engine.dialect, None
    try:
        pooled = engine.raw_connection()
        connection: Any = pooled.driver_connection
        if dialect.name == "sqlite":
            connection.execute("BEGIN IMMEDIATE").close()  # psycopg begins by itself
        yield _Transaction(dialect, connection)
        connection.commit()
    except dialect.loaded_dbapi.Error as error:
        if pooled is not None:
            pooled.invalidate()
        raise _as_sqlalchemy(dialect, error) from error
    finally:
        if pooled is not None:
            pooled.close()  # the pool rolls back what isn't committed


def _as_sqlalchemy(dialect: Dialect, error: Exception) -> BaseException:
    return DBAPIError.instance(None, None, error, dialect.loaded_dbapi.Error, dialect=dialect)

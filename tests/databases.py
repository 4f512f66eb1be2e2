"""A migrated, empty database for each test, on both backends, in milliseconds.

SQLite: the migrated file is copied.
PostgreSQL: one migrated database a session, its rows deleted before each test.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, create_engine

from idp.storage import migrate
from idp.storage.database import Engines
from tests.servers import PostgreSQL

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The installation a test runs on: ``sqlite``, the embedded one, or ``postgresql``, that and Redis."""
    return str(request.param)


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that has all tables and no rows."""
    if backend == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "idp.sqlite3")
        return f"sqlite:///{tmp_path / 'idp.sqlite3'}"
    postgresql, clean = request.getfixturevalue("postgresql_database")
    with postgresql.connect("idp") as connection:
        connection.execute(clean)
    return str(postgresql.url("idp"))


@pytest.fixture
def empty_database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without a single table, for tests of migrations."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = f"empty_{secrets.token_hex(4)}"
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield server.url(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the test's database, prepared as the application prepares its own."""
    engine = _engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that nobody writes to."""
    path = tmp_path_factory.mktemp("template") / "idp.sqlite3"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_database(postgresql: PostgreSQL) -> tuple[PostgreSQL, bytes]:
    """The server with a migrated database ``idp``, and the statements that empty it."""
    with postgresql.connect() as connection:
        connection.execute("CREATE DATABASE idp")
    _migrate(postgresql.url("idp"))
    with postgresql.connect("idp") as connection:
        return postgresql, _emptying(connection)


def _emptying(connection: psycopg.Connection[tuple[object, ...]]) -> bytes:
    """Deleting is far cheaper than TRUNCATE or a database made from a template; triggers and keys sleep."""
    tables = connection.execute(
        "SELECT format('DELETE FROM %I;', tablename) FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    sequences = connection.execute(
        "SELECT format('ALTER SEQUENCE %I RESTART;', sequencename) FROM pg_sequences"
        " WHERE schemaname = 'public'"
    )
    statements = "".join(str(row[0]) for cursor in (tables, sequences) for row in cursor)
    return f"SET lock_timeout = '5s'; SET session_replication_role = replica; {statements}".encode()


def _migrate(url: str) -> None:
    engine = _engine(url)
    migrate.upgrade(engine)
    engine.dispose()


def _engine(url: str) -> Engine:
    engine = create_engine(url)
    Engines.over(engine)
    return engine

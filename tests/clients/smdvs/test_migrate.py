"""Migrations: from nothing, again, at once, and exactly the tables that the code declares."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from clients.smdvs import migrate
from clients.smdvs.storage.database import Base, Database


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    database = Database(empty_database_url)
    yield database
    database.engine.dispose()


def test_the_migrations_make_the_declared_tables(database: Database) -> None:
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate.upgrade(database)
    migrate.upgrade(database)


def test_two_starters_at_once_both_succeed(empty_database_url: str) -> None:
    databases = [Database(empty_database_url) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate.upgrade, databases))
    for database in databases:
        database.engine.dispose()

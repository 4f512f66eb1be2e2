from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from idp.storage import migrate
from idp.storage.database import Base, Engines


def engine_of(url: str) -> Any:
    engine = create_engine(url)
    Engines.over(engine)
    return engine


def test_an_empty_database_is_brought_to_the_newest_schema(empty_database_url: str) -> None:
    engine = engine_of(empty_database_url)
    assert not migrate.is_current(engine)
    migrate.upgrade(engine)
    assert migrate.is_current(engine)
    assert set(Base.metadata.tables) <= set(inspect(engine).get_table_names())
    migrate.upgrade(engine)
    assert migrate.is_current(engine)
    engine.dispose()


def test_the_schema_is_that_of_the_rows(empty_database_url: str) -> None:
    engine = engine_of(empty_database_url)
    migrate.upgrade(engine)
    with engine.connect() as connection:
        options = {"compare_type": True, "include_object": _ours}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def _ours(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    return not (kind == "table" and name == "ephemeral")


def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    engines = [engine_of(empty_database_url) for _ in range(3)]
    barrier = Barrier(len(engines))

    def start(engine: Any) -> bool:
        barrier.wait()
        migrate.upgrade(engine)
        return migrate.is_current(engine)

    with ThreadPoolExecutor(len(engines)) as threads:
        assert list(threads.map(start, engines)) == [True, True, True]
    for engine in engines:
        engine.dispose()

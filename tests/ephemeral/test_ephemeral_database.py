from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, func, select, text

from idp import clock
from idp.ephemeral import EphemeralUnavailable
from idp.ephemeral.database import PURGE_BATCH, DatabaseEphemeral, metadata, table
from idp.storage.database import Engines

MINUTE = timedelta(minutes=1)
TTL = timedelta(seconds=1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path / 'ephemeral.sqlite3'}")
    Engines.over(made)
    metadata.create_all(made)
    yield made
    made.dispose()


def _rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_every_verb_is_one_statement(engine: Engine) -> None:
    ephemeral = DatabaseEphemeral(engine)
    statements: list[str] = []
    with engine.connect() as connection:  # the pool's only connection, which the verbs use next
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(statements.append)
    ephemeral.put("k", b"x", MINUTE)
    ephemeral.get("k")
    ephemeral.take("k")
    ephemeral.claim("k", MINUTE)
    ephemeral.drop("k")
    ephemeral.hit("h", MINUTE)
    words = [statement.split()[0] for statement in statements]
    assert words == ["INSERT", "SELECT", "DELETE", "INSERT", "DELETE", "INSERT"]


def test_purging_removes_what_has_expired_and_nothing_else(engine: Engine) -> None:
    ephemeral = DatabaseEphemeral(engine)
    for number in range(PURGE_BATCH + 3):
        ephemeral.claim(f"old:{number}", TTL)
    ephemeral.put("live", b"x", MINUTE)
    now = clock.now()
    assert ephemeral.purge(now) == 0
    assert ephemeral.purge(now + timedelta(seconds=30)) == PURGE_BATCH + 3
    assert _rows(engine) == 1
    assert ephemeral.get("live") == b"x"


def test_an_expired_claim_is_taken_over_without_purging(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ephemeral = DatabaseEphemeral(engine)
    started = clock.now()
    assert ephemeral.claim("k", TTL)
    assert ephemeral.hit("h", TTL).count == 1
    for later, free in ((TTL - timedelta(milliseconds=2), False), (TTL + timedelta(seconds=1), True)):
        monkeypatch.setattr(clock, "now", lambda later=later: started + later)
        assert ephemeral.claim("k", TTL) is free
        assert (ephemeral.hit("h", TTL).count == 1) is free
    assert _rows(engine) == 2


def test_a_database_that_cannot_answer_is_an_error_answer(engine: Engine) -> None:
    ephemeral = DatabaseEphemeral(engine)
    ephemeral.check()
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE ephemeral"))
    with pytest.raises(EphemeralUnavailable):
        ephemeral.check()
    with pytest.raises(EphemeralUnavailable):
        ephemeral.put("k", b"x", MINUTE)
    with pytest.raises(EphemeralUnavailable):
        ephemeral.hit("k", MINUTE)
    with pytest.raises(EphemeralUnavailable):
        ephemeral.purge(clock.now())


def test_a_verb_is_durable_on_an_engine_that_nobody_prepared(tmp_path: Path) -> None:
    made = create_engine(f"sqlite:///{tmp_path / 'plain.sqlite3'}")
    metadata.create_all(made)
    DatabaseEphemeral(made).put("k", b"x", MINUTE)
    made.dispose()
    assert DatabaseEphemeral(made).get("k") == b"x"
    made.dispose()


@pytest.mark.server
def test_on_postgresql_the_table_is_unlogged(request: pytest.FixtureRequest) -> None:
    made = create_engine(request.getfixturevalue("postgresql").url("postgres"))
    metadata.drop_all(made)
    metadata.create_all(made)
    with made.connect() as connection:
        kept = connection.scalar(text("SELECT relpersistence FROM pg_class WHERE relname = 'ephemeral'"))
    made.dispose()
    assert kept in {"u", b"u"}


@pytest.mark.server
def test_a_connection_that_broke_is_replaced(request: pytest.FixtureRequest) -> None:
    made = create_engine(request.getfixturevalue("postgresql").url("postgres"), pool_size=1, max_overflow=0)
    metadata.create_all(made)
    ephemeral = DatabaseEphemeral(made)
    ephemeral.put("k", b"x", MINUTE)
    with request.getfixturevalue("postgresql").connect() as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    with pytest.raises(EphemeralUnavailable):
        ephemeral.get("k")
    assert ephemeral.get("k") == b"x"
    made.dispose()


@pytest.mark.server
def test_other_users_of_the_pool_keep_their_transactions(request: pytest.FixtureRequest) -> None:
    made = create_engine(request.getfixturevalue("postgresql").url("postgres"), pool_size=1, max_overflow=0)
    metadata.create_all(made)
    ephemeral = DatabaseEphemeral(made)
    ephemeral.put("k", b"x", MINUTE)
    with made.connect() as connection:
        connection.execute(table.delete())
        connection.rollback()
    assert ephemeral.get("k") == b"x"
    made.dispose()

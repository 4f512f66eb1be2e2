"""What smdvs asks of its database before it says that something is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from clients.smdvs.storage.database import Database

NORMAL, FULL = 1, 2


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'smdvs.sqlite3'}")
    yield opened
    opened.engine.dispose()


def level(database: Database, *, durable: bool) -> int:
    with database.transaction(durable=durable) as session:
        found: int = session.execute(text("PRAGMA synchronous")).scalar_one()
        return found


def test_a_commit_waits_for_the_disk_unless_it_may_be_lost(database: Database) -> None:
    assert [level(database, durable=durable) for durable in (True, False, True)] == [FULL, NORMAL, FULL]


def test_what_may_be_lost_is_kept_all_the_same(database: Database) -> None:
    with database.transaction(durable=False) as session:
        session.execute(text("CREATE TABLE t (n INTEGER)"))
        session.execute(text("INSERT INTO t VALUES (1)"))
    with database.reading() as session:
        assert session.execute(text("SELECT n FROM t")).scalar_one() == 1

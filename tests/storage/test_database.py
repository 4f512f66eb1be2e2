from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from idp.storage import database
from idp.storage.database import Engines

AT_ONCE = 6
ROUNDS = 25


def opened(url: str) -> str:
    """Connect as the platform does; the journal's mode."""
    engine = create_engine(url)
    Engines.over(engine)
    with engine.connect() as connection:
        mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())
    engine.dispose()
    return mode


def test_processes_that_open_a_new_file_together_are_all_let_in(tmp_path: Path) -> None:
    """Once in a few hundred openings SQLite refuses one of them at once."""
    for number in range(ROUNDS):
        barrier = Barrier(AT_ONCE)
        url = f"sqlite:///{tmp_path / str(number)}.sqlite3"

        def let_in(_: int, url: str = url, barrier: Barrier = barrier) -> str:
            barrier.wait()
            return opened(url)

        with ThreadPoolExecutor(AT_ONCE) as threads:
            assert set(threads.map(let_in, range(AT_ONCE))) == {"wal"}


def test_a_file_that_stays_locked_is_an_error_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "SQLITE_BUSY_MS", 50)
    url = f"sqlite:///{tmp_path / 'locked.sqlite3'}"
    holder = create_engine(url)
    with holder.connect() as connection:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        with pytest.raises(OperationalError):
            opened(url)
    holder.dispose()

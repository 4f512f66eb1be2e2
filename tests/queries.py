"""Counting SQL statements, so that a query too many is seen where it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from sqlalchemy import Engine, event

from idp import prepared

NOT_COUNTED = ("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK")


class _Recorder:
    """Sees every statement of every engine of this process."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        event.listen(Engine, "before_cursor_execute", self._record)
        prepared.observers.append(self._observe)

    def _observe(self, statement: str) -> None:
        if "ephemeral" not in statement:  # short-lived state is Redis's where queries count
            self.statements.append(statement)

    def _record(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.upper().startswith(NOT_COUNTED):
            self.statements.append(statement)


_recorder = _Recorder()

AssertQueries = Callable[[int], AbstractContextManager[list[str]]]


@pytest.fixture
def assert_queries() -> AssertQueries:
    """``with assert_queries(2): ...`` fails unless the block executes exactly two statements; yields them."""
    return _exactly


@contextmanager
def _exactly(count: int) -> Iterator[list[str]]:
    executed: list[str] = []
    _recorder.statements = executed
    yield executed
    if len(executed) != count:
        listing = "\n".join(f"  {number}. {text}" for number, text in enumerate(executed, 1))
        pytest.fail(f"{count} statements allowed, {len(executed)} executed:\n{listing}")

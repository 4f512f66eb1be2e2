"""A platform without web or protocol: what the use cases need, on both backends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any, TypeVar

import pytest
from flask import Flask, current_app

from idp import clock
from idp.config import Settings
from idp.crypto import PasswordHasher
from idp.ephemeral import Ephemeral
from idp.ephemeral.database import DatabaseEphemeral
from idp.ephemeral.redis import RedisEphemeral
from idp.keyring import Keyring
from idp.outbound import Outbound
from idp.services.platform import Platform
from idp.storage import database

T = TypeVar("T")


class Reviewers:
    """A registry that knows nobody: a reviewer has to decide."""

    def matches(self, subject_type: str, submission: Mapping[str, str]) -> bool | None:
        """Never known."""
        return None

    def standing(self, facts: Mapping[str, str]) -> str | None:
        """Never known."""
        return None


@pytest.fixture
def make_platform(settings: Callable[..., Settings]) -> Iterator[Callable[..., Platform]]:
    """``make_platform(throttle=False)``: a platform with changed settings, its application context pushed."""
    with ExitStack() as open_things:

        def make(**changes: Any) -> Platform:
            return _platform(settings(**changes), open_things)

        yield make


def _platform(settings: Settings, open_things: ExitStack) -> Platform:
    app = Flask(__name__)
    database.init_app(app, settings.database_url)
    open_things.callback(database.engines(app).dispose)
    open_things.enter_context(app.app_context())
    return Platform(
        settings=settings,
        keyring=Keyring.open(settings.keys_dir),
        ephemeral=_ephemeral(settings, open_things),
        passwords=PasswordHasher(max_parallel=2),
        registry=Reviewers(),
        outbound=Outbound(plain_http=True),
    )


def _ephemeral(settings: Settings, open_things: ExitStack) -> Ephemeral:
    if settings.redis_url is None:
        return DatabaseEphemeral(database.db.engine)
    store = RedisEphemeral(settings.redis_url)
    open_things.callback(store.close)
    return store


@pytest.fixture
def platform(make_platform: Callable[..., Platform]) -> Platform:
    """A development platform; the test runs in its application context."""
    return make_platform()


@pytest.fixture
def database_store(platform: Platform, moving_clock: MovableClock) -> Platform:
    """Short-lived state in the database on both backends, so that its time is the movable clock's."""
    return replace(platform, ephemeral=DatabaseEphemeral(database.db.engine))


@dataclass
class MovableClock:
    """The time of the program, in the hands of a test."""

    moment: datetime

    def now(self) -> datetime:
        """What the program reads."""
        return self.moment

    def advance(self, **span: float) -> None:
        """``advance(minutes=15)``."""
        self.moment += timedelta(**span)


@pytest.fixture
def moving_clock(monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    """A clock that stands until it is told to move. Redis keeps its own time."""
    movable = MovableClock(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    monkeypatch.setattr(clock, "now", movable.now)
    return movable


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run all in parallel, each in a thread with an application context, from one starting shot."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        with app.app_context():
            barrier.wait()
            return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))

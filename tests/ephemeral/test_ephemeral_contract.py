"""What both implementations of ``Ephemeral`` promise."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from idp.ephemeral import Ephemeral, milliseconds, stored_name
from idp.ephemeral.database import DatabaseEphemeral, metadata
from idp.ephemeral.redis import RedisEphemeral
from idp.storage.database import Engines

MINUTE = timedelta(minutes=1)
SHORT = timedelta(milliseconds=30)
AFTER_SHORT = 0.05  # nothing is asserted before that: on a busy machine it may be over at once
ROUNDS = 20


@dataclass(frozen=True)
class Store:
    """How to reach a store, from this process or another."""

    kind: str
    url: str

    @contextmanager
    def opened(self) -> Iterator[Ephemeral]:
        if self.kind == "redis":
            redis = RedisEphemeral(self.url)
            yield redis
            redis.close()
            return
        engine = create_engine(self.url)
        Engines.over(engine)
        metadata.create_all(engine)
        yield DatabaseEphemeral(engine)
        engine.dispose()


@pytest.fixture(
    params=[
        pytest.param("redis", marks=pytest.mark.server),
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.server),
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "redis":
        return Store("redis", request.getfixturevalue("redis_url"))
    if request.param == "sqlite":
        return Store("sqlite", f"sqlite:///{tmp_path / 'ephemeral.sqlite3'}")
    server = request.getfixturevalue("postgresql")
    engine = create_engine(server.url("postgres"))
    metadata.drop_all(engine)
    engine.dispose()
    return Store("postgresql", server.url("postgres"))


@pytest.fixture
def ephemeral(store: Store) -> Iterator[Ephemeral]:
    with store.opened() as opened:
        yield opened


def test_what_was_put_is_there(ephemeral: Ephemeral) -> None:
    ephemeral.put("code:a", b"value", MINUTE)
    assert ephemeral.get("code:a") == b"value"
    assert ephemeral.get("code:a") == b"value"
    assert ephemeral.get("code:b") is None


@pytest.mark.parametrize("value", [b"", b"\x00\xff" * 3, "你好".encode(), bytes(range(256)) * 400])
def test_a_value_is_any_octets(ephemeral: Ephemeral, value: bytes) -> None:
    ephemeral.put("v", value, MINUTE)
    found = ephemeral.get("v")
    assert type(found) is bytes
    assert found == value
    assert ephemeral.take("v") == value


@pytest.mark.parametrize("key", ["", " ", "k" * 5000, "jti:\x00", "jti:\ud800", "你", "a\nb", "#a", "a'; --"])
def test_a_key_is_any_text(ephemeral: Ephemeral, key: str) -> None:
    ephemeral.put(key, b"1", MINUTE)
    ephemeral.put(key + "x", b"2", MINUTE)
    assert ephemeral.get(key) == b"1"
    ephemeral.drop(key)
    assert ephemeral.get(key) is None
    assert ephemeral.claim(key, MINUTE)
    assert not ephemeral.claim(key, MINUTE)


def test_putting_again_replaces_value_and_time(ephemeral: Ephemeral) -> None:
    ephemeral.put("k", b"old", SHORT)
    ephemeral.put("k", b"new", MINUTE)
    time.sleep(AFTER_SHORT)
    assert ephemeral.get("k") == b"new"
    ephemeral.put("k", b"newest", SHORT)
    time.sleep(AFTER_SHORT)
    assert ephemeral.get("k") is None


def test_a_value_expires(ephemeral: Ephemeral) -> None:
    ephemeral.put("read", b"x", SHORT)
    ephemeral.put("taken", b"x", SHORT)
    time.sleep(AFTER_SHORT)
    assert ephemeral.get("read") is None
    assert ephemeral.take("taken") is None


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(seconds=-1)])
def test_a_time_that_is_not_positive_keeps_nothing(ephemeral: Ephemeral, ttl: timedelta) -> None:
    ephemeral.put("k", b"old", MINUTE)
    ephemeral.put("k", b"x", ttl)
    assert ephemeral.get("k") is None
    assert ephemeral.claim("c", ttl)


def test_a_value_is_taken_once(ephemeral: Ephemeral) -> None:
    ephemeral.put("k", b"x", MINUTE)
    assert ephemeral.take("k") == b"x"
    assert ephemeral.take("k") is None
    assert ephemeral.get("k") is None


def test_a_key_is_claimed_once_until_it_expires_or_is_dropped(ephemeral: Ephemeral) -> None:
    assert ephemeral.claim("k", SHORT)
    time.sleep(AFTER_SHORT)
    assert ephemeral.claim("k", MINUTE)
    assert not ephemeral.claim("k", SHORT)
    time.sleep(AFTER_SHORT)
    assert not ephemeral.claim("k", MINUTE)
    ephemeral.drop("k")
    assert ephemeral.claim("k", MINUTE)


def test_a_claim_fails_on_a_key_that_holds_a_value(ephemeral: Ephemeral) -> None:
    ephemeral.put("k", b"x", MINUTE)
    assert not ephemeral.claim("k", MINUTE)
    assert ephemeral.get("k") == b"x"


def test_hits_count_in_a_window_that_begins_with_the_first(ephemeral: Ephemeral) -> None:
    first = ephemeral.hit("k", MINUTE)
    time.sleep(0.02)
    second = ephemeral.hit("k", SHORT)
    assert (first.count, second.count) == (1, 2)
    assert first.resets_in == MINUTE
    assert MINUTE / 2 < second.resets_in <= MINUTE - timedelta(milliseconds=15)


def test_a_new_window_begins_with_the_first_hit_after_the_old_one(ephemeral: Ephemeral) -> None:
    ephemeral.hit("k", SHORT)
    time.sleep(AFTER_SHORT)
    again = ephemeral.hit("k", MINUTE)
    assert (again.count, again.resets_in) == (1, MINUTE)


def test_a_dropped_count_begins_anew(ephemeral: Ephemeral) -> None:
    ephemeral.hit("k", MINUTE)
    ephemeral.drop("k")
    assert ephemeral.hit("k", MINUTE).count == 1


def test_what_was_never_there_can_be_dropped(ephemeral: Ephemeral) -> None:
    ephemeral.drop("nothing")
    assert ephemeral.get("nothing") is None


def _take(ephemeral: Ephemeral, key: str) -> bool:
    return ephemeral.take(key) is not None


def _claim(ephemeral: Ephemeral, key: str) -> bool:
    return ephemeral.claim(key, MINUTE)


def _hit(ephemeral: Ephemeral, key: str) -> int:
    return ephemeral.hit(key, MINUTE).count


def _each_round(store: Store, verb: Callable[[Ephemeral, str], Any]) -> list[Any]:
    with store.opened() as ephemeral:
        return [verb(ephemeral, f"round:{number}") for number in range(ROUNDS)]


def _race(executor: Executor, store: Store, verb: Callable[[Ephemeral, str], Any]) -> list[list[Any]]:
    """What each of four racers got in each round."""
    racers = [executor.submit(_each_round, store, verb) for _ in range(4)]
    return [list(results) for results in zip(*(racer.result() for racer in racers), strict=True)]


@pytest.fixture(params=["threads", "processes"])
def executor(request: pytest.FixtureRequest, ephemeral: Ephemeral) -> Iterator[Executor]:
    if request.param == "threads":
        with ThreadPoolExecutor(4) as threads:
            yield threads
    else:
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
            yield processes


def test_of_several_takers_one_gets_the_value(executor: Executor, store: Store, ephemeral: Ephemeral) -> None:
    for number in range(ROUNDS):
        ephemeral.put(f"round:{number}", b"x", MINUTE)
    assert [sum(results) for results in _race(executor, store, _take)] == [1] * ROUNDS


def test_of_several_claimants_one_wins(executor: Executor, store: Store) -> None:
    assert [sum(results) for results in _race(executor, store, _claim)] == [1] * ROUNDS


def test_no_hit_is_lost_or_counted_twice(executor: Executor, store: Store) -> None:
    assert [sorted(results) for results in _race(executor, store, _hit)] == [[1, 2, 3, 4]] * ROUNDS


@pytest.mark.parametrize(
    ("ttl", "expected"),
    [
        (timedelta(0), 0),
        (timedelta(microseconds=1), 1),
        (timedelta(milliseconds=1), 1),
        (timedelta(microseconds=1001), 2),
        (timedelta(days=1), 86_400_000),
        (timedelta(microseconds=-1), 0),
        (timedelta(milliseconds=-2), -2),
    ],
)
def test_times_are_rounded_up_to_milliseconds(ttl: timedelta, expected: int) -> None:
    assert milliseconds(ttl) == expected


def test_only_unusual_keys_are_stored_by_their_hash() -> None:
    assert stored_name("code:" + "x" * 195) == "code:" + "x" * 195
    unusual = ["x" * 201, "x" * 202, "a\x00", "a\x00b", "你", "#x", "\ud800"]
    names = {stored_name(key) for key in unusual}
    assert len(names) == len(unusual)
    assert all(name.startswith("#") and len(name) == 65 for name in names)
    assert stored_name(stored_name("你")) != stored_name("你")


def test_a_hit_may_count_for_several(ephemeral: Ephemeral) -> None:
    assert ephemeral.hit("bytes:a", MINUTE, 40).count == 40
    assert ephemeral.hit("bytes:a", MINUTE).count == 41
    again = ephemeral.hit("bytes:a", MINUTE, 9)
    assert again.count == 50
    assert timedelta(0) < again.resets_in <= MINUTE
    assert ephemeral.hit("bytes:b", SHORT, 5).count == 5
    time.sleep(AFTER_SHORT)
    assert ephemeral.hit("bytes:b", MINUTE, 3).count == 3

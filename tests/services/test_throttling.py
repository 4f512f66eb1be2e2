from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from idp.domain.throttling import Limit
from idp.ephemeral import EphemeralUnavailable
from idp.services import throttling
from idp.services.platform import Platform
from tests.services.conftest import at_once
from tests.services.people import LostStore, WatchedStore

OF_ACCOUNT = Limit("thing", ("account",), 3, timedelta(minutes=10), "too_many_attempts", "reason")
OF_PAIR = Limit("thing", ("phone", "address"), 2, timedelta(minutes=10), "too_many_attempts")


def refused(platform: Platform, limit: Limit, *whom: str, amount: int = 1) -> bool:
    return throttling.admit(platform, limit, *whom, amount=amount) is not None


def test_beyond_a_limit_the_refusal_names_field_and_time(platform: Platform) -> None:
    assert [refused(platform, OF_ACCOUNT, "a") for _ in range(3)] == [False] * 3
    refusal = throttling.admit(platform, OF_ACCOUNT, "a")
    assert refusal is not None
    assert (refusal.code, refusal.problems[0].field) == ("too_many_attempts", "reason")
    assert 590 <= (refusal.retry_after or 0) <= 600
    assert not refused(platform, OF_ACCOUNT, "b")


def test_of_many_at_once_exactly_so_many_pass(platform: Platform) -> None:
    answers = at_once([lambda: refused(platform, OF_ACCOUNT, "a")] * 8)
    assert answers.count(False) == 3


def test_amounts_add_up(platform: Platform) -> None:
    assert not refused(platform, OF_ACCOUNT, "a", amount=2)
    assert not refused(platform, OF_ACCOUNT, "a", amount=1)
    assert refused(platform, OF_ACCOUNT, "a", amount=1)
    assert refused(platform, OF_ACCOUNT, "b", amount=4)


def test_after_a_success_it_may_begin_anew(platform: Platform) -> None:
    assert [refused(platform, OF_ACCOUNT, "a") for _ in range(4)] == [False, False, False, True]
    throttling.forget(platform, OF_ACCOUNT, "a")
    assert not refused(platform, OF_ACCOUNT, "a")


def test_a_pair_is_a_pair(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform(env="production")
    assert [refused(platform, OF_PAIR, "p", "192.0.2.1") for _ in range(3)] == [False, False, True]
    assert not refused(platform, OF_PAIR, "p", "192.0.2.2")
    assert not refused(platform, OF_PAIR, "q", "192.0.2.1")
    with pytest.raises(ValueError, match="zip"):
        throttling.admit(platform, OF_PAIR, "p")


def test_development_counts_no_addresses(platform: Platform) -> None:
    assert not any(refused(platform, OF_PAIR, "p", "192.0.2.1") for _ in range(5))


def test_without_throttle_nothing_is_counted(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform(throttle=False)
    assert not any(refused(platform, OF_ACCOUNT, "a") for _ in range(5))
    throttling.forget(replace(platform, ephemeral=LostStore()), OF_ACCOUNT, "a")


def test_when_the_store_is_away_nobody_is_let_through(platform: Platform) -> None:
    with pytest.raises(EphemeralUnavailable):
        throttling.admit(replace(platform, ephemeral=LostStore()), OF_ACCOUNT, "a")


def test_the_store_holds_nothing_of_whom_is_counted(platform: Platform) -> None:
    keys: list[str] = []

    class Listening(WatchedStore):
        def _note(self, verb: str, key: str) -> None:
            keys.append(key)

    listening = replace(platform, ephemeral=Listening(platform.ephemeral))
    throttling.admit(listening, OF_ACCOUNT, "19900000001")
    assert keys[0].startswith("limit:thing:account:")
    assert "19900000001" not in keys[0]

from __future__ import annotations

from datetime import timedelta

from idp.domain import throttling
from idp.domain.errors import Problem, Refusal


def test_every_limit_is_listed_and_counts_on_its_own() -> None:
    defined = [limit for limit in vars(throttling).values() if isinstance(limit, throttling.Limit)]
    assert set(defined) == set(throttling.LIMITS)
    assert len({(limit.name, limit.counted) for limit in defined}) == len(defined)


def test_every_limit_allows_something_for_no_longer_than_a_day() -> None:
    for limit in throttling.LIMITS:
        assert limit.most > 0
        assert timedelta(0) < limit.within <= throttling.DAY
        assert set(limit.counted) <= {"account", "phone", "address"}


def test_limits_of_an_address_are_told_apart() -> None:
    assert throttling.RECOVERIES_OF_PAIR.of_an_address
    assert not throttling.RECOVERIES_OF_ACCOUNT.of_an_address


def test_the_longest_wait_of_a_refusal_counts() -> None:
    assert Problem("login_locked", None, {"minutes": 15}).retry_after == 900
    assert Problem("sms_too_soon", None, {"seconds": 40}).retry_after == 40
    assert Problem("too_long", None, {"limit": 5}).retry_after is None
    both = Refusal((Problem("a", None, {"seconds": 5}), Problem("b"), Problem("c", None, {"minutes": 1})))
    assert both.retry_after == 60
    assert Refusal.of("required", "phone").retry_after is None

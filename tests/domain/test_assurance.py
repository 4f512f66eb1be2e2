from __future__ import annotations

from datetime import UTC, datetime

import pytest

from idp.domain import assurance
from idp.domain.clients import ACR_VALUES

PASSWORD, KEY = ACR_VALUES


@pytest.mark.parametrize(
    ("reached", "wanted", "enough"),
    [
        (PASSWORD, PASSWORD, True),
        (KEY, PASSWORD, True),
        (KEY, KEY, True),
        (PASSWORD, KEY, False),
        (PASSWORD, "urn:unknown", False),
        ("urn:unknown", PASSWORD, False),
    ],
)
def test_a_stronger_sign_in_is_enough_for_a_weaker_wish(reached: str, wanted: str, enough: bool) -> None:
    assert assurance.satisfies(reached, wanted) is enough


def test_one_of_the_asked_values_is_enough() -> None:
    assert assurance.is_met(PASSWORD, ["urn:unknown", KEY, PASSWORD])
    assert not assurance.is_met(PASSWORD, ["urn:unknown", KEY])
    assert not assurance.is_met(PASSWORD, [])


def test_what_the_sign_in_page_can_reach_is_known() -> None:
    assert assurance.is_reachable([PASSWORD])
    assert not assurance.is_reachable(["urn:unknown"])


@pytest.mark.checklist(73)
@pytest.mark.parametrize(
    ("reached", "asked", "told"),
    [
        (PASSWORD, (), PASSWORD),
        (PASSWORD, (PASSWORD,), PASSWORD),
        (PASSWORD, (KEY, PASSWORD), PASSWORD),
        (PASSWORD, (KEY,), PASSWORD),
        (KEY, (PASSWORD,), PASSWORD),
        (KEY, (PASSWORD, KEY), KEY),
        (KEY, (), KEY),
    ],
)
def test_the_value_told_is_one_of_those_asked_if_one_is_met(
    reached: str, asked: tuple[str, ...], told: str
) -> None:
    assert assurance.reported(reached, asked) == told


@pytest.mark.parametrize(("age", "recent"), [(0, True), (599, True), (600, False), (86400, False)])
def test_both_factors_are_recent_for_ten_minutes(age: int, recent: bool) -> None:
    now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    assert assurance.is_recent(int(now.timestamp()) - age, now) is recent


@pytest.mark.parametrize(
    ("asked", "strong"),
    [
        ((), False),
        (("x",), False),
        ((PASSWORD,), False),
        ((KEY, PASSWORD), False),
        ((KEY,), True),
        ((KEY, "x"), True),
    ],
)
def test_a_request_that_nothing_less_meets_asks_for_a_strong_sign_in(
    asked: tuple[str, ...], strong: bool
) -> None:
    assert assurance.is_strong(asked) is strong

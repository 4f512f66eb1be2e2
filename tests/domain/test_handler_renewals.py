from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from idp.domain.errors import Refusal
from idp.domain.handler_renewals import ends_soon, refuse, reminder_due, renew
from idp.domain.handler_terms import Terms
from idp.domain.handlers import Standing, Status

NOW: Final = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MATTERS: Final = ("nev-accident-report",)
YEAR: Final = timedelta(days=365)


def standing(days_left: float | None, status: Status = Status.APPROVED) -> Standing:
    until = None if days_left is None else NOW + timedelta(days=days_left)
    return Standing(status, valid_until=until, valid_from=NOW - YEAR, matters=MATTERS)


@pytest.mark.parametrize(
    ("current", "soon"),
    [
        (standing(31), False),
        (standing(30), True),
        (standing(0.1), True),
        (standing(0), False),
        (standing(None), False),
        (standing(5, Status.PENDING), False),
        (standing(5, Status.SUSPENDED), False),
    ],
)
def test_what_is_in_force_ends_soon_in_its_last_thirty_days(current: Standing, soon: bool) -> None:
    assert ends_soon(current, NOW) is soon


@pytest.mark.parametrize(
    ("current", "until", "expected"),
    [
        (standing(10), NOW + YEAR, None),
        (standing(10), None, None),
        (standing(10), NOW + timedelta(days=10), "renewal_not_longer"),
        (standing(10), NOW + timedelta(days=9), "renewal_not_longer"),
        (standing(None), NOW + YEAR, "renewal_not_longer"),
        (standing(0), NOW + YEAR, "handler_not_approved"),
        (standing(10, Status.SUSPENDED), NOW + YEAR, "handler_not_approved"),
        (standing(10, Status.REVOKED), NOW + YEAR, "handler_not_approved"),
    ],
)
def test_a_renewal_makes_what_is_in_force_longer(
    current: Standing, until: datetime | None, expected: str | None
) -> None:
    refusal = refuse(current, Terms(MATTERS, until), NOW)
    assert (refusal and refusal.code) == expected


def test_a_renewal_takes_over_in_place() -> None:
    terms = Terms(("vehicle-product-access",), NOW + YEAR)
    assert renew(standing(10), terms, NOW) == replace(
        standing(10), matters=terms.matters, valid_until=terms.valid_until
    )


@pytest.mark.parametrize(
    ("current", "until", "expected"),
    [
        (standing(0), NOW + YEAR, "handler_not_approved"),
        (standing(10, Status.REVOKED), NOW + YEAR, "handler_not_approved"),
        (standing(10), NOW, "valid_until_past"),
    ],
)
def test_what_has_ended_meanwhile_is_not_renewed(current: Standing, until: datetime, expected: str) -> None:
    result = renew(current, Terms(MATTERS, until), NOW)
    assert isinstance(result, Refusal)
    assert result.code == expected


@pytest.mark.parametrize(
    ("days_left", "kinds"),
    [(31, []), (30, ["ends_in_30"]), (7.5, ["ends_in_30"]), (7, ["ends_in_7"]), (1, ["ends_in_7"]), (0, [])],
)
def test_each_reminder_has_its_time(days_left: float, kinds: list[str]) -> None:
    due = [kind for kind in ("ends_in_30", "ends_in_7") if reminder_due(standing(days_left), kind, NOW)]
    assert due == kinds


def test_what_was_given_for_a_short_time_is_reminded_of_once() -> None:
    short = replace(standing(10), valid_from=NOW)
    assert not reminder_due(short, "ends_in_30", NOW)
    assert reminder_due(replace(short, valid_until=NOW + timedelta(days=7)), "ends_in_7", NOW)


@pytest.mark.parametrize(
    "current",
    [standing(None), standing(5, Status.SUSPENDED), replace(standing(5), valid_from=None)],
)
def test_nothing_else_is_reminded_of(current: Standing) -> None:
    assert not reminder_due(current, "ends_in_7", NOW)

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from idp.domain.errors import Refusal
from idp.domain.handler_terms import Terms, read

NOW: Final = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
REPORT: Final = "nev-accident-report"
ACCESS: Final = "vehicle-product-access"
ASKED: Final = Terms((REPORT,), NOW + timedelta(days=30))


def test_what_is_not_said_stays_as_it_was_asked_for() -> None:
    assert read(None, None, NOW, ASKED) == ASKED


@pytest.mark.parametrize(
    ("matters", "valid_until", "expected"),
    [
        ((ACCESS, REPORT), None, Terms((REPORT, ACCESS), ASKED.valid_until)),
        (None, "2026-12-31", Terms((REPORT,), datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC))),
        (None, "", Terms((REPORT,), None)),
        ((ACCESS,), "2029-11-23", Terms((ACCESS,), datetime(2029, 11, 23, 15, 59, 59, tzinfo=UTC))),
    ],
)
def test_matters_and_end_may_each_be_others(
    matters: tuple[str, ...] | None, valid_until: str | None, expected: Terms
) -> None:
    assert read(matters, valid_until, NOW, ASKED) == expected


@pytest.mark.parametrize(
    ("matters", "valid_until", "expected"),
    [
        ((), None, ("required", "matters")),
        (("anything",), None, ("matter_unknown", "matters")),
        ((REPORT,), "2026-11-22", ("valid_until_past", "valid_until")),
        ((REPORT,), "2029-11-24", ("valid_until_too_far", "valid_until")),
        ((REPORT,), "soon", ("date_invalid", "valid_until")),
    ],
)
def test_each_wrong_field_has_its_problem(
    matters: tuple[str, ...], valid_until: str | None, expected: tuple[str, str]
) -> None:
    result = read(matters, valid_until, NOW, ASKED)
    assert isinstance(result, Refusal)
    assert [(problem.code, problem.field) for problem in result.problems] == [expected]


def test_without_anything_to_keep_all_has_to_be_said() -> None:
    result = read(None, None, NOW)
    assert isinstance(result, Refusal)
    assert result.code == "required"


@pytest.mark.parametrize(
    ("terms", "less"),
    [
        (ASKED, False),
        (Terms((REPORT, ACCESS), None), False),
        (Terms((ACCESS,), None), True),
        (Terms((REPORT,), NOW), True),
    ],
)
def test_what_takes_away_is_told_from_what_gives(terms: Terms, less: bool) -> None:
    assert terms.takes_away(ASKED) is less


def test_an_end_takes_away_from_what_had_none() -> None:
    assert ASKED.takes_away(Terms((REPORT,), None))

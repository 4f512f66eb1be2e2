from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from idp.domain.dates import china_date, end_of_day, find_date, years_later


def test_the_day_changes_at_midnight_in_china() -> None:
    assert china_date(datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)) == date(2026, 11, 23)
    assert china_date(datetime(2026, 11, 23, 16, 0, 0, tzinfo=UTC)) == date(2026, 11, 24)


def test_a_day_ends_one_second_before_the_next_begins() -> None:
    end = end_of_day(date(2026, 11, 23))
    assert end == datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    assert china_date(end) == date(2026, 11, 23)
    assert china_date(end + timedelta(seconds=1)) == date(2026, 11, 24)


def test_a_day_is_read_as_browsers_send_it() -> None:
    assert find_date(" 2028-02-29 ") == date(2028, 2, 29)


@pytest.mark.parametrize(
    "text",
    ["2027-02-29", "2026-W47-1", "20261123", "2026-1-1", "２０２６-11-23", "0000-01-01", "tomorrow", ""],
)
def test_what_is_no_day_is_not_found(text: str) -> None:
    assert find_date(text) is None


def test_years_later_is_the_same_day_or_the_last_of_february() -> None:
    assert years_later(date(2026, 11, 23), 3) == date(2029, 11, 23)
    assert years_later(date(2028, 2, 29), 3) == date(2031, 2, 28)

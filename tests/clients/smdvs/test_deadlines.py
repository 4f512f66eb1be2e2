"""When reports are due, when they are late, and what a later version changes of that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.smdvs.deadlines import (
    Deadlines,
    Due,
    Measure,
    deadlines_of,
    measured,
    policy_of,
    remeasured,
)
from clients.smdvs.vocabulary import DeadlineClass

ACCIDENT = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
EIDC, SAMR = policy_of("eidc-2025"), policy_of("samr-2019")
HOUR, MOMENT = timedelta(hours=1), timedelta(microseconds=1)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(2016, 1, 1), datetime(2036, 1, 1), timezones=OFFSETS)  # noqa: DTZ001 # naive by the strategy's contract
POLICIES = st.sampled_from([EIDC, SAMR])
PEOPLE = st.integers(0, 99)


def ordinary(occurred_at: datetime = ACCIDENT) -> Deadlines:
    return deadlines_of(EIDC, occurred_at, 0, 0, False)


def severe(occurred_at: datetime = ACCIDENT) -> Deadlines:
    return deadlines_of(EIDC, occurred_at, 1, 0, False)


@pytest.mark.parametrize(
    ("policy", "deaths", "injured", "impact", "hours"),
    [
        (EIDC, 0, 0, False, 24),
        (EIDC, 0, 9, False, 24),
        (EIDC, 1, 0, False, 12),
        (EIDC, 0, 0, True, 12),
        (EIDC, 2, 1, True, 12),
        (SAMR, 0, 0, False, 12),
        (SAMR, 0, 1, False, 6),
        (SAMR, 1, 0, False, 6),
        (SAMR, 0, 0, True, 6),
    ],
)
def test_what_is_severe_halves_the_time(policy, deaths, injured, impact, hours) -> None:  # type: ignore[no-untyped-def] # a table of primitives
    due = deadlines_of(policy, ACCIDENT, deaths, injured, impact)
    assert due.initial_due_at == ACCIDENT + timedelta(hours=hours)
    assert due.detailed_due_at == ACCIDENT + timedelta(hours=policy.detailed_hours)
    assert (due.deadline_class is DeadlineClass.SEVERE) == (hours == policy.severe_hours)


@pytest.mark.parametrize("due", list(Due))
def test_the_last_moment_is_in_time_and_the_next_is_late(due: Due) -> None:
    deadlines = ordinary()
    assert not deadlines.missed_at(deadlines.due_at(due), due)
    assert deadlines.missed_at(deadlines.due_at(due) + MOMENT, due)


@given(POLICIES, MOMENTS, PEOPLE, PEOPLE, st.booleans())
def test_time_is_counted_in_hours_that_pass_wherever_the_accident_is_written_down(  # type: ignore[no-untyped-def] # drawn values
    policy, occurred_at, deaths, injured, impact
) -> None:
    due = deadlines_of(policy, occurred_at, deaths, injured, impact)
    same = deadlines_of(policy, occurred_at.astimezone(UTC), deaths, injured, impact)
    assert due == same
    passed = (due.initial_due_at.astimezone(UTC) - occurred_at.astimezone(UTC)) / HOUR
    assert passed == policy.initial_hours_of(due.deadline_class)
    assert due.initial_due_at <= due.detailed_due_at


@given(POLICIES, MOMENTS, PEOPLE, PEOPLE, st.booleans())
def test_more_harm_never_gives_more_time(policy, occurred_at, deaths, injured, impact) -> None:  # type: ignore[no-untyped-def] # drawn values
    less = deadlines_of(policy, occurred_at, deaths, injured, impact)
    more = deadlines_of(policy, occurred_at, deaths + 1, injured + 1, True)
    assert more.initial_due_at <= less.initial_due_at


@pytest.mark.parametrize(
    ("occurred_at", "due_at"),
    [
        ("2028-02-28T23:30+08:00", "2028-02-29T23:30+08:00"),
        ("2028-02-29T00:00+08:00", "2028-03-01T00:00+08:00"),
        ("2027-02-28T12:00+08:00", "2027-03-01T12:00+08:00"),
        ("2026-12-31T23:59+08:00", "2027-01-01T23:59+08:00"),
        # China has had no summer time since 1991: the days on which others change their clocks are like all.
        ("2026-03-29T01:30+08:00", "2026-03-30T01:30+08:00"),
        ("2026-10-25T01:30+08:00", "2026-10-26T01:30+08:00"),
    ],
)
def test_leap_days_and_turns_of_the_year_are_days_like_others(occurred_at: str, due_at: str) -> None:
    due = ordinary(datetime.fromisoformat(occurred_at))
    assert due.initial_due_at == datetime.fromisoformat(due_at)


def test_a_measure_takes_the_policy_by_name_and_by_version() -> None:
    for name in ("samr-2019", "samr-2019@1"):
        assert Measure(name).deadlines(ACCIDENT, 0, 0, False).policy is SAMR


def test_a_death_told_later_tightens_the_deadline_and_marks_nobody() -> None:
    standing = measured(ordinary(), ACCIDENT + 20 * HOUR)
    after = remeasured(standing, severe(), ACCIDENT + 30 * HOUR, detailed=False)
    assert not after.initial_overdue
    assert after.deadlines == severe()
    assert after.late_in_hindsight
    assert not standing.late_in_hindsight


def test_a_correction_takes_no_mark_away() -> None:
    standing = measured(severe(), ACCIDENT + 13 * HOUR)
    after = remeasured(standing, ordinary(), ACCIDENT + 14 * HOUR, detailed=False)
    assert after.initial_overdue
    assert not after.late_in_hindsight
    assert after.deadlines == ordinary()


def test_a_detailed_report_in_time_is_in_time() -> None:
    after = remeasured(measured(ordinary(), ACCIDENT), ordinary(), ACCIDENT + 120 * HOUR, detailed=True)
    assert not after.detailed_overdue
    assert not after.detailed_late_at(ACCIDENT + 999 * HOUR)


def test_a_detailed_report_does_not_argue_itself_into_time() -> None:
    later = ordinary(ACCIDENT + 48 * HOUR)
    after = remeasured(measured(ordinary(), ACCIDENT), later, ACCIDENT + 121 * HOUR, detailed=True)
    assert after.detailed_overdue


def test_a_detailed_report_is_late_by_what_it_says_itself() -> None:
    earlier = ordinary(ACCIDENT - 48 * HOUR)
    after = remeasured(measured(ordinary(), ACCIDENT), earlier, ACCIDENT + 100 * HOUR, detailed=True)
    assert after.detailed_overdue


@pytest.mark.parametrize("late", [False, True])
def test_only_the_first_detailed_report_is_measured(late: bool) -> None:
    received_at = ACCIDENT + (121 if late else 119) * HOUR
    first = remeasured(measured(ordinary(), ACCIDENT), ordinary(), received_at, detailed=True)
    second = remeasured(first, severe(), ACCIDENT + 500 * HOUR, detailed=True)
    assert first.detailed_overdue is second.detailed_overdue is late
    assert second.detailed_received_at == received_at
    assert second.deadlines == severe()


def test_a_detailed_report_that_never_came_is_late_by_the_clock() -> None:
    standing = measured(ordinary(), ACCIDENT)
    assert not standing.detailed_late_at(ACCIDENT + 120 * HOUR)
    assert standing.detailed_late_at(ACCIDENT + 120 * HOUR + MOMENT)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 200)), max_size=6))
def test_marks_are_never_taken_back(versions: list[tuple[bool, bool, int]]) -> None:
    standing = measured(ordinary(), ACCIDENT + 25 * HOUR)
    for is_severe, detailed, hours in versions:
        before, newest = standing, severe() if is_severe else ordinary()
        standing = remeasured(standing, newest, ACCIDENT + hours * HOUR, detailed=detailed)
        assert standing.initial_overdue
        assert standing.detailed_overdue >= before.detailed_overdue
        assert standing.deadlines == newest

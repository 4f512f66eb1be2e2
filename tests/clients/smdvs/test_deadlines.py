"""When an initial report is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clients.smdvs.deadlines import deadline
from clients.smdvs.vocabulary import DeadlineClass

ACCIDENT = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("deaths", "impact", "hours", "deadline_class"),
    [
        (0, False, 24, DeadlineClass.ORDINARY),
        (1, False, 12, DeadlineClass.SEVERE),
        (0, True, 12, DeadlineClass.SEVERE),
        (2, True, 12, DeadlineClass.SEVERE),
    ],
)
def test_a_death_or_public_alarm_halves_the_time(
    deaths: int, impact: bool, hours: int, deadline_class: DeadlineClass
) -> None:
    due = deadline(ACCIDENT, deaths, impact)
    assert due.deadline_class is deadline_class
    assert due.due_at == ACCIDENT + timedelta(hours=hours)


def test_the_last_moment_is_in_time_and_the_next_is_late() -> None:
    due = deadline(ACCIDENT, 0, False)
    assert not due.missed_at(due.due_at)
    assert due.missed_at(due.due_at + timedelta(microseconds=1))

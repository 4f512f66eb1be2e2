"""Which reminder is due when: each once, the latest only, none for what is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.smdvs import sms
from clients.smdvs.deadlines import deadlines_of, policy_of
from clients.smdvs.reminders import (
    AHEAD,
    STALE,
    WAITS_FOR_DETAILED,
    DraftFacts,
    ReportFacts,
    of_draft,
    of_report,
)
from clients.smdvs.vocabulary import Status

ACCIDENT = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DUE = ACCIDENT + 120 * HOUR
REPORT = ReportFacts(
    "SMDVS-20261123-0001",
    Status.INITIAL_SUBMITTED,
    1,
    ACCIDENT,
    ACCIDENT + 3 * HOUR,
    ACCIDENT + 3 * HOUR,
    DUE,
    None,
)
DRAFT = DraftFacts("draft-1", deadlines_of(policy_of("eidc-2025"), ACCIDENT, 0, 0, False))


def kind(facts: ReportFacts, now: datetime) -> str | None:
    reminder = of_report(facts, now)
    return None if reminder is None else reminder.kind


def draft_kind(now: datetime) -> str | None:
    reminder = of_draft(DRAFT, now)
    return None if reminder is None else reminder.kind


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (ACCIDENT + 4 * HOUR, None),
        (ACCIDENT + 59 * HOUR, None),
        (ACCIDENT + 60 * HOUR, "detailed_half"),
        (DUE - 24.01 * HOUR, "detailed_half"),
        (DUE - 24 * HOUR, "detailed_24h"),
        (DUE - 4.01 * HOUR, "detailed_24h"),
        (DUE - 4 * HOUR, "detailed_4h"),
        (DUE, "detailed_overdue"),
        (DUE + STALE - HOUR, "detailed_overdue"),
        (DUE + STALE, None),
    ],
)
def test_a_detailed_report_is_asked_for_half_way_a_day_and_four_hours_before_and_when_overdue(
    now: datetime, expected: str | None
) -> None:
    assert kind(REPORT, now) == expected


def test_the_text_says_which_report_and_until_when_in_china() -> None:
    reminder = of_report(REPORT, DUE - 4 * HOUR)
    assert reminder is not None
    assert reminder.dedupe_key == "report:SMDVS-20261123-0001:detailed_4h"
    text = sms.text(reminder.kind, reminder.parameters)
    assert "SMDVS-20261123-0001的详报将于11月28日09:30截止" in text


@pytest.mark.parametrize("status", [each for each in Status if each not in WAITS_FOR_DETAILED | {"returned"}])
@pytest.mark.parametrize("hours", [0, 60, 96, 116, 120, 130])
def test_what_is_submitted_closed_or_voided_is_left_in_peace(status: Status, hours: int) -> None:
    received = replace(REPORT, status=status, detailed_received_at=ACCIDENT + 10 * HOUR)
    assert kind(received, ACCIDENT + hours * HOUR) is None
    assert kind(replace(received, detailed_received_at=None), ACCIDENT + hours * HOUR) is None


def test_what_was_over_when_the_report_came_is_not_repeated() -> None:
    late = replace(REPORT, received_at=DUE - 10 * HOUR)
    assert kind(late, DUE - 9 * HOUR) is None
    assert kind(late, DUE - 4 * HOUR) == "detailed_4h"
    assert kind(replace(REPORT, received_at=DUE + HOUR), DUE + 2 * HOUR) == "detailed_overdue"


def test_where_half_way_is_a_day_before_one_message_says_both() -> None:
    samr = replace(REPORT, detailed_due_at=ACCIDENT + 48 * HOUR)
    assert kind(samr, ACCIDENT + 24 * HOUR) == "detailed_24h"


def test_each_return_is_told_of_once() -> None:
    returned = replace(REPORT, status=Status.RETURNED, version=4, updated_at=DUE)
    first, second = of_report(returned, DUE), of_report(replace(returned, version=7), DUE)
    assert first is not None
    assert second is not None
    assert first.kind == second.kind == "returned"
    assert first.dedupe_key != second.dedupe_key
    assert kind(returned, DUE + STALE) is None


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(19.9, None), (20, "draft_4h"), (23, "draft_1h"), (24, "draft_overdue"), (24 + 168, None)],
)
def test_a_draft_is_asked_for_four_hours_and_one_before_and_when_overdue(
    hours: float, expected: str | None
) -> None:
    assert draft_kind(ACCIDENT + hours * HOUR) == expected


def test_a_draft_has_a_key_of_its_own_and_nothing_of_its_content() -> None:
    reminder = of_draft(DRAFT, ACCIDENT + 20 * HOUR)
    assert reminder is not None
    assert reminder.dedupe_key == "draft:draft-1:draft_4h"
    assert set(reminder.parameters) == {"due"}


@given(st.lists(st.integers(0, 60 * 400), min_size=1, max_size=60))
def test_whenever_somebody_looks_each_reminder_comes_once_and_in_order(minutes: list[int]) -> None:
    keys: list[str] = []
    for minute in sorted(minutes):
        reminder = of_report(REPORT, ACCIDENT + timedelta(minutes=minute))
        if reminder is not None and reminder.dedupe_key not in keys:
            keys.append(reminder.dedupe_key)
    order = ["detailed_half", "detailed_24h", "detailed_4h", "detailed_overdue"]
    places = [order.index(key.rpartition(":")[2]) for key in keys]
    assert places == sorted(set(places))


@given(st.timedeltas(timedelta(days=-20), timedelta(days=20)))
def test_no_reminder_comes_outside_the_span_that_is_looked_at(since: timedelta) -> None:
    now = DUE + since
    if kind(REPORT, now) is not None:
        assert now - STALE <= DUE <= now + AHEAD

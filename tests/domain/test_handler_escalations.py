from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from idp.domain.errors import Refusal
from idp.domain.handler_escalations import (
    GROUNDS,
    LONGEST_VALIDITY,
    Grounds,
    read,
    read_decision,
    refuse,
    until,
)
from idp.domain.handlers import Standing, Status

NOW: Final = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("ground", GROUNDS)
def test_each_ground_needs_its_story(ground: str) -> None:
    assert read(ground, " 手机号已停用 ") == Grounds(ground, "手机号已停用")
    result = read(ground, "长" * 1001)
    assert isinstance(result, Refusal)
    assert result.code == "explanation_invalid"


def test_every_problem_is_told_at_once() -> None:
    result = read("nonsense", "")
    assert isinstance(result, Refusal)
    assert [(problem.code, problem.field) for problem in result.problems] == [
        ("choice_unknown", "ground"),
        ("required", "explanation"),
    ]


@pytest.mark.parametrize("status", Status)
def test_only_what_waits_for_the_enterprise_is_escalated(status: Status) -> None:
    refusal = refuse(Standing(status), NOW)
    assert (refusal is None) is (status in {Status.PENDING, Status.SUSPENDED})
    assert refuse(Standing(status, valid_until=NOW), NOW) is not None


@pytest.mark.parametrize(
    ("decision", "reason", "expected"),
    [
        ("approve", "", "required"),
        ("reject", " ", "required"),
        ("approve", "长" * 501, "too_long"),
        ("revoke", "理由", "decision_unknown"),
    ],
)
def test_no_decision_without_a_reason(decision: str, reason: str, expected: str) -> None:
    result = read_decision(decision, reason)
    assert isinstance(result, Refusal)
    assert result.code == expected


def test_a_reason_is_kept() -> None:
    assert read_decision("approve", " 已核对 ") == "已核对"


def test_what_a_reviewer_gives_does_not_last_long() -> None:
    latest = NOW + LONGEST_VALIDITY
    assert until(None, NOW) == latest
    assert until(latest + timedelta(days=1), NOW) == latest
    assert until(NOW + timedelta(days=1), NOW) == NOW + timedelta(days=1)

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from idp.domain.errors import Refusal
from idp.domain.real_name import Status, Verification, decide, refuse_submission, submit

BEFORE = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
UNVERIFIED = Verification()
PENDING = Verification(Status.PENDING, BEFORE)
VERIFIED = Verification(Status.VERIFIED, BEFORE)
REJECTED = Verification(Status.REJECTED, BEFORE, "看不清")


def code(result: object) -> str:
    assert isinstance(result, Refusal)
    return result.code


@pytest.mark.parametrize("current", [UNVERIFIED, REJECTED])
@pytest.mark.parametrize(
    ("matched", "manual", "expected"),
    [
        (True, False, Status.VERIFIED),
        (None, False, Status.PENDING),
        (None, True, Status.PENDING),
        (True, True, Status.PENDING),
        (False, True, Status.PENDING),
    ],
)
def test_a_match_authenticates_and_everything_else_waits_for_a_reviewer(
    current: Verification, matched: bool | None, manual: bool, expected: Status
) -> None:
    after = submit(current, matched=matched, manual=manual, now=NOW)
    assert after == Verification(expected, NOW, None)


@pytest.mark.parametrize("current", [UNVERIFIED, REJECTED])
def test_a_mismatch_is_refused(current: Verification) -> None:
    assert code(submit(current, matched=False, manual=False, now=NOW)) == "registry_mismatch"


@pytest.mark.parametrize(
    ("current", "expected"), [(VERIFIED, "already_verified"), (PENDING, "application_pending")]
)
@pytest.mark.parametrize("manual", [True, False])
def test_nobody_submits_while_pending_or_verified(current: Verification, expected: str, manual: bool) -> None:
    assert code(submit(current, matched=True, manual=manual, now=NOW)) == expected
    assert code(refuse_submission(current)) == expected


def test_the_unverified_and_the_rejected_may_submit() -> None:
    assert refuse_submission(UNVERIFIED) is None
    assert refuse_submission(REJECTED) is None


def test_an_approval_verifies() -> None:
    assert decide(PENDING, "approve", None, NOW) == replace(PENDING, status=Status.VERIFIED, changed_at=NOW)


def test_a_rejection_keeps_its_reason() -> None:
    assert decide(PENDING, "reject", " 看不清 ", NOW) == Verification(Status.REJECTED, NOW, "看不清")


@pytest.mark.parametrize(
    ("decision", "reason", "expected"),
    [
        ("reject", None, "required"),
        ("reject", " \n", "required"),
        ("reject", "长" * 501, "too_long"),
        ("forget", None, "decision_unknown"),
        ("", None, "decision_unknown"),
    ],
)
def test_a_decision_that_says_too_little_changes_nothing(
    decision: str, reason: str | None, expected: str
) -> None:
    assert code(decide(PENDING, decision, reason, NOW)) == expected


@pytest.mark.parametrize("current", [UNVERIFIED, VERIFIED, REJECTED])
@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_only_what_is_pending_is_decided(current: Verification, decision: str) -> None:
    assert code(decide(current, decision, "理由", NOW)) == "application_decided"

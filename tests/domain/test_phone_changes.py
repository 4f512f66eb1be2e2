from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp.domain import phone_changes as rules
from idp.domain.errors import Refusal
from idp.domain.phone_changes import Application

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
FORM = {
    "identifier": "li_shili",
    "real_name": " 李示例 ",
    "document_number": "99010119900101006x",
    "explanation": "手机遗失",
}


def problems(**changes: str) -> list[tuple[str | None, str]]:
    read = rules.read_application(FORM | changes)
    assert isinstance(read, Refusal)
    return [(problem.field, problem.code) for problem in read.problems]


def test_an_application_is_read_in_canonical_form() -> None:
    read = rules.read_application(FORM)
    assert read == Application("li_shili", "李示例", "99010119900101006X", "手机遗失")


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("identifier", " ", "required"),
        ("real_name", "9", "name_invalid"),
        ("document_number", "", "required"),
        ("document_number", "99-01", "document_number_invalid"),
        ("document_number", "证件", "document_number_invalid"),
        ("document_number", "9" * 31, "document_number_invalid"),
        ("explanation", "", "required"),
        ("explanation", "x", "explanation_invalid"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(field: str, typed: str, code: str) -> None:
    assert problems(**{field: typed}) == [(field, code)]


def test_every_problem_is_said_at_once() -> None:
    wrong = problems(identifier="", real_name="", document_number="", explanation="")
    assert [field for field, _ in wrong] == ["identifier", "real_name", "document_number", "explanation"]


def test_an_account_with_authority_has_a_day_to_object() -> None:
    assert rules.approvable_at(NOON, has_authority=False) == NOON
    day = rules.approvable_at(NOON, has_authority=True)
    assert day == NOON + timedelta(hours=24)
    early = rules.decide("pending", "approve", "", day, day - MOMENT)
    assert isinstance(early, Refusal)
    assert (early.code, early.problems[0].detail["seconds"]) == ("objection_period", 1)
    assert rules.decide("pending", "approve", "", day, day) == "approved"
    assert rules.decide("pending", "reject", "证件不清晰", day, NOON) == "rejected"


@pytest.mark.parametrize(
    ("status", "decision", "reason", "code"),
    [
        ("approved", "approve", "", "application_decided"),
        ("rejected", "approve", "", "application_decided"),
        ("withdrawn", "reject", "r", "application_decided"),
        ("pending", "", "", "decision_unknown"),
        ("pending", "reject", " ", "required"),
        ("pending", "reject", "x" * 501, "too_long"),
    ],
)
def test_a_decision_is_refused(status: str, decision: str, reason: str, code: str) -> None:
    outcome = rules.decide(status, decision, reason, NOON, NOON)
    assert isinstance(outcome, Refusal)
    assert outcome.code == code

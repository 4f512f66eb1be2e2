from __future__ import annotations

import pytest

from idp.domain.errors import Refusal
from idp.domain.handler_reasons import CHOICES, SUSPENSIONS, Reason, read
from idp.web.messages import handler_names


@pytest.mark.parametrize(
    ("decision", "code", "text", "expected"),
    [
        ("revoke", None, None, Reason("no_longer_handling")),
        ("revoke", "", " ", Reason("no_longer_handling")),
        ("refuse", None, None, Reason("not_agreed")),
        ("revoke", "left_enterprise", None, Reason("left_enterprise")),
        ("revoke", "left_enterprise", " 上月 ", Reason("left_enterprise", "上月")),
        ("refuse", None, "不认识", Reason("other", "不认识")),
        ("refuse", "other", "不认识", Reason("other", "不认识")),
    ],
)
def test_a_refusal_and_a_revocation_always_have_a_reason(
    decision: str, code: str | None, text: str | None, expected: Reason
) -> None:
    assert read(decision, code, text) == expected


@pytest.mark.parametrize("decision", ["approve", "forget", ""])
def test_other_decisions_need_none(decision: str) -> None:
    assert read(decision, "left_enterprise", "words") is None


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("not_employed", None, ("choice_unknown", "reason_code")),  # a reason for a refusal
        ("nothing", None, ("choice_unknown", "reason_code")),
        ("other", None, ("required", "reason")),
        ("other", " ", ("required", "reason")),
        ("left_enterprise", "长" * 501, ("too_long", "reason")),
    ],
)
def test_a_wrong_reason_has_its_problem(code: str, text: str | None, expected: tuple[str, str]) -> None:
    result = read("revoke", code, text)
    assert isinstance(result, Refusal)
    assert (result.code, result.problems[0].field) == expected


def test_every_reason_has_its_words() -> None:
    assert set(CHOICES["refuse"]) == handler_names.REFUSE_REASONS.keys()
    assert set(CHOICES["revoke"]) == handler_names.REVOKE_REASONS.keys()
    assert set(SUSPENSIONS) <= handler_names.HANDLER_REASONS.keys()

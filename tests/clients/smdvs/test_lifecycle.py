"""The life of a report: the whole table, written out."""

from __future__ import annotations

import itertools

import pytest

from clients.smdvs.lifecycle import CONTENT, NEEDS_REASON, Act, NotNow, Side, next_status, possible
from clients.smdvs.vocabulary import Status

ENTERPRISE, REGULATOR = Side.ENTERPRISE, Side.REGULATOR
# status, side, act -> status; everything that isn't here is impossible.
TABLE = {
    (None, ENTERPRISE, "initial"): "initial_submitted",
    ("initial_submitted", ENTERPRISE, "supplement"): "supplemented",
    ("initial_submitted", ENTERPRISE, "detailed"): "detailed_submitted",
    ("initial_submitted", ENTERPRISE, "void"): "voided",
    ("initial_submitted", REGULATOR, "void"): "voided",
    ("supplemented", ENTERPRISE, "supplement"): "supplemented",
    ("supplemented", ENTERPRISE, "detailed"): "detailed_submitted",
    ("supplemented", ENTERPRISE, "void"): "voided",
    ("supplemented", REGULATOR, "void"): "voided",
    ("detailed_submitted", ENTERPRISE, "detailed"): "detailed_submitted",
    ("detailed_submitted", ENTERPRISE, "void"): "voided",
    ("detailed_submitted", REGULATOR, "review"): "under_review",
    ("detailed_submitted", REGULATOR, "void"): "voided",
    ("under_review", REGULATOR, "accept"): "accepted",
    ("under_review", REGULATOR, "return"): "returned",
    ("under_review", REGULATOR, "void"): "voided",
    ("returned", ENTERPRISE, "detailed"): "detailed_submitted",
    ("returned", REGULATOR, "void"): "voided",
    ("accepted", ENTERPRISE, "final"): "accepted",
    ("accepted", REGULATOR, "investigate"): "investigating",
    ("accepted", REGULATOR, "close"): "closed",
    ("accepted", REGULATOR, "void"): "voided",
    ("investigating", ENTERPRISE, "final"): "investigating",
    ("investigating", REGULATOR, "close"): "closed",
    ("investigating", REGULATOR, "void"): "voided",
}


@pytest.mark.parametrize(("status", "side", "act"), list(itertools.product([None, *Status], Side, Act)))
def test_each_act_leads_where_the_table_says_or_is_not_possible(
    status: Status | None, side: Side, act: Act
) -> None:
    outcome = next_status(status, act, side, reason="因故")
    expected = TABLE.get((status, side, act))
    assert outcome == (expected or NotNow("act_not_possible", status, act))
    assert (act in possible(status, side)) == (expected is not None)


@pytest.mark.parametrize("status", [Status.CLOSED, Status.VOIDED])
def test_what_is_closed_or_void_stays_so(status: Status) -> None:
    assert possible(status, ENTERPRISE) == possible(status, REGULATOR) == ()


@pytest.mark.parametrize("reason", [None, "", "  \n"])
@pytest.mark.parametrize(
    ("status", "side", "act"),
    [
        (Status.UNDER_REVIEW, REGULATOR, Act.RETURN),
        (Status.RETURNED, REGULATOR, Act.VOID),
        (Status.INITIAL_SUBMITTED, ENTERPRISE, Act.VOID),
    ],
)
def test_a_return_and_a_void_need_a_reason(status: Status, side: Side, act: Act, reason: str | None) -> None:
    assert next_status(status, act, side, reason=reason) == NotNow("reason_missing", status, act)


def test_a_report_is_not_closed_without_the_result_of_the_investigation() -> None:
    outcome = next_status(Status.ACCEPTED, Act.CLOSE, REGULATOR, has_final=False)
    assert outcome == NotNow("final_missing", Status.ACCEPTED, Act.CLOSE)
    assert Act.CLOSE not in possible(Status.ACCEPTED, REGULATOR, has_final=False)


def test_content_comes_from_the_enterprise_and_reasons_are_asked_where_somebody_loses() -> None:
    assert {Act.INITIAL, Act.SUPPLEMENT, Act.DETAILED} == CONTENT
    assert {Act.RETURN, Act.VOID} == NEEDS_REASON

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from idp.domain.errors import Refusal
from idp.domain.handler_reasons import Reason
from idp.domain.handler_terms import Terms
from idp.domain.handlers import (
    Applicant,
    Request,
    Standing,
    Status,
    Target,
    apply,
    change,
    confirm,
    decide,
    read,
    status_at,
    suspend,
    withdraw,
)

NOW: Final = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LATER: Final = NOW + timedelta(days=30)
NAME: Final = "示例新能源汽车有限公司"
CODE: Final = "91990101MADEM00117"
MATTER: Final = "nev-accident-report"
OTHER_MATTER: Final = "vehicle-product-access"
VERIFIED: Final = Applicant("natural_person", "verified")
ENTERPRISE: Final = Target(NAME, "active")
REQUEST: Final = Request(NAME, CODE, (MATTER,), LATER)
ALL: Final = {status: Standing(status, valid_until=LATER, matters=(MATTER,)) for status in Status}


def code(result: object) -> str:
    assert isinstance(result, Refusal)
    return result.code


def reading(**changes: object) -> Request | Refusal:
    form: dict[str, object] = {
        "enterprise_name": NAME,
        "enterprise_credit_code": CODE,
        "matters": (MATTER,),
        "valid_until": None,
        **changes,
    }
    return read(**form, now=NOW)  # type: ignore[arg-type]


def test_an_application_is_read_in_canonical_form() -> None:
    found = reading(
        enterprise_name=" 示例新能源汽车有限公司　",
        enterprise_credit_code="９1990101madem00117",
        matters=(MATTER, f" {MATTER} ", ""),
        valid_until="2026-12-31",
    )
    assert found == Request(NAME, CODE, (MATTER,), datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC))


@pytest.mark.parametrize("valid_until", [None, "", " "])
def test_the_end_of_validity_is_optional(valid_until: str | None) -> None:
    assert reading(valid_until=valid_until) == Request(NAME, CODE, (MATTER,), None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"enterprise_name": ""}, ("required", "enterprise_name")),
        ({"enterprise_name": "厂"}, ("enterprise_name_invalid", "enterprise_name")),
        ({"enterprise_credit_code": "91990101MADEM00118"}, ("uscc_invalid", "enterprise_credit_code")),
        ({"matters": ()}, ("required", "matters")),
        ({"matters": (" ",)}, ("required", "matters")),
        ({"matters": (MATTER, "anything")}, ("matter_unknown", "matters")),
        ({"valid_until": "2026-11-31"}, ("date_invalid", "valid_until")),
        ({"valid_until": "2026-11-22"}, ("valid_until_past", "valid_until")),
        ({"valid_until": "2029-11-24"}, ("valid_until_too_far", "valid_until")),
        ({"valid_until": "9999-12-31"}, ("valid_until_too_far", "valid_until")),
    ],
)
def test_each_wrong_field_has_its_problem(changes: dict[str, object], expected: tuple[str, str]) -> None:
    result = reading(**changes)
    assert isinstance(result, Refusal)
    assert [(problem.code, problem.field) for problem in result.problems] == [expected]


@pytest.mark.parametrize("day", ["2026-11-23", "2029-11-23"])
def test_the_last_day_is_from_today_to_three_years_from_now(day: str) -> None:
    assert not isinstance(reading(valid_until=day), Refusal)


def test_today_is_the_day_in_china() -> None:
    late = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # the 24th there
    assert code(read(NAME, CODE, (MATTER,), "2026-11-23", late)) == "valid_until_past"


def test_a_verified_person_may_apply() -> None:
    assert apply(VERIFIED, ENTERPRISE, REQUEST, None, NOW) == ALL[Status.PENDING]


@pytest.mark.parametrize(
    ("applicant", "expected"),
    [
        (Applicant(None, "unverified"), "verification_required"),
        (Applicant(None, "pending"), "verification_required"),
        (Applicant(None, "rejected"), "verification_required"),
        (Applicant("legal_person", "verified"), "natural_person_required"),
    ],
)
def test_only_a_verified_natural_person_applies(applicant: Applicant, expected: str) -> None:
    assert code(apply(applicant, ENTERPRISE, REQUEST, None, NOW)) == expected


@pytest.mark.parametrize("target", [None, Target("另一家公司", "active"), Target(NAME, "closed")])
def test_name_and_credit_code_must_be_those_of_a_registered_active_enterprise(target: Target | None) -> None:
    assert code(apply(VERIFIED, target, REQUEST, None, NOW)) == "enterprise_mismatch"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.PENDING, "handler_application_pending"),
        (Status.APPROVED, "already_handler"),
        (Status.SUSPENDED, "handler_suspended"),
    ],
)
def test_a_second_open_application_is_refused(status: Status, expected: str) -> None:
    assert code(apply(VERIFIED, ENTERPRISE, REQUEST, ALL[status], NOW)) == expected


@pytest.mark.parametrize(
    "current",
    [
        ALL[Status.REFUSED],
        ALL[Status.REVOKED],
        ALL[Status.WITHDRAWN],
        Standing(Status.APPROVED, valid_until=NOW),
        Standing(Status.PENDING, valid_until=NOW),
    ],
)
def test_after_an_end_one_may_apply_again(current: Standing) -> None:
    assert not isinstance(apply(VERIFIED, ENTERPRISE, REQUEST, current, NOW), Refusal)


TRANSITIONS: Final = {
    ("approve", Status.PENDING): Status.APPROVED,
    ("refuse", Status.PENDING): Status.REFUSED,
    ("revoke", Status.APPROVED): Status.REVOKED,
    ("revoke", Status.SUSPENDED): Status.REVOKED,
}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("decision", ["approve", "refuse", "revoke", "forget", ""])
def test_each_decision_has_the_one_state_it_starts_from(decision: str, status: Status) -> None:
    after = decide(ALL[status], decision, None, NOW)
    expected = TRANSITIONS.get((decision, status))
    if expected:
        assert isinstance(after, Standing)
        assert after.status is expected
    else:
        assert isinstance(after, Refusal)


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        ("approve", "handler_not_pending"),
        ("refuse", "handler_not_pending"),
        ("revoke", "handler_not_approved"),
    ],
)
@pytest.mark.parametrize("status", [Status.PENDING, Status.APPROVED])
def test_nothing_expired_is_decided(decision: str, expected: str, status: Status) -> None:
    assert code(decide(Standing(status, valid_until=NOW), decision, None, NOW)) == expected


def test_an_approval_begins_now() -> None:
    after = decide(ALL[Status.PENDING], "approve", None, NOW)
    assert after == replace(ALL[Status.PENDING], status=Status.APPROVED, valid_from=NOW, decided_at=NOW)


def test_an_approval_may_give_other_terms_than_were_asked_for() -> None:
    after = decide(ALL[Status.PENDING], "approve", None, NOW, Terms((OTHER_MATTER,), None))
    assert isinstance(after, Standing)
    assert after.terms == Terms((OTHER_MATTER,), None)


def test_a_refusal_keeps_its_reason() -> None:
    after = decide(ALL[Status.PENDING], "refuse", Reason("other", "不认识"), NOW)
    assert after == replace(
        ALL[Status.PENDING], status=Status.REFUSED, decided_at=NOW, reason="不认识", reason_code="other"
    )


def test_a_revocation_keeps_when_the_approval_was() -> None:
    approved = decide(ALL[Status.PENDING], "approve", None, NOW)
    assert isinstance(approved, Standing)
    after = decide(approved, "revoke", Reason("left_enterprise"), NOW + timedelta(hours=1))
    assert after == replace(
        approved,
        status=Status.REVOKED,
        revoked_at=NOW + timedelta(hours=1),
        reason_code="left_enterprise",
    )


@pytest.mark.parametrize("status", Status)
def test_only_what_is_held_is_changed(status: Status) -> None:
    after = change(ALL[status], Terms((OTHER_MATTER,), None), NOW)
    if status in {Status.APPROVED, Status.SUSPENDED}:
        assert after == replace(ALL[status], matters=(OTHER_MATTER,), valid_until=None)
    else:
        assert code(after) == "handler_not_approved"


def test_a_change_changes_something() -> None:
    assert code(change(ALL[Status.APPROVED], Terms((MATTER,), LATER), NOW)) == "handler_unchanged"


@pytest.mark.parametrize("status", Status)
def test_only_what_is_in_force_is_suspended(status: Status) -> None:
    after = suspend(ALL[status], "enterprise_closed", NOW)
    if status is Status.APPROVED:
        assert after == replace(
            ALL[status], status=Status.SUSPENDED, suspended_at=NOW, reason_code="enterprise_closed"
        )
    else:
        assert code(after) == "handler_not_approved"


@pytest.mark.parametrize("status", Status)
def test_a_confirmation_brings_back_what_was_suspended(status: Status) -> None:
    after = confirm(replace(ALL[status], suspended_at=NOW, reason_code="review_overdue"), NOW)
    if status in {Status.APPROVED, Status.SUSPENDED}:
        assert after == replace(ALL[Status.APPROVED], reviewed_at=NOW)
    else:
        assert code(after) == "handler_not_approved"


@pytest.mark.parametrize("status", Status)
def test_only_a_pending_application_is_withdrawn(status: Status) -> None:
    after = withdraw(ALL[status], NOW)
    if status is Status.PENDING:
        assert after == replace(ALL[status], status=Status.WITHDRAWN, decided_at=NOW)
    else:
        assert code(after) == "handler_not_pending"


@pytest.mark.parametrize("status", [Status.PENDING, Status.APPROVED, Status.SUSPENDED])
def test_the_clock_ends_what_is_open(status: Status) -> None:
    standing = Standing(status, valid_until=LATER)
    assert status_at(standing, LATER - timedelta(seconds=1)) is status
    assert status_at(standing, LATER) is Status.EXPIRED
    assert status_at(Standing(status), LATER + timedelta(days=9999)) is status


@pytest.mark.parametrize("status", [Status.REFUSED, Status.REVOKED, Status.WITHDRAWN, Status.EXPIRED])
def test_the_clock_does_not_rewrite_what_was_decided(status: Status) -> None:
    assert status_at(Standing(status, valid_until=NOW), LATER) is status

"""Entitlement as a table: which claims open the door, and for each other the reason."""

from __future__ import annotations

from typing import Any

import pytest

from clients.rp.entitlement import Holder, Reader, Reporter, holder_from, reader_from, reporter_from
from clients.rp.errors import Refusal

ENTERPRISE = "91990101MADEM00117"
OTHER = "91990101MADEM002XY"
MATTER = "nev-accident-report"
SUBMIT = "accident_report:submit"
READ = "accident_report:read"

HANDLER = {
    "sub": "person-1",
    "client_id": "smdvs",
    "scope": f"openid {SUBMIT} {READ}",
    "account_type": "handler",
    "enterprise_credit_code": ENTERPRISE,
    "handler_scope": [MATTER],
    "handler_authorization_id": "authorization-1",
}
LEGAL_PERSON = {
    "sub": "legal-1",
    "client_id": "smdvs",
    "scope": f"openid {SUBMIT} {READ}",
    "account_type": "legal_person",
    "enterprise_credit_code": ENTERPRISE,
}


def changed(claims: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def reporter(claims: dict[str, Any], enterprise: str | None = ENTERPRISE) -> Reporter | Refusal:
    return reporter_from(claims, scope=SUBMIT, matter=MATTER, enterprise=enterprise)


def reader(claims: dict[str, Any]) -> Reader | Refusal:
    return reader_from(claims, scope=READ, matter=MATTER, reads_all="regulator")


def test_a_handler_reports_for_the_enterprise_resting_on_the_authorisation() -> None:
    assert reporter(HANDLER) == Reporter("person-1", "smdvs", "handler", ENTERPRISE, "authorization-1")


def test_a_legal_person_reports_for_itself_and_needs_no_handler_scope() -> None:
    assert reporter(LEGAL_PERSON) == Reporter("legal-1", "smdvs", "legal_person", ENTERPRISE, None)


def test_an_authorisation_id_counts_for_handlers_only() -> None:
    claims = changed(LEGAL_PERSON, handler_authorization_id="stray")
    assert reporter(claims) == Reporter("legal-1", "smdvs", "legal_person", ENTERPRISE, None)


@pytest.mark.parametrize(
    ("changes", "reason", "status"),
    [
        ({"scope": None}, "scope_missing", 403),
        ({"scope": "openid"}, "scope_missing", 403),
        ({"scope": READ}, "scope_missing", 403),
        ({"scope": SUBMIT + "x"}, "scope_missing", 403),
        ({"scope": [SUBMIT]}, "scope_missing", 403),
        ({"account_type": None}, "no_enterprise", 403),
        ({"account_type": "natural_person"}, "no_enterprise", 403),
        ({"account_type": "administrator"}, "no_enterprise", 403),
        ({"account_type": ["handler"]}, "no_enterprise", 403),
        ({"enterprise_credit_code": None}, "enterprise_invalid", 401),
        ({"enterprise_credit_code": "91990101MADEM00118"}, "enterprise_invalid", 401),
        ({"enterprise_credit_code": ENTERPRISE.lower()}, "enterprise_invalid", 401),
        ({"enterprise_credit_code": ENTERPRISE + "\n"}, "enterprise_invalid", 401),
        ({"enterprise_credit_code": 91990101}, "enterprise_invalid", 401),
        ({"handler_scope": None}, "handler_scope_missing", 403),
        ({"handler_scope": []}, "handler_scope_missing", 403),
        ({"handler_scope": ["nev-recall"]}, "handler_scope_missing", 403),
        ({"handler_scope": MATTER}, "handler_scope_missing", 403),
        ({"handler_scope": [[MATTER]]}, "handler_scope_missing", 403),
        ({"enterprise_credit_code": OTHER}, "enterprise_mismatch", 403),
    ],
)
def test_every_other_claim_is_refused_with_its_reason(
    changes: dict[str, Any], reason: str, status: int
) -> None:
    refusal = reporter(changed(HANDLER, **changes))
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.status) == (reason, status)
    assert refusal.description.isascii()
    assert not set(refusal.description) & set('"\\')


def test_a_missing_scope_is_named_in_the_refusal() -> None:
    refusal = reporter(changed(HANDLER, scope="openid"))
    assert isinstance(refusal, Refusal)
    assert refusal.scope == SUBMIT


def test_a_request_that_names_no_enterprise_is_judged_by_the_token_alone() -> None:
    assert isinstance(reporter(HANDLER, None), Reporter)


def test_a_handler_reads_the_enterprise_only() -> None:
    assert reader(HANDLER) == Reader("person-1", ENTERPRISE)


def test_a_regulator_reads_everyones_and_needs_no_enterprise() -> None:
    claims = {"sub": "r", "scope": READ, "account_type": "natural_person", "roles": ["regulator"]}
    assert reader(claims) == Reader("r", None)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"sub": "r", "scope": SUBMIT, "roles": ["regulator"]}, "scope_missing"),
        ({"sub": "r", "scope": READ, "account_type": "natural_person"}, "no_enterprise"),
        (
            {"sub": "r", "scope": READ, "account_type": "natural_person", "roles": "regulator"},
            "no_enterprise",
        ),
        ({"sub": "r", "scope": READ, "account_type": "natural_person", "roles": ["other"]}, "no_enterprise"),
        (changed(HANDLER, handler_scope=["nev-recall"]), "handler_scope_missing"),
    ],
)
def test_nobody_else_reads(claims: dict[str, Any], reason: str) -> None:
    refusal = reader(claims)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == reason


def test_a_regulator_does_not_report() -> None:
    claims = changed(HANDLER, account_type="natural_person", roles=["regulator"])
    assert isinstance(reporter(claims), Refusal)


def test_a_role_is_held_in_whatever_capacity() -> None:
    claims = {"sub": "r", "client_id": "smdvs", "scope": SUBMIT, "roles": ["other", "regulator"]}
    expected = Holder("r", "smdvs", "regulator")
    assert holder_from(claims, scope=SUBMIT, role="regulator") == expected
    assert holder_from({**HANDLER, **claims}, scope=SUBMIT, role="regulator") == expected


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"roles": None}, "role_missing"),
        ({"roles": []}, "role_missing"),
        ({"roles": "regulator"}, "role_missing"),
        ({"roles": ["regulators"]}, "role_missing"),
        ({"scope": READ}, "scope_missing"),
    ],
)
def test_nobody_holds_a_role_that_was_not_given(changes: dict[str, Any], reason: str) -> None:
    claims = changed(HANDLER, **{"roles": ["regulator"]} | changes)
    refusal = holder_from(claims, scope=SUBMIT, role="regulator")
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.status) == (reason, 403)

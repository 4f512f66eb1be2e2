from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest

from idp.domain import upstream as rules
from idp.domain.errors import Refusal
from idp.domain.upstream import Enterprise, Person

TODAY: Final = date(2026, 11, 25)
FRAMEWORK: Final = {"trust_framework": "cn_gov_real_name"}
CODE: Final = "91990101MADEM00117"
NAMED: Final[dict[str, Any]] = {"verification": FRAMEWORK, "claims": {"name": "李示例"}}
PERSON: Final[dict[str, Any]] = {
    "sub": "p",
    "account_type": "natural_person",
    "document_type": "id_card",
    "document_number": "990101199001010027",
    "verified_claims": NAMED,
}
TWO_FACTORS, CRYPTOGRAPHIC = "urn:gsp:acr:2fa", "urn:gsp:acr:2fa-crypto"


def representing(code: Any = CODE, role: Any = "legal_representative") -> dict[str, Any]:
    entry = {"applies_to": {"registration_number": code}, "permission": [{"role": role}]}
    return {"verification": FRAMEWORK, "claims": {"authority": [entry]}}


LEGAL: Final[dict[str, Any]] = {
    "sub": "e",
    "account_type": "legal_person",
    "enterprise_credit_code": CODE,
    "verified_claims": representing(),
}


def identity(claims: dict[str, Any], *, allow_test: bool = True) -> Any:
    return rules.identity_of(claims, TODAY, allow_test=allow_test)


def test_a_person_is_known_by_a_verified_document_and_the_verified_name() -> None:
    assert identity(PERSON) == Person("id_card", "990101199001010027", "李示例")
    both = PERSON | {"verified_claims": [NAMED, representing()]}
    assert identity(both) == Person("id_card", "990101199001010027", "李示例")


def test_a_handler_is_the_person_and_not_the_enterprise() -> None:
    claims = PERSON | {"account_type": "handler", "enterprise_credit_code": CODE}
    assert isinstance(identity(claims), Person)


@pytest.mark.parametrize(
    "change",
    [
        {"document_number": None},
        {"document_number": 990101199001010027},
        {"document_number": "990101199001010028"},
        {"document_number": "990101199002300018"},
        {"document_type": None},
        {"document_type": "library_card"},
        {"document_type": ["id_card"]},
        {"verified_claims": None},
        {"verified_claims": []},
        {"verified_claims": "verified"},
        {"verified_claims": [None, "x", {}]},
        {"verified_claims": {"verification": None, "claims": {"name": "李示例"}}},
        {"verified_claims": {"verification": FRAMEWORK, "claims": None}},
        {"verified_claims": {"verification": {}, "claims": {"name": "李示例"}}},
        {"verified_claims": {"verification": {"trust_framework": "eidas"}, "claims": {"name": "李示例"}}},
        {"verified_claims": {"verification": FRAMEWORK, "claims": {}}},
        {"verified_claims": {"verification": FRAMEWORK, "claims": {"name": None}}},
        {"verified_claims": {"verification": FRAMEWORK, "claims": {"name": ""}}},
        {"verified_claims": {"verification": FRAMEWORK, "claims": {"name": "李" * 101}}},
        {"verified_claims": [NAMED, NAMED]},
    ],
)
def test_half_a_proof_is_none(change: dict[str, Any]) -> None:
    assert identity(PERSON | change) == Refusal.of("upstream_unverified")


def test_neither_phone_nor_mail_nor_name_say_who_it_is() -> None:
    claims = {
        "sub": "p",
        "name": "李示例",
        "preferred_username": "demo_person",
        "phone_number": "+8619900000006",
        "phone_number_verified": True,
        "email": "demo@example.test",
        "email_verified": True,
        "verified_claims": NAMED,
    }
    assert identity(claims) == Refusal.of("upstream_unverified")


def test_numbers_of_nobody_count_only_where_they_are_allowed() -> None:
    assert identity(PERSON, allow_test=False) == Refusal.of("upstream_unverified")


def test_an_enterprise_is_known_by_its_credit_code_said_twice() -> None:
    assert identity(LEGAL) == Enterprise(CODE)
    assert identity(LEGAL | {"verified_claims": [NAMED, representing()]}) == Enterprise(CODE)


@pytest.mark.parametrize(
    "change",
    [
        {"enterprise_credit_code": None},
        {"enterprise_credit_code": "91990101MADEM00118"},
        {"enterprise_credit_code": "91990101MADEM002XY"},
        {"verified_claims": NAMED},
        {"verified_claims": representing(role="handler")},
        {"verified_claims": representing(code="91990101MADEM002XY")},
        {"verified_claims": {"verification": FRAMEWORK, "claims": {"authority": "x"}}},
        {"verified_claims": {"verification": FRAMEWORK, "claims": {"authority": [None, {"applies_to": {}}]}}},
        {"verified_claims": {"verification": FRAMEWORK, "claims": {"authority": [{"permission": []}]}}},
        {
            "verified_claims": {
                "verification": FRAMEWORK,
                "claims": {"authority": [{"applies_to": {"registration_number": CODE}, "permission": ["x"]}]},
            }
        },
    ],
)
def test_half_an_enterprise_is_none(change: dict[str, Any]) -> None:
    assert identity(LEGAL | change) == Refusal.of("upstream_unverified")


def test_a_legal_person_s_account_is_never_taken_for_a_person() -> None:
    claims = PERSON | {"account_type": "legal_person"}
    assert identity(claims) == Refusal.of("upstream_unverified")


@pytest.mark.parametrize(
    ("asserted", "ours", "same"),
    [
        ("李示例", "李示例", True),
        (" 李 示例", "李示例", True),
        ("买买提·示例", "买买提•示例", True),
        ("Example Anna", "EXAMPLE ANNA", True),
        ("李示例", "王示例", False),
        ("李示例", "", False),
    ],
)
def test_names_are_compared_as_people_write_them(asserted: str, ours: str, same: bool) -> None:
    assert rules.is_same_name(asserted, ours) is same


@pytest.mark.parametrize(
    ("acr", "highest", "level"),
    [
        (TWO_FACTORS, TWO_FACTORS, TWO_FACTORS),
        (TWO_FACTORS, CRYPTOGRAPHIC, TWO_FACTORS),
        (CRYPTOGRAPHIC, CRYPTOGRAPHIC, CRYPTOGRAPHIC),
        (CRYPTOGRAPHIC, TWO_FACTORS, TWO_FACTORS),
        ("urn:other:very-high", CRYPTOGRAPHIC, None),
        ("", CRYPTOGRAPHIC, None),
        (None, CRYPTOGRAPHIC, None),
    ],
)
def test_a_level_is_taken_over_and_capped(acr: str | None, highest: str, level: str | None) -> None:
    assert rules.level_of(acr, highest) == level


@pytest.mark.parametrize(
    ("asked", "highest", "told"),
    [
        ((), TWO_FACTORS, (TWO_FACTORS,)),
        ((), CRYPTOGRAPHIC, (TWO_FACTORS,)),
        ((CRYPTOGRAPHIC,), CRYPTOGRAPHIC, (CRYPTOGRAPHIC,)),
        ((CRYPTOGRAPHIC,), TWO_FACTORS, (TWO_FACTORS,)),
        (("urn:unknown", TWO_FACTORS), CRYPTOGRAPHIC, (TWO_FACTORS,)),
    ],
)
def test_what_could_count_is_asked_for(asked: tuple[str, ...], highest: str, told: tuple[str, ...]) -> None:
    assert rules.asked_levels(asked, highest) == told


def test_methods_are_told_as_they_were_told() -> None:
    assert rules.methods_of(["pwd", "sms", "mfa", "pwd", "magic", 7, None]) == ("pwd", "sms", "mfa")
    assert rules.with_sms(("pwd",)) == ("pwd", "sms", "mfa")
    assert rules.with_sms(("pwd", "mfa")) == ("pwd", "mfa", "sms")


@pytest.mark.parametrize(
    ("amr", "completed"),
    [(("pwd",), True), (("fpt", "user"), True), (("sms",), False), (("hwk",), False), ((), False)],
)
def test_a_code_makes_two_factors_of_one_that_is_no_telephone(amr: tuple[str, ...], completed: bool) -> None:
    assert rules.is_completed_by_sms(amr) is completed


def test_a_sign_in_is_as_recent_as_was_asked_for() -> None:
    assert rules.is_recent(0, None)
    assert rules.is_recent(1000, 1000)
    assert rules.is_recent(970, 1000)
    assert not rules.is_recent(969, 1000)

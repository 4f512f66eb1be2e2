from __future__ import annotations

from datetime import date

import pytest

from idp.domain import recovery as rules
from idp.domain.errors import Refusal
from idp.domain.recovery import Sought

TODAY = date(2026, 11, 23)
PERSON = {
    "real_name": "李示例",
    "document_type": "id_card",
    "document_number": "99010119900101006x",
}


def read(way: str, **fields: str) -> Sought | list[tuple[str | None, str]]:
    sought = rules.read_sought(way, fields, TODAY, allow_test=True)
    if isinstance(sought, Refusal):
        return [(problem.field, problem.code) for problem in sought.problems]
    return sought


def test_each_way_is_read_in_canonical_form() -> None:
    assert read("phone", phone="+86 199-0000-0001") == Sought("phone", "19900000001")
    assert read("natural_person", **PERSON) == Sought(
        "natural_person", "id_card:99010119900101006X", "李示例"
    )
    assert read("legal_person", enterprise_credit_code="9199 0101 made M00117") == Sought(
        "legal_person", "91990101MADEM00117"
    )


@pytest.mark.parametrize(
    ("way", "fields", "problems"),
    [
        ("phone", {}, [("phone", "required")]),
        ("phone", {"phone": "12345"}, [("phone", "phone_invalid")]),
        (
            "legal_person",
            {"enterprise_credit_code": "91990101MADEM00118"},
            [("enterprise_credit_code", "uscc_invalid")],
        ),
        (
            "natural_person",
            {},
            [("real_name", "required"), ("document_type", "required"), ("document_number", "required")],
        ),
        ("natural_person", PERSON | {"document_type": ""}, [("document_type", "required")]),
        (
            "natural_person",
            PERSON | {"document_number": "990101199001010018"},
            [("document_number", "document_number_invalid")],
        ),
        ("elsewhere", {}, [(None, "choice_unknown")]),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    way: str, fields: dict[str, str], problems: list[tuple[str | None, str]]
) -> None:
    assert read(way, **fields) == problems


def test_a_number_of_region_99_is_nobodys_outside_of_tests() -> None:
    assert isinstance(rules.read_sought("natural_person", PERSON, TODAY, allow_test=False), Refusal)


def test_a_verified_holder_proves_the_identity_too() -> None:
    assert rules.second_proof("natural_person") == "document_number"
    assert rules.second_proof("legal_person") == "enterprise_credit_code"
    assert rules.second_proof(None) is None

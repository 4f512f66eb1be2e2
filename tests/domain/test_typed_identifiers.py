"""Every place where a person types an identifier understands it the same way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

import pytest

from idp.domain import accounts, recovery, submissions
from idp.domain.accounts import find_sms_code, read_identifier
from idp.domain.errors import Refusal
from idp.domain.submissions import LegalPerson, NaturalPerson

TODAY: Final = date(2026, 11, 25)
CODE: Final = "91990101MADEM00117"
NUMBER: Final = "99010119900101006X"
CODES: Final = [
    "91990101madem00117",
    "９１９９０１０１ＭＡＤＥＭ００１１７",
    " 9199 0101 MADEM00117\u3000",
    "91-990101-MADEM0011-7",
    "91990101–MADEM00117",
    "\u200b91990101MADEM00117\ufeff",
]
NUMBERS: Final = [
    "99010119900101006x",
    "９９０１０１１９９００１０１００６ｘ",
    "990101 19900101 006X",
    "990101-19900101-006X",
    "\u202d99010119900101006X\u202c",
]
PERSON: Final = {
    "real_name": "李示例",
    "document_type": "id_card",
    "address": "示例市样板路1号",
    "valid_from": "2020-01-01",
    "permanent": "y",
}
ENTERPRISE: Final = {
    "organization_type": "limited_company",
    "enterprise_name": "示例新能源汽车有限公司",
    "legal_person_type": "enterprise",
    "representative_name": "张示例",
    "representative_document_type": "id_card",
    "address": "示例市样板路1号",
}


def submitted_number(typed: str) -> str:
    subject = submissions.read("natural_person", PERSON | {"document_number": typed}, TODAY, allow_test=True)
    assert isinstance(subject, NaturalPerson)
    return subject.document_number


def submitted_code(typed: str) -> str:
    fields = ENTERPRISE | {"enterprise_credit_code": typed, "representative_document_number": NUMBER}
    subject = submissions.read("legal_person", fields, TODAY, allow_test=True)
    assert isinstance(subject, LegalPerson)
    return subject.enterprise_credit_code


def sought_code(typed: str) -> str:
    fields = {"enterprise_credit_code": typed}
    sought = recovery.read_sought("legal_person", fields, TODAY, allow_test=True)
    assert not isinstance(sought, Refusal)
    return sought.value


@pytest.mark.parametrize("typed", CODES)
@pytest.mark.parametrize("read", [submitted_code, sought_code])
def test_a_credit_code_is_understood(read: Callable[[str], str], typed: str) -> None:
    assert read(typed) == CODE


@pytest.mark.parametrize("typed", CODES)
def test_the_sign_in_box_understands_a_credit_code(typed: str) -> None:
    assert read_identifier(typed).enterprise_credit_code == CODE


@pytest.mark.parametrize("typed", NUMBERS)
def test_an_id_number_is_understood(typed: str) -> None:
    assert submitted_number(typed) == NUMBER
    assert read_identifier(typed).document_keys == read_identifier(NUMBER).document_keys != ()


def test_a_hyphen_is_no_part_of_a_login_name() -> None:
    assert read_identifier("li-shili").login_name_index is None
    assert read_identifier("Ｌｉ_ｓｈｉｌｉ").login_name_index == "li_shili"


@pytest.mark.parametrize("typed", ["123456", "１２３ ４５６", "123-456", "\u200b123456"])
def test_a_code_of_a_message_is_understood(typed: str) -> None:
    assert find_sms_code(typed) == "123456"


def test_an_organization_code_gets_an_answer_of_its_own() -> None:
    fields = ENTERPRISE | {"representative_document_number": NUMBER}
    for typed in ("MADEM001-1", "ｍａｄｅｍ００１－１", "MADEM0011"):
        result = submissions.read(
            "legal_person", fields | {"enterprise_credit_code": typed}, TODAY, allow_test=True
        )
        assert isinstance(result, Refusal)
        assert [(p.code, p.field) for p in result.problems] == [
            ("organization_code_replaced", "enterprise_credit_code")
        ]


@pytest.mark.parametrize("read", ["natural_person", "legal_person"])
def test_region_99_belongs_to_tests_alone(read: str) -> None:
    fields = (
        PERSON
        | ENTERPRISE
        | {
            "enterprise_credit_code": CODE,
            "document_number": NUMBER,
            "representative_document_number": NUMBER,
        }
    )
    result = submissions.read(read, fields, TODAY, allow_test=False)
    assert isinstance(result, Refusal)
    assert {problem.code for problem in result.problems} == {"id_number_invalid"}
    assert accounts.read_identifier(NUMBER).document_keys  # whoever is looked up isn't there

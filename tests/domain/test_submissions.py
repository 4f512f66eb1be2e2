from __future__ import annotations

from datetime import date
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain import submissions
from idp.domain.errors import Refusal
from idp.domain.identifiers import credit_code_check
from idp.domain.submissions import LegalPerson, NaturalPerson, fields_of, read, read_explanation, subject_of

TODAY: Final = date(2026, 11, 23)
PERSON: Final = {
    "real_name": "李示例",
    "document_type": "id_card",
    "document_number": "990101199001010027",
    "address": "示例市演示区样板路1号",
    "valid_from": "2020-01-01",
    "valid_until": "2040-01-01",
}
ENTERPRISE: Final = {
    "organization_type": "limited_company",
    "enterprise_credit_code": "91990101MADEM0038Y",
    "enterprise_name": "演示汽车科技有限公司",
    "legal_person_type": "enterprise",
    "representative_name": "张示例",
    "representative_document_type": "id_card",
    "representative_document_number": "990101197812310016",
    "address": "示例市演示区样板路1号",
}


def person(**changes: str) -> NaturalPerson | LegalPerson | Refusal:
    return read("natural_person", {**PERSON, **changes}, TODAY, allow_test=True)


def enterprise(**changes: str) -> NaturalPerson | LegalPerson | Refusal:
    return read("legal_person", {**ENTERPRISE, **changes}, TODAY, allow_test=True)


def problems(result: object) -> set[tuple[str, str | None]]:
    assert isinstance(result, Refusal)
    return {(problem.code, problem.field) for problem in result.problems}


def test_a_person_is_read_in_canonical_form() -> None:
    found = person(real_name=" 李示例 ", document_number="９９０１０１ 19900101 0027")
    assert found == NaturalPerson(
        "李示例",
        "id_card",
        "990101199001010027",
        "示例市演示区样板路1号",
        date(2020, 1, 1),
        date(2040, 1, 1),
    )


def test_an_enterprise_is_read_in_canonical_form() -> None:
    found = enterprise(
        enterprise_credit_code="91990101madem0038y", enterprise_name="演示汽车 科技(上海)有限公司"
    )
    assert isinstance(found, LegalPerson)
    assert found.enterprise_credit_code == "91990101MADEM0038Y"
    assert found.enterprise_name == "演示汽车科技（上海）有限公司"


def test_a_permanent_document_needs_no_last_day() -> None:
    found = person(permanent="1", valid_until="")
    assert isinstance(found, NaturalPerson)
    assert found.valid_until is None
    assert person(permanent="on", valid_until="2001-01-01") == found


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"real_name": "李4"}, ("name_invalid", "real_name")),
        ({"real_name": "李"}, ("name_invalid", "real_name")),
        ({"real_name": "李" * 61}, ("name_invalid", "real_name")),
        ({"real_name": "<script>"}, ("name_invalid", "real_name")),
        ({"real_name": "·李"}, ("name_invalid", "real_name")),
        ({"document_type": "library_card"}, ("choice_unknown", "document_type")),
        ({"document_number": "990101199001010028"}, ("id_number_invalid", "document_number")),
        ({"document_type": "taiwan_permit"}, ("document_number_invalid", "document_number")),
        ({"address": "路"}, ("address_invalid", "address")),
        ({"address": "示例市\x00演示区"}, ("address_invalid", "address")),
        ({"address": "示例市\ud800演示区"}, ("address_invalid", "address")),
        ({"valid_from": "2026-02-30"}, ("date_invalid", "valid_from")),
        ({"valid_from": "2026-11-24"}, ("document_not_yet_valid", "valid_from")),
        ({"valid_until": "2026-11-22"}, ("document_expired", "valid_until")),
        ({"valid_until": "soon"}, ("date_invalid", "valid_until")),
        ({"valid_until": ""}, ("required", "valid_until")),
        (
            {"valid_from": "2026-11-23", "valid_until": "2026-11-23"},
            ("valid_until_before_valid_from", "valid_until"),
        ),
    ],
)
def test_each_wrong_field_of_a_person_has_its_problem(
    changes: dict[str, str], expected: tuple[str, str]
) -> None:
    assert problems(person(**changes)) == {expected}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"organization_type": "club"}, ("choice_unknown", "organization_type")),
        ({"enterprise_credit_code": "91990101MADEM00118"}, ("uscc_invalid", "enterprise_credit_code")),
        ({"enterprise_credit_code": "MADEM001-1"}, ("organization_code_replaced", "enterprise_credit_code")),
        ({"enterprise_name": "厂"}, ("enterprise_name_invalid", "enterprise_name")),
        ({"enterprise_name": "演示\u202e公司"}, ("enterprise_name_invalid", "enterprise_name")),
        ({"legal_person_type": ""}, ("required", "legal_person_type")),
        ({"representative_name": "张3"}, ("name_invalid", "representative_name")),
        (
            {"representative_document_number": "1"},
            ("id_number_invalid", "representative_document_number"),
        ),
        (
            {"representative_document_type": "badge"},
            ("choice_unknown", "representative_document_type"),
        ),
    ],
)
def test_each_wrong_field_of_an_enterprise_has_its_problem(
    changes: dict[str, str], expected: tuple[str, str]
) -> None:
    assert problems(enterprise(**changes)) == {expected}


def test_an_empty_form_names_every_required_field_at_once() -> None:
    assert problems(read("natural_person", {}, TODAY, allow_test=True)) == {
        ("required", field) for field in PERSON
    }
    assert problems(read("legal_person", {}, TODAY, allow_test=True)) == {
        ("required", field) for field in ENTERPRISE
    }


def test_a_test_identity_is_refused_where_it_is_not_allowed() -> None:
    assert problems(read("natural_person", PERSON, TODAY, allow_test=False)) == {
        ("id_number_invalid", "document_number")
    }


def test_another_subject_type_is_refused() -> None:
    assert problems(read("robot", PERSON, TODAY, allow_test=True)) == {("choice_unknown", "subject_type")}


@pytest.mark.parametrize("name", ["李示例", "买买提·示例", "O'Example Jean-Luc", "Ａｎｎａ 示"])
def test_names_of_all_peoples_are_accepted(name: str) -> None:
    assert not isinstance(person(real_name=name), Refusal)


def test_variants_of_the_middle_dot_are_one_name() -> None:
    assert person(real_name="买买提•示例") == person(real_name="买买提·示例")


@pytest.mark.parametrize("subject", [person(), person(permanent="1"), enterprise()])
def test_what_is_stored_is_what_was_read(subject: NaturalPerson | LegalPerson | Refusal) -> None:
    assert not isinstance(subject, Refusal)
    assert subject_of({**fields_of(subject), "explanation": "说明说明说明"}) == subject


@given(st.dictionaries(st.sampled_from([*PERSON, *ENTERPRISE, "permanent"]), st.text()))
def test_no_form_breaks_the_reading(form: dict[str, str]) -> None:
    for subject_type in ("natural_person", "legal_person"):
        assert isinstance(read(subject_type, form, TODAY, allow_test=True), Refusal)


def test_an_explanation_may_have_lines() -> None:
    assert read_explanation({"explanation": " 登记的姓名\r\n有误 "}) == "登记的姓名\n有误"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "required"),
        ("短", "explanation_invalid"),
        ("长" * 1001, "explanation_invalid"),
        ("有\x00控制字符", "explanation_invalid"),
    ],
)
def test_an_explanation_must_say_something(typed: str, code: str) -> None:
    assert problems(read_explanation({"explanation": typed})) == {(code, "explanation")}


def test_a_reviewer_is_warned_of_what_does_not_fit_together() -> None:
    body = "12990101MADEM0019"  # a public institution; its organisation code's check should be 1
    odd = enterprise(enterprise_credit_code=body + credit_code_check(body))
    assert not isinstance(odd, Refusal)
    assert submissions.warnings(odd) == ("organization_code_irregular", "legal_person_type_unlikely")


def test_there_is_nothing_to_warn_of_in_an_ordinary_submission() -> None:
    for subject in (person(), enterprise()):
        assert not isinstance(subject, Refusal)
        assert submissions.warnings(subject) == ()

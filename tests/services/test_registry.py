from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

import pytest

from idp.config import Settings
from idp.domain.identifiers import DOCUMENT_TYPES, find_credit_code, find_id_number
from idp.outbound import Answer, Outbound, OutboundError
from idp.services.demonstration_registry import NEWCOMER, NOT_REGISTERED, PERSON_OF_ACCOUNT, RECORDS
from idp.services.registry import (
    FACTS,
    DemonstrationRegistry,
    HttpRegistry,
    ManualRegistry,
    registry_from,
)

TODAY: Final = date(2026, 11, 23)
URL: Final = "https://registers.example.test/match"
ENTERPRISE: Final = {
    "enterprise_credit_code": "91990101MADEM0038Y",
    "enterprise_name": "演示汽车科技有限公司",
    "representative_name": "张示例",
    "representative_document_type": "id_card",
    "representative_document_number": "990101197812310016",
    "address": "示例市演示区样板路1号",
}
PERSON: Final = {
    "real_name": "李示例",
    "document_type": "id_card",
    "document_number": "990101199001010027",
    "address": "示例市演示区样板路1号",
}


def test_the_demonstration_registry_knows_the_people_and_enterprises_of_the_contract() -> None:
    registry = DemonstrationRegistry()
    assert registry.matches("legal_person", ENTERPRISE) is True
    assert registry.matches("natural_person", PERSON) is True
    wang = {**PERSON, "real_name": "王示例", "document_number": "990101199508080024"}
    assert registry.matches("natural_person", wang) is True


@pytest.mark.parametrize("field", FACTS["legal_person"])
def test_every_fact_of_an_enterprise_must_equal(field: str) -> None:
    assert DemonstrationRegistry().matches("legal_person", {**ENTERPRISE, field: "另一"}) is False


@pytest.mark.parametrize("field", FACTS["natural_person"])
def test_every_fact_of_a_person_must_equal(field: str) -> None:
    assert DemonstrationRegistry().matches("natural_person", {**PERSON, field: "另一"}) is False


def test_facts_of_two_people_do_not_make_a_third() -> None:
    mixed = {**PERSON, "real_name": "王示例"}
    assert DemonstrationRegistry().matches("natural_person", mixed) is False


def test_every_number_of_the_demonstration_is_well_formed_and_nobodys() -> None:
    numbers = [record["document_number"] for record in RECORDS["natural_person"]]
    numbers += [record["representative_document_number"] for record in RECORDS["legal_person"]]
    for number in numbers:
        assert find_id_number(number, TODAY, allow_test=True) == number
        assert find_id_number(number, TODAY, allow_test=False) is None
    codes = [record["enterprise_credit_code"] for record in RECORDS["legal_person"]]
    assert [find_credit_code(code) for code in codes] == codes
    assert all(code[2:4] == "99" for code in codes)


def test_nobody_of_the_demonstration_shares_a_number() -> None:
    numbers = [record["document_number"] for record in RECORDS["natural_person"]]
    assert len(set(numbers)) == len(numbers)


def test_the_unregistered_are_no_ones_account() -> None:
    assert NEWCOMER in NOT_REGISTERED
    assert not set(map(id, NOT_REGISTERED)) & set(map(id, PERSON_OF_ACCOUNT.values()))
    assert all(person["document_type"] in DOCUMENT_TYPES for person in PERSON_OF_ACCOUNT.values())


def test_the_manual_registry_never_tells() -> None:
    assert ManualRegistry().matches("natural_person", PERSON) is None
    assert ManualRegistry().matches("legal_person", ENTERPRISE) is None


class Gateway(Outbound):
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self, answer: Answer | OutboundError) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[tuple[str, Any, Mapping[str, str]]] = []

    def post(
        self,
        url: str,
        data: Mapping[str, str] | bytes | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        max_bytes: int = 0,
    ) -> Answer:
        self.asked.append((url, json, headers or {}))
        if isinstance(self.answer, OutboundError):
            raise self.answer
        return self.answer


def answer(document: object, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(document).encode())


@pytest.mark.parametrize("verdict", [True, False, None])
def test_the_gateway_decides(verdict: bool | None) -> None:
    gateway = Gateway(answer({"matches": verdict}))
    assert HttpRegistry(gateway, URL, "secret").matches("natural_person", PERSON) is verdict


def test_the_gateway_is_told_the_facts_and_nothing_else() -> None:
    gateway = Gateway(answer({"matches": True}))
    HttpRegistry(gateway, URL, "secret").matches("legal_person", ENTERPRISE)
    facts = {"subject_type": "legal_person", **{name: ENTERPRISE[name] for name in FACTS["legal_person"]}}
    assert gateway.asked == [(URL, facts, {"Authorization": "Bearer secret"})]


def test_without_a_token_none_is_sent() -> None:
    gateway = Gateway(answer({"matches": True}))
    HttpRegistry(gateway, URL, None).matches("natural_person", PERSON)
    assert gateway.asked[0][2] == {}


@pytest.mark.parametrize(
    "broken",
    [
        OutboundError("timeout", "registers.example.test"),
        answer({"matches": True}, status=500),
        answer({"matches": True}, status=302),
        answer({"matches": "true"}),
        answer({"matches": 1}),
        answer([True]),
        answer({}),
        Answer(200, {}, b"<html>"),
        Answer(200, {}, b"\xff\xfe"),
    ],
)
def test_a_broken_gateway_neither_admits_nor_turns_away(
    broken: Answer | OutboundError, caplog: pytest.LogCaptureFixture
) -> None:
    assert HttpRegistry(Gateway(broken), URL, "secret").matches("natural_person", PERSON) is None
    assert PERSON["document_number"] not in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("name", "kind"), [("demo", DemonstrationRegistry), ("http", HttpRegistry), ("manual", ManualRegistry)]
)
def test_the_settings_name_the_registry(settings: Callable[..., Settings], name: str, kind: type) -> None:
    chosen = replace(settings(), registry=name, registry_url=URL)
    assert isinstance(registry_from(chosen, Outbound()), kind)

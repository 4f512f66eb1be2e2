from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain import verified_claims
from idp.domain.claims import PersonalData, Subject
from idp.domain.requested_claims import RequestedClaims, parse_claims_parameter
from idp.domain.verified_claims import EVERYTHING, TRUST_FRAMEWORK, Facts

NOW: Final = datetime(2026, 11, 25, 8, tzinfo=UTC)
MATTER: Final = "nev-accident-report"
HANDLER: Final = Subject(
    account_id="a1",
    account_type="handler",
    auth_time=1,
    acr="x",
    amr=(),
    enterprise_credit_code="91990101MADEM00117",
    enterprise_name="示例新能源汽车有限公司",
    handler_authorization_id="h1",
    handler_scope=(MATTER,),
)
LEGAL: Final = replace(HANDLER, account_type="legal_person", handler_authorization_id=None, handler_scope=())
ALONE: Final = Subject("a1", "natural_person", 1, "x", ())
PERSON: Final = PersonalData(
    "li",
    "李示例",
    "",
    "",
    None,
    1,
    verified_at=NOW - timedelta(days=10),
    verification_process="p1",
    granted_at=NOW - timedelta(days=2),
    granted_from=NOW - timedelta(days=1),
    granted_until=NOW + timedelta(days=30),
)
FACTS: Final = verified_claims.facts_of(HANDLER, PERSON, [MATTER])


def ask(verification: dict[str, Any] | None = None, *claims: str, **more: Any) -> dict[str, Any]:
    wanted = dict.fromkeys(claims or ("name", "authority")) | more
    return {"verification": {"trust_framework": None} | (verification or {}), "claims": wanted}


def answer(*asked: dict[str, Any], facts: Facts = FACTS) -> Any:
    return verified_claims.answer(asked, facts, NOW)


def test_everything_is_told_of_a_handler() -> None:
    told = verified_claims.answer(EVERYTHING, FACTS, NOW)
    assert told["verification"] == {
        "trust_framework": "cn_gov_real_name",
        "assurance_level": "3",
        "time": "2026-11-15T08:00:00Z",
        "verification_process": "p1",
    }
    assert told["claims"] == {
        "name": "李示例",
        "authority": [
            {
                "applies_to": {
                    "organization_name": "示例新能源汽车有限公司",
                    "registration_number": "91990101MADEM00117",
                    "legal_jurisdiction": "CN",
                    "organization_identifiers": [{"type": "uscc", "value": "91990101MADEM00117"}],
                },
                "permission": [
                    {
                        "role": "handler",
                        "function": [MATTER],
                        "validity": [{"start": "2026-11-24", "end": "2026-12-25"}],
                        "may_delegate": False,
                    }
                ],
                "granted_by": {"method": "delegated", "granting_body": "示例新能源汽车有限公司"},
            }
        ],
    }


def test_an_enterprise_s_own_account_represents_it_in_all_the_client_serves() -> None:
    told = answer(ask(None, "authority"), facts=verified_claims.facts_of(LEGAL, PERSON, [MATTER]))
    (authority,) = told["claims"]["authority"]
    assert authority["permission"] == [
        {"role": "legal_representative", "function": [MATTER], "may_delegate": True}
    ]
    assert authority["granted_by"]["method"] == "appointed"


def test_authority_alone_has_the_time_and_the_process_of_its_grant() -> None:
    asked = ask({"time": None, "verification_process": None}, "authority")
    assert answer(asked)["verification"] == {
        "trust_framework": TRUST_FRAMEWORK,
        "time": "2026-11-23T08:00:00Z",
        "verification_process": "h1",
    }


def test_an_authorisation_without_an_end_has_a_start_only() -> None:
    facts = verified_claims.facts_of(HANDLER, replace(PERSON, granted_until=None), [])
    assert facts.authority is not None
    assert facts.authority["permission"][0]["validity"] == [{"start": "2026-11-24"}]


def test_who_acts_for_nobody_has_no_authority() -> None:
    facts = verified_claims.facts_of(ALONE, PERSON, [MATTER])
    assert answer(ask(), facts=facts)["claims"] == {"name": "李示例"}
    assert answer(ask(None, "authority"), facts=facts) is None


def test_who_is_not_verified_has_nothing() -> None:
    facts = verified_claims.facts_of(ALONE, replace(PERSON, verified_at=None), [MATTER])
    assert answer(ask(), facts=facts) is None


@pytest.mark.parametrize(
    "verification",
    [
        {},
        {"trust_framework": {}},
        {"trust_framework": {"value": "cn_gov_real_name"}},
        {"trust_framework": {"values": ["x", "cn_gov_real_name"]}},
        {"assurance_level": {"value": "3", "essential": True}},
        {"time": {"max_age": 10 * 86400}},
        {"unknown": None},
        {"evidence": None},
    ],
)
def test_what_is_asked_and_met_is_told(verification: dict[str, Any]) -> None:
    told = answer(ask(verification))
    assert told["claims"]["name"] == "李示例"
    assert told["verification"]["trust_framework"] == TRUST_FRAMEWORK
    assert told["verification"].keys() <= {"trust_framework", *verification}


@pytest.mark.parametrize(
    "verification",
    [
        {"trust_framework": {"value": "de_aml"}},
        {"trust_framework": {"values": []}},
        {"assurance_level": {"value": "4"}},
        {"time": {"max_age": 10 * 86400 - 1}},
        {"time": {"value": "2026-11-15"}},
        {"trust_framework": {"max_age": 10}},
        {"evidence": [{"type": {"value": "document"}}]},
        {"unknown": {"value": "x"}},
        {"trust_framework": []},
    ],
)
def test_what_can_not_be_met_is_left_out_whole(verification: dict[str, Any]) -> None:
    assert answer(ask(verification)) is None


def test_a_claim_with_another_value_is_left_out_alone() -> None:
    assert "name" not in answer(ask(None, "authority", name={"value": "王示例"}))["claims"]
    assert "name" in answer(ask(None, "authority", name={"values": ["王示例", "李示例"]}))["claims"]
    assert answer(ask(None, "birthdate")) is None


def test_each_element_is_met_or_not_by_itself() -> None:
    good, bad = ask(None, "name"), ask({"trust_framework": {"value": "x"}}, "name")
    assert answer(good, bad) == answer(good)
    assert answer(good, good) == [answer(good)] * 2
    assert answer(bad) is None
    assert answer() is None


members = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from([TRUST_FRAMEWORK, "李示例"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["value", "values", "max_age", "essential", "purpose"]), inner)
    ),
    max_leaves=6,
)
names = st.sampled_from(["trust_framework", "time", "assurance_level", "evidence", "x"])
elements = st.fixed_dictionaries(
    {
        "verification": st.dictionaries(names, members),
        "claims": st.dictionaries(st.sampled_from(["name", "authority", "birthdate"]), members),
    }
)


@given(st.lists(elements, max_size=2) | elements | members)
def test_nothing_is_told_that_was_not_asked_and_nothing_breaks(asked: Any) -> None:
    text = json.dumps({"userinfo": {"verified_claims": asked}})
    requested = parse_claims_parameter(text, frozenset({"verified_claims"}))
    if not isinstance(requested, RequestedClaims):
        return
    kept = requested.verified.get("userinfo", [])
    told = verified_claims.answer(kept, FACTS, NOW)
    for element in told if isinstance(told, list) else [told] if told else []:
        assert any(
            element["claims"].keys() <= request["claims"].keys()
            and element["verification"].keys() <= request["verification"].keys()
            for request in kept
        )

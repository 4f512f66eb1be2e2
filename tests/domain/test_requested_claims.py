from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from idp.domain import claims
from idp.domain.claims import CLAIM_SCOPES
from idp.domain.errors import Refusal
from idp.domain.requested_claims import NOTHING_REQUESTED, RequestedClaims, parse_claims_parameter

ALL_SCOPES: Final = frozenset({"openid", "verified_claims", *claims.SCOPE_CLAIMS})
VERIFIED: Final = (
    '{"userinfo":{"verified_claims":{"verification":{"trust_framework":null,%s},"claims":{"name":null}}}}'
)


@pytest.mark.checklist(34)
def test_the_claims_parameter_is_reduced_to_what_is_known_and_allowed() -> None:
    text = json.dumps(
        {
            "id_token": {"email": None, "acr": {"essential": True}, "unknown": None},
            "userinfo": {"name": {"essential": True}, "phone_number": None},
            "verified_claims": {},
        }
    )
    requested = parse_claims_parameter(text, frozenset({"openid", "email", "profile"}))
    assert requested == RequestedClaims(frozenset({"email"}), frozenset({"name"}))
    assert isinstance(requested, RequestedClaims)
    assert requested.scopes == {"email", "profile"}


@pytest.mark.parametrize("text", [None, "{}", '{"id_token":null}', '{"userinfo":{}}'])
def test_nothing_asked_is_nothing_requested(text: str | None) -> None:
    assert parse_claims_parameter(text, ALL_SCOPES) == NOTHING_REQUESTED


@pytest.mark.checklist(34)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "1",
        "null",
        '"id_token"',
        '{"id_token":[]}'.replace("[]", "[1]"),
        '{"id_token":"email"}',
        '{"userinfo":7}',
        "{" * 3000,
        "[" * 3999,
        '{"id_token":{}}' + " " * 4000,
        '{"id_token":{"enterprise_credit_code":{"value":5}}}',
        '{"id_token":{"enterprise_credit_code":{"value":null}}}',
        '{"id_token":{"enterprise_credit_code":{"values":"91990101MADEM00117"}}}',
        '{"userinfo":{"enterprise_credit_code":{"values":["91990101MADEM00117",{}]}}}',
        '{"userinfo":{"enterprise_credit_code":{"value":"\\ud800"}}}',
        '{"userinfo":{"enterprise_credit_code":{"values":[]}}}',
        '{"id_token":{"sub":{"value":5}}}',
        '{"id_token":{"sub":{"values":["a","b"]}}}',
        '{"id_token":{"acr":{"values":[]}}}',
        '{"id_token":{"acr":{"value":5}}}',
        '{"userinfo":{"verified_claims":5}}',
        '{"userinfo":{"verified_claims":[5]}}',
        '{"userinfo":{"verified_claims":{}}}',
        '{"userinfo":{"verified_claims":{"verification":{},"claims":{}}}}',
        '{"userinfo":{"verified_claims":{"verification":{"trust_framework":null}}}}',
        '{"userinfo":{"verified_claims":{"verification":{"trust_framework":5},"claims":{}}}}',
        '{"id_token":{"verified_claims":{"verification":{"trust_framework":{"values":5}},"claims":{}}}}',
        VERIFIED % '"time":{"max_age":"x"}',
        VERIFIED % '"time":{"max_age":-1}',
        VERIFIED % '"time":{"max_age":true}',
        VERIFIED.replace('"name":null', '"name":{"purpose":"ab"}') % '"time":null',
        VERIFIED.replace('"name":null', '"name":{"purpose":5}') % '"time":null',
        VERIFIED.replace('"name":null', '"name":5') % '"time":null',
    ],
)
def test_what_is_not_a_claims_request_is_refused(text: str) -> None:
    refusal = parse_claims_parameter(text, ALL_SCOPES)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "claims_invalid"


@pytest.mark.parametrize(
    ("document", "pinned"),
    [
        ({"id_token": {"enterprise_credit_code": {"value": "A"}}}, {"A"}),
        ({"userinfo": {"enterprise_credit_code": {"values": ["A", "B", "A"]}}}, {"A", "B"}),
        ({"userinfo": {"enterprise_credit_code": {"essential": True}}}, None),
        ({"userinfo": {"enterprise_credit_code": None}}, None),
        (
            {
                "id_token": {"enterprise_credit_code": {"value": "A"}},
                "userinfo": {"enterprise_credit_code": {"value": "A"}},
            },
            {"A"},
        ),
        (
            {
                "id_token": {"enterprise_credit_code": {"values": ["A", "B"]}},
                "userinfo": {"enterprise_credit_code": {"values": ["B", "C"]}},
            },
            {"B"},
        ),
        (
            {
                "id_token": {"enterprise_credit_code": {"value": "A"}},
                "userinfo": {"enterprise_credit_code": {"value": "B"}},
            },
            set(),
        ),
    ],
)
def test_value_and_values_pin_the_enterprise(document: dict[str, Any], pinned: set[str] | None) -> None:
    requested = parse_claims_parameter(json.dumps(document), ALL_SCOPES)
    assert isinstance(requested, RequestedClaims)
    assert requested.enterprises == pinned


@pytest.mark.checklist(33, 34)
@pytest.mark.parametrize(
    ("document", "account_id"),
    [
        ({"id_token": {"sub": {"value": "a1"}}}, "a1"),
        ({"id_token": {"sub": {"essential": True}}}, None),
        ({"id_token": {"sub": None}}, None),
        ({"userinfo": {"sub": {"value": "a1"}}}, None),
    ],
)
def test_a_value_of_sub_names_the_only_person(document: dict[str, Any], account_id: str | None) -> None:
    requested = parse_claims_parameter(json.dumps(document), ALL_SCOPES)
    assert isinstance(requested, RequestedClaims)
    assert requested.account_id == account_id


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*CLAIM_SCOPES, "value", "x"]), inner),
    max_leaves=10,
)


@given(
    st.text() | st.dictionaries(st.sampled_from(["id_token", "userinfo", "x"]), json_values).map(json.dumps)
)
@example('{"userinfo":{"enterprise_credit_code":{"value":1e999}}}')
def test_any_text_is_understood_or_refused(text: str) -> None:
    result = parse_claims_parameter(text, ALL_SCOPES)
    if isinstance(result, RequestedClaims):
        assert result.id_token | result.userinfo <= CLAIM_SCOPES.keys()
        for enterprise in result.enterprises or ():
            enterprise.encode()


@given(
    st.frozensets(st.sampled_from(sorted(CLAIM_SCOPES))), st.frozensets(st.sampled_from(sorted(CLAIM_SCOPES)))
)
def test_requested_claims_come_back_as_they_were_stored(
    id_token: frozenset[str], userinfo: frozenset[str]
) -> None:
    requested = RequestedClaims(id_token, userinfo)
    assert RequestedClaims.from_json(requested.as_json()) == requested


def test_a_value_is_kept_and_told_apart() -> None:
    text = json.dumps(
        {"userinfo": {"email": {"value": "a"}, "name": {"values": "b"}, "roles": {"values": []}}}
    )
    requested = parse_claims_parameter(text, ALL_SCOPES)
    assert isinstance(requested, RequestedClaims)
    assert requested.accepts("userinfo", "email", "a")
    assert not requested.accepts("userinfo", "email", "b")
    assert requested.accepts("userinfo", "name", "b")
    assert not requested.accepts("userinfo", "roles", ["x"])
    assert not requested.accepts("id_token", "email", "a")
    assert RequestedClaims.from_json(requested.as_json()) == requested


def test_what_was_stored_by_the_former_version_is_read() -> None:
    stored = {"id_token": ["email"], "userinfo": []}
    assert RequestedClaims.from_json(stored) == RequestedClaims(id_token=frozenset({"email"}))


@pytest.mark.checklist(73)
@pytest.mark.parametrize(
    ("member", "values", "essential"),
    [
        (None, (), False),
        ({"essential": True}, (), False),
        ({"value": "a"}, ("a",), False),
        ({"values": ["a", "b"], "essential": True}, ("a", "b"), True),
        ({"value": "a", "essential": "yes"}, ("a",), False),
    ],
)
def test_acr_may_be_asked_and_be_essential(member: Any, values: tuple[str, ...], essential: bool) -> None:
    requested = parse_claims_parameter(json.dumps({"id_token": {"acr": member}}), ALL_SCOPES)
    assert isinstance(requested, RequestedClaims)
    assert (requested.acr_values, requested.acr_essential) == (values, essential)


def test_verified_claims_are_kept_as_they_were_asked_where_the_client_may() -> None:
    text = VERIFIED % '"time":{"max_age":60},"evidence":[{"type":{"value":"document"}}]'
    requested = parse_claims_parameter(text, ALL_SCOPES)
    assert isinstance(requested, RequestedClaims)
    assert requested.verified.keys() == {"userinfo"}
    assert requested.scopes == {"verified_claims"}
    assert not requested.need_person
    assert RequestedClaims.from_json(requested.as_json()) == requested
    assert parse_claims_parameter(text, frozenset({"openid"})) == NOTHING_REQUESTED
    in_id_token = parse_claims_parameter(text.replace("userinfo", "id_token"), ALL_SCOPES)
    assert isinstance(in_id_token, RequestedClaims)
    assert in_id_token.need_person


@pytest.mark.parametrize(
    ("requested", "needed"),
    [
        (NOTHING_REQUESTED, False),
        (RequestedClaims(id_token=frozenset({"account_type", "roles"})), False),
        (RequestedClaims(userinfo=frozenset({"email"})), False),
        (RequestedClaims(id_token=frozenset({"account_type", "email"})), True),
    ],
)
def test_the_person_is_read_only_for_personal_claims_of_an_id_token(
    requested: RequestedClaims, needed: bool
) -> None:
    assert requested.need_person is needed

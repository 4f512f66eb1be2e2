from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from idp.domain import claims
from idp.domain.claims import (
    CLAIM_SCOPES,
    NOTHING_REQUESTED,
    PersonalData,
    RequestedClaims,
    Subject,
    parse_claims_parameter,
)
from idp.domain.errors import Refusal

ALL_SCOPES: Final = frozenset({"openid", *claims.SCOPE_CLAIMS})
HANDLER: Final = Subject(
    account_id="a1",
    account_type="handler",
    auth_time=1_000,
    acr="urn:gsp:acr:2fa",
    amr=("pwd", "sms", "mfa"),
    sid="s1",
    enterprise_credit_code="91990101MADEM00117",
    enterprise_name="示例新能源汽车有限公司",
    handler_authorization_id="h1",
    handler_scope=("nev-accident-report",),
    roles=("regulator",),
)
LEGAL_PERSON: Final = replace(
    HANDLER, account_type="legal_person", handler_authorization_id=None, handler_scope=()
)
PERSON: Final = PersonalData("li", "李示例", "li@example.invalid", "19900001234", "示例路 1 号", 99)
BARE: Final = Subject("a2", None, 1_000, "urn:gsp:acr:2fa", ("pwd",))
SIGN_IN: Final = {"auth_time": 1_000, "acr": "urn:gsp:acr:2fa", "amr": ["pwd", "sms", "mfa"]}


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
    ],
)
def test_what_is_not_a_claims_request_is_refused(text: str) -> None:
    refusal = parse_claims_parameter(text, ALL_SCOPES)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "claims_invalid"


@pytest.mark.parametrize(
    ("document", "pinned"),
    [
        ({"id_token": {"enterprise_credit_code": {"value": "A"}}}, ("A",)),
        ({"userinfo": {"enterprise_credit_code": {"values": ["A", "B", "A"]}}}, ("A", "B")),
        ({"userinfo": {"enterprise_credit_code": {"essential": True}}}, ()),
        ({"userinfo": {"enterprise_credit_code": None}}, ()),
        (
            {
                "id_token": {"enterprise_credit_code": {"value": "A"}},
                "userinfo": {"enterprise_credit_code": {"value": "A"}},
            },
            ("A",),
        ),
    ],
)
def test_value_and_values_pin_the_enterprise(document: dict[str, Any], pinned: tuple[str, ...]) -> None:
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
        for enterprise in result.enterprises:
            enterprise.encode()


@given(
    st.frozensets(st.sampled_from(sorted(CLAIM_SCOPES))), st.frozensets(st.sampled_from(sorted(CLAIM_SCOPES)))
)
def test_requested_claims_come_back_as_they_were_stored(
    id_token: frozenset[str], userinfo: frozenset[str]
) -> None:
    requested = RequestedClaims(id_token, userinfo)
    assert RequestedClaims.from_json(requested.as_json()) == requested


def test_handler_scope_is_what_the_authorisation_covers_and_the_client_serves() -> None:
    assert claims.handler_scope(("a", "b", "c"), ("c", "a", "x")) == ("a", "c")
    assert claims.handler_scope(("a",), ("b",)) == ()


def test_a_handler_has_the_mandate_of_one_enterprise() -> None:
    assert claims.mandate_claims(HANDLER) == {
        "account_type": "handler",
        "enterprise_credit_code": "91990101MADEM00117",
        "enterprise_name": "示例新能源汽车有限公司",
        "handler_scope": ["nev-accident-report"],
        "handler_authorization_id": "h1",
        "roles": ["regulator"],
    }


def test_only_a_handler_has_a_handler_scope() -> None:
    assert claims.mandate_claims(LEGAL_PERSON).keys() == {
        "account_type",
        "enterprise_credit_code",
        "enterprise_name",
        "roles",
    }
    assert (
        claims.mandate_claims(replace(LEGAL_PERSON, handler_scope=("x",))).keys() & {"handler_scope"} == set()
    )


def test_who_is_not_verified_has_no_mandate() -> None:
    assert claims.mandate_claims(BARE) == {}


@pytest.mark.parametrize(
    ("scopes", "names"),
    [
        (frozenset(), set()),
        ({"openid", "profile", "email"}, set()),
        ({"enterprise"}, {"account_type", "enterprise_credit_code"}),
        ({"handler"}, {"handler_scope", "handler_authorization_id"}),
        ({"roles"}, {"roles"}),
    ],
)
def test_an_access_token_tells_the_granted_mandate_and_no_names(
    scopes: frozenset[str], names: set[str]
) -> None:
    told = claims.access_token_claims(HANDLER, frozenset(scopes))
    assert told.keys() == names | SIGN_IN.keys()
    assert "sid" not in told


@pytest.mark.checklist(72, 73, 74, 77)
def test_an_id_token_tells_the_sign_in_and_the_granted_mandate_but_nothing_personal() -> None:
    assert claims.id_token_claims(BARE, None, ALL_SCOPES, NOTHING_REQUESTED) == {
        "auth_time": 1_000,
        "acr": "urn:gsp:acr:2fa",
        "amr": ["pwd"],
    }
    told = claims.id_token_claims(HANDLER, PERSON, ALL_SCOPES, NOTHING_REQUESTED)
    assert told == SIGN_IN | {"sid": "s1"} | claims.mandate_claims(HANDLER)


@pytest.mark.checklist(34, 74)
def test_personal_claims_enter_an_id_token_when_asked_for_there() -> None:
    requested = RequestedClaims(id_token=frozenset({"email", "account_type"}))
    told = claims.id_token_claims(HANDLER, PERSON, frozenset({"openid"}), requested)
    assert told == SIGN_IN | {"sid": "s1", "email": "li@example.invalid", "account_type": "handler"}


@pytest.mark.checklist(80, 81)
def test_userinfo_tells_all_that_the_scopes_cover() -> None:
    assert claims.userinfo_claims(HANDLER, PERSON, ALL_SCOPES, NOTHING_REQUESTED) == claims.mandate_claims(
        HANDLER
    ) | {
        "name": "李示例",
        "preferred_username": "li",
        "updated_at": 99,
        "email": "li@example.invalid",
        "email_verified": False,
        "phone_number": "+8619900001234",
        "phone_number_verified": True,
        "address": {"formatted": "示例路 1 号"},
    }


@pytest.mark.checklist(80)
def test_userinfo_leaves_out_what_is_unknown() -> None:
    unknown = PersonalData("li", None, "", "", None, 99)
    told = claims.userinfo_claims(BARE, unknown, ALL_SCOPES, NOTHING_REQUESTED)
    assert told == {"preferred_username": "li", "updated_at": 99}


def test_a_legal_person_is_named_as_its_enterprise() -> None:
    told = claims.userinfo_claims(
        LEGAL_PERSON, replace(PERSON, name=None), frozenset({"profile"}), NOTHING_REQUESTED
    )
    assert told["name"] == "示例新能源汽车有限公司"


@pytest.mark.checklist(34)
def test_userinfo_adds_what_was_asked_for_there_and_only_there() -> None:
    requested = RequestedClaims(
        id_token=frozenset({"address"}), userinfo=frozenset({"phone_number", "roles"})
    )
    told = claims.userinfo_claims(HANDLER, PERSON, frozenset({"openid"}), requested)
    assert told == {"phone_number": "+8619900001234", "roles": ["regulator"]}


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
    assert claims.needs_person(requested) is needed

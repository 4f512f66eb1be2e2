from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

import pytest

from idp.domain import claims
from idp.domain.claims import PersonalData, Subject, nothing_asked
from idp.domain.requested_claims import RequestedClaims

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
    assert claims.id_token_claims(BARE, None, ALL_SCOPES, nothing_asked) == {
        "auth_time": 1_000,
        "acr": "urn:gsp:acr:2fa",
        "amr": ["pwd"],
    }
    told = claims.id_token_claims(HANDLER, PERSON, ALL_SCOPES, nothing_asked)
    assert told == SIGN_IN | {"sid": "s1"} | claims.mandate_claims(HANDLER)


@pytest.mark.checklist(34, 74)
def test_personal_claims_enter_an_id_token_when_asked_for_there() -> None:
    requested = RequestedClaims(id_token=frozenset({"email", "account_type"}))
    told = claims.id_token_claims(
        HANDLER, PERSON, frozenset({"openid"}), partial(requested.accepts, "id_token")
    )
    assert told == SIGN_IN | {"sid": "s1", "email": "li@example.invalid", "account_type": "handler"}


@pytest.mark.checklist(80, 81)
def test_userinfo_tells_all_that_the_scopes_cover() -> None:
    assert claims.userinfo_claims(HANDLER, PERSON, ALL_SCOPES, nothing_asked) == claims.mandate_claims(
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
    told = claims.userinfo_claims(BARE, unknown, ALL_SCOPES, nothing_asked)
    assert told == {"preferred_username": "li", "updated_at": 99}


def test_a_legal_person_is_named_as_its_enterprise() -> None:
    told = claims.userinfo_claims(
        LEGAL_PERSON, replace(PERSON, name=None), frozenset({"profile"}), nothing_asked
    )
    assert told["name"] == "示例新能源汽车有限公司"


@pytest.mark.checklist(34)
def test_userinfo_adds_what_was_asked_for_there_and_only_there() -> None:
    requested = RequestedClaims(
        id_token=frozenset({"address"}), userinfo=frozenset({"phone_number", "roles"})
    )
    told = claims.userinfo_claims(
        HANDLER, PERSON, frozenset({"openid"}), partial(requested.accepts, "userinfo")
    )
    assert told == {"phone_number": "+8619900001234", "roles": ["regulator"]}


def test_the_document_is_told_by_its_scope_alone() -> None:
    known = replace(PERSON, document_type="id_card", document_number="990101199001010019")
    asked = partial(RequestedClaims(userinfo=frozenset({"document_number"})).accepts, "userinfo")
    assert claims.userinfo_claims(HANDLER, known, frozenset({"openid"}), asked) == {}
    told = claims.userinfo_claims(HANDLER, known, frozenset({"identity_document"}), nothing_asked)
    assert told == {"document_type": "id_card", "document_number": "990101199001010019"}
    asked = partial(RequestedClaims(id_token=frozenset({"document_number"})).accepts, "id_token")
    assert "document_number" not in claims.id_token_claims(HANDLER, known, ALL_SCOPES, asked)

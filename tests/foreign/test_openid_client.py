"""``openid-client`` from npm, which checks every answer and every signature itself."""

from __future__ import annotations

import pytest

from tests.foreign.openid_client import OpenIdClient, Refused
from tests.foreign.sites import CREDIT_CODE, ENTERPRISE, MATTER, let_in, sign_in
from tests.journeys.people import Person


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_a_code_flow_tells_for_which_enterprise_the_person_acts(
    method: str, openid: OpenIdClient, person: Person
) -> None:
    openid.register(token_endpoint_auth_method=method)
    tokens = openid.tokens(person)
    claims = tokens["claims"]
    assert claims["account_type"] == "handler"
    assert claims["enterprise_credit_code"] == CREDIT_CODE
    assert claims["handler_scope"] == [MATTER]
    userinfo = openid.userinfo(tokens)
    assert userinfo["enterprise_name"] == ENTERPRISE
    assert userinfo["handler_authorization_id"] == claims["handler_authorization_id"]


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "RS256"])
def test_a_client_authenticates_by_its_key_everywhere(
    algorithm: str, openid: OpenIdClient, person: Person
) -> None:
    client = openid.register(**openid.key(algorithm), id_token_signed_response_alg="ES256")
    tokens = openid.tokens(person)
    assert openid.introspect(tokens)["client_id"] == client["client_id"]
    openid.program.ask("revoke", token=tokens["access_token"])
    assert openid.introspect(tokens) == {"active": False}


def test_a_refresh_token_is_rotated(openid: OpenIdClient, person: Person) -> None:
    openid.register()
    first = openid.tokens(person)
    second = openid.refresh(first)
    third = openid.refresh(second)
    assert len({tokens["refresh_token"] for tokens in (first, second, third)}) == 3
    assert openid.introspect(third)["enterprise_credit_code"] == CREDIT_CODE
    with pytest.raises(Refused, match="invalid_grant"):
        openid.refresh(first)


def test_what_is_introspected_dies_with_its_refresh_token(openid: OpenIdClient, person: Person) -> None:
    openid.register()
    tokens = openid.tokens(person)
    introspection = openid.introspect(tokens)
    assert introspection["active"] is True
    assert introspection["handler_scope"] == [MATTER]
    openid.program.ask("revoke", token=tokens["refresh_token"])
    assert openid.introspect(tokens) == {"active": False}
    with pytest.raises(Refused, match="invalid_token"):
        openid.userinfo(tokens)


def test_a_code_is_redeemed_once(openid: OpenIdClient, person: Person) -> None:
    openid.register()
    page = let_in(person, openid.url())
    openid.answer(page)
    with pytest.raises(Refused, match="invalid_grant"):
        openid.answer(page)


def test_an_answer_can_come_as_a_form(openid: OpenIdClient, person: Person) -> None:
    openid.register()
    page = let_in(person, openid.url(response_mode="form_post"))
    page = person.submit(page, "code")
    assert page.url == f"{openid.landing.url}/callback"
    assert openid.answer(page)["claims"]["enterprise_credit_code"] == CREDIT_CODE


def test_who_does_not_agree_is_sent_back_with_nothing(openid: OpenIdClient, person: Person) -> None:
    openid.register()
    page = person.submit(sign_in(person, openid.url()), "consent-deny")
    with pytest.raises(Refused, match="access_denied"):
        openid.answer(page)


def test_signing_out_ends_the_sign_in_everywhere(openid: OpenIdClient, person: Person) -> None:
    openid.register()
    tokens = openid.tokens(person)
    address = f"{openid.landing.url}/bye"
    parameters = {
        "post_logout_redirect_uri": address,
        "id_token_hint": tokens["id_token"],
        "state": "done",
    }
    page = person.open(openid.program.ask("logout", parameters=parameters))
    assert page.url == f"{address}?state=done"
    assert openid.introspect(tokens) == {"active": False}
    page = person.open(openid.url(prompt="none"))
    with pytest.raises(Refused, match="login_required"):
        openid.answer(page)

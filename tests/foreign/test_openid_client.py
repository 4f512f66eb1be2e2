"""``openid-client`` from npm, which checks every answer and every signature itself."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.foreign.openid_client import OpenIdClient, Refused
from tests.foreign.sites import CREDIT_CODE, ENTERPRISE, MATTER, SCOPE, let_in, sign_in
from tests.journeys.people import DEMO_PASSWORD, PHONES, Page, Person

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
either_installation = pytest.mark.parametrize("platform", ["as_it_comes", "with_nonces"], indirect=True)


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


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA", "RS256"])
def test_a_client_authenticates_by_its_key_everywhere(
    algorithm: str, openid: OpenIdClient, person: Person
) -> None:
    client = openid.register(**openid.key(algorithm))
    tokens = openid.tokens(person)
    assert openid.introspect(tokens)["client_id"] == client["client_id"]
    openid.program.ask("revoke", token=tokens["access_token"])
    assert openid.introspect(tokens) == {"active": False}


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA", "RS256"])
def test_the_provider_signs_with_the_registered_algorithm(
    algorithm: str, openid: OpenIdClient, person: Person
) -> None:
    openid.register(
        id_token_signed_response_alg=algorithm,
        access_token_signed_response_alg=algorithm,
        userinfo_signed_response_alg=algorithm,
        introspection_signed_response_alg=algorithm,
    )
    tokens = openid.tokens(person)
    assert openid.introspect(tokens)["enterprise_credit_code"] == CREDIT_CODE
    assert openid.userinfo(tokens)["enterprise_credit_code"] == CREDIT_CODE


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


def on_a_device(openid: OpenIdClient, person: Person) -> Page:
    """Start on a device, which asks for its tokens from now on; the question that its owner is shown."""
    openid.register(
        grant_types=[DEVICE_CODE, "refresh_token"],
        redirect_uris=[],
        token_endpoint_auth_method="none",
        bound="ES256",
        dpop_bound_access_tokens=True,
    )
    device = openid.program.ask("device", parameters={"scope": SCOPE})
    openid.program.begin("poll")
    page = person.submit(
        person.open(device["verification_uri"]), "device-submit", {"user_code": device["user_code"].lower()}
    )
    return person.sign_in(page, "demo_handler", PHONES["handler"], DEMO_PASSWORD)


def test_a_device_gets_its_tokens_when_the_person_agrees(openid: OpenIdClient, person: Person) -> None:
    page = person.submit(on_a_device(openid, person), "consent-approve")
    assert "设备已登录" in page.text
    tokens = openid.program.result()
    assert tokens["claims"]["enterprise_credit_code"] == CREDIT_CODE
    assert openid.userinfo(openid.refresh(tokens))["handler_scope"] == [MATTER]


def test_a_device_gets_nothing_when_the_person_refuses(openid: OpenIdClient, person: Person) -> None:
    person.submit(on_a_device(openid, person), "consent-deny")
    with pytest.raises(Refused, match="access_denied"):
        openid.program.result()


def test_a_request_can_be_pushed(openid: OpenIdClient, person: Person) -> None:
    openid.register(require_pushed_authorization_requests=True)
    url = openid.url(by="par")
    assert parse_qs(urlsplit(url).query).keys() == {"client_id", "request_uri"}
    tokens = openid.answer(let_in(person, url))
    assert tokens["claims"]["enterprise_credit_code"] == CREDIT_CODE


@pytest.mark.parametrize("by", ["jar", "signedPar"])
def test_a_request_can_be_signed(by: str, openid: OpenIdClient, person: Person) -> None:
    openid.register(**openid.key("ES256"), require_signed_request_object=True)
    assert openid.tokens(person, by)["claims"]["enterprise_credit_code"] == CREDIT_CODE


def test_an_answer_can_be_signed(openid: OpenIdClient, person: Person) -> None:
    openid.register(authorization_signed_response_alg="ES256", jarm=True)
    page = let_in(person, openid.url())
    assert parse_qs(urlsplit(page.url).query).keys() == {"response"}
    assert openid.answer(page)["claims"]["enterprise_credit_code"] == CREDIT_CODE


@either_installation
@pytest.mark.parametrize(
    ("method", "algorithm"),
    [("client_secret_basic", "ES256"), ("client_secret_basic", "PS256"), ("none", "EdDSA")],
)
def test_tokens_can_be_bound_to_a_key(
    method: str, algorithm: str, openid: OpenIdClient, person: Person
) -> None:
    openid.register(bound=algorithm, dpop_bound_access_tokens=True, token_endpoint_auth_method=method)
    tokens = openid.tokens(person)
    assert tokens["token_type"] == "dpop"
    refreshed = openid.refresh(tokens)
    assert openid.userinfo(refreshed)["enterprise_credit_code"] == CREDIT_CODE


def test_a_bound_token_is_worth_nothing_without_its_key(openid: OpenIdClient, person: Person) -> None:
    client = openid.register(bound="ES256", dpop_bound_access_tokens=True)
    tokens = openid.tokens(person)
    openid.discover(client)
    with pytest.raises(Refused, match="invalid_token"):
        openid.userinfo(tokens)


@either_installation
def test_a_client_lives_by_the_security_profile(openid: OpenIdClient, person: Person) -> None:
    openid.register(**openid.key("ES256"), profile="fapi2", bound="ES256")
    tokens = openid.tokens(person, "par")
    assert tokens["token_type"] == "dpop"
    refreshed = openid.refresh(tokens)
    assert refreshed.get("refresh_token", tokens["refresh_token"]) == tokens["refresh_token"]
    assert openid.introspect(refreshed)["cnf"].keys() == {"jkt"}


def test_a_client_of_the_security_profile_must_push(openid: OpenIdClient, person: Person) -> None:
    openid.register(**openid.key("ES256"), profile="fapi2", bound="ES256")
    page = person.open(openid.url())
    with pytest.raises(Refused, match="invalid_request"):
        openid.answer(page)


def test_a_client_of_the_message_signing_profile_signs_in(openid: OpenIdClient, person: Person) -> None:
    openid.register(**openid.key("ES256"), profile="fapi2-message-signing", bound="ES256", jarm=True)
    tokens = openid.tokens(person, "signedPar")
    assert openid.introspect(tokens)["enterprise_credit_code"] == CREDIT_CODE

"""``openid-client`` from npm, which checks every answer and every signature itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.applications import Applications
from tests.foreign.openid_client import OpenIdClient, Refused
from tests.foreign.sites import CREDIT_CODE, ENTERPRISE, MATTER, SCOPE, Landing, let_in, sign_in
from tests.journeys.people import Person


@pytest.fixture
def registration(landing: Landing) -> dict[str, Any]:
    """What every client of these tests says of itself."""
    return {
        "client_name": "示例外部系统",
        "redirect_uris": [f"{landing.url}/callback"],
        "post_logout_redirect_uris": [f"{landing.url}/bye"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": f"{SCOPE} profile",
        "matters": [MATTER],
    }


def signs_in(
    openid: OpenIdClient,
    person: Person,
    landing: Landing,
    **request: Any,
) -> dict[str, Any]:
    """The tokens of a code flow, whose person signs in and agrees on the way."""
    parameters = {"redirect_uri": f"{landing.url}/callback", "scope": SCOPE} | request.pop("parameters", {})
    page = let_in(person, openid.ask("authorize", parameters=parameters, **request))
    tokens: dict[str, Any] = openid.ask("callback", url=page.url, form=landing.form)
    return tokens


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_a_code_flow_tells_for_which_enterprise_the_person_acts(
    method: str,
    platform: Applications,
    registration: dict[str, Any],
    openid: OpenIdClient,
    person: Person,
    landing: Landing,
) -> None:
    client = platform.register(registration | {"token_endpoint_auth_method": method})
    openid.ask("discover", issuer=platform.idp_url, client=client)
    tokens = signs_in(openid, person, landing)
    claims = tokens["claims"]
    assert claims["account_type"] == "handler"
    assert claims["enterprise_credit_code"] == CREDIT_CODE
    assert claims["handler_scope"] == [MATTER]
    userinfo = openid.ask("userinfo", token=tokens["access_token"], sub=claims["sub"])
    assert userinfo["enterprise_name"] == ENTERPRISE
    assert userinfo["handler_authorization_id"] == claims["handler_authorization_id"]


@pytest.mark.parametrize("alg", ["ES256", "PS256", "RS256"])
def test_a_client_can_authenticate_by_its_key(
    alg: str,
    platform: Applications,
    registration: dict[str, Any],
    openid: OpenIdClient,
    person: Person,
    landing: Landing,
) -> None:
    client = platform.register(
        registration
        | {
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": alg,
            "jwks": openid.ask("keys", alg=alg),
            "id_token_signed_response_alg": "ES256",
        }
    )
    openid.ask("discover", issuer=platform.idp_url, client=client)
    tokens = signs_in(openid, person, landing)
    assert openid.ask("introspect", token=tokens["access_token"])["client_id"] == client["client_id"]


@pytest.fixture
def client(platform: Applications, registration: dict[str, Any], openid: OpenIdClient) -> dict[str, Any]:
    """openid-client as a web application with a secret."""
    client = platform.register(registration)
    openid.ask("discover", issuer=platform.idp_url, client=client)
    return client


def test_a_refresh_token_is_rotated(
    client: dict[str, Any], openid: OpenIdClient, person: Person, landing: Landing
) -> None:
    first = signs_in(openid, person, landing)
    second = openid.ask("refresh", token=first["refresh_token"])
    third = openid.ask("refresh", token=second["refresh_token"])
    assert len({tokens["refresh_token"] for tokens in (first, second, third)}) == 3
    assert openid.ask("introspect", token=third["access_token"])["enterprise_credit_code"] == CREDIT_CODE
    with pytest.raises(Refused) as refused:
        openid.ask("refresh", token=first["refresh_token"])
    assert refused.value.error == "invalid_grant"


def test_what_is_introspected_dies_with_its_revocation(
    client: dict[str, Any], openid: OpenIdClient, person: Person, landing: Landing
) -> None:
    tokens = signs_in(openid, person, landing)
    introspection = openid.ask("introspect", token=tokens["access_token"])
    assert introspection["active"] is True
    assert introspection["handler_scope"] == [MATTER]
    openid.ask("revoke", token=tokens["refresh_token"])
    assert openid.ask("introspect", token=tokens["access_token"]) == {"active": False}
    with pytest.raises(Refused) as refused:
        openid.ask("userinfo", token=tokens["access_token"], sub=tokens["claims"]["sub"])
    assert refused.value.status == 401


def test_a_code_is_redeemed_once(
    client: dict[str, Any], openid: OpenIdClient, person: Person, landing: Landing
) -> None:
    parameters = {"redirect_uri": f"{landing.url}/callback", "scope": SCOPE}
    page = let_in(person, openid.ask("authorize", parameters=parameters))
    openid.ask("callback", url=page.url)
    with pytest.raises(Refused) as refused:
        openid.ask("callback", url=page.url)
    assert refused.value.error == "invalid_grant"


def test_an_answer_can_come_as_a_form(
    client: dict[str, Any], openid: OpenIdClient, person: Person, landing: Landing
) -> None:
    parameters = {"redirect_uri": f"{landing.url}/callback", "scope": SCOPE, "response_mode": "form_post"}
    page = let_in(person, openid.ask("authorize", parameters=parameters))
    page = person.submit(page, "code")
    assert page.url == f"{landing.url}/callback"
    tokens = openid.ask("callback", url=page.url, form=landing.form)
    assert tokens["claims"]["enterprise_credit_code"] == CREDIT_CODE


def test_who_does_not_agree_is_sent_back_with_nothing(
    client: dict[str, Any], openid: OpenIdClient, person: Person, landing: Landing
) -> None:
    parameters = {"redirect_uri": f"{landing.url}/callback", "scope": SCOPE}
    page = sign_in(person, openid.ask("authorize", parameters=parameters))
    page = person.submit(page, "consent-deny")
    with pytest.raises(Refused) as refused:
        openid.ask("callback", url=page.url)
    assert refused.value.error == "access_denied"


def test_signing_out_ends_the_sign_in_everywhere(
    client: dict[str, Any], openid: OpenIdClient, person: Person, landing: Landing
) -> None:
    tokens = signs_in(openid, person, landing)
    bye = {"post_logout_redirect_uri": f"{landing.url}/bye", "state": "done"}
    page = person.open(openid.ask("logout", parameters=bye | {"id_token_hint": tokens["id_token"]}))
    assert page.url == f"{landing.url}/bye?state=done"
    assert openid.ask("introspect", token=tokens["access_token"]) == {"active": False}
    parameters = {"redirect_uri": f"{landing.url}/callback", "scope": SCOPE, "prompt": "none"}
    page = person.open(openid.ask("authorize", parameters=parameters))
    with pytest.raises(Refused) as refused:
        openid.ask("callback", url=page.url)
    assert refused.value.error == "login_required"

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import pytest

from idp.domain.audit import Origin
from idp.services import clients
from idp.services.platform import Platform
from tests.oauth.browser import answer_of
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.relying_party import ISSUER, RelyingParty, assert_error, claims_of

REPORTS: Final = "https://reports.example/api"
RECALLS: Final = "https://recalls.example/api"
SCOPE: Final = "openid enterprise handler report:submit recall:read"


@pytest.fixture(autouse=True)
def servers(register: RegisterClient) -> list[RelyingParty]:
    return [
        register(scope="report:submit", resources=[REPORTS], grant_types=["client_credentials"]),
        register(scope="recall:read", resources=[RECALLS], grant_types=["client_credentials"]),
    ]


@pytest.fixture
def maker(register: RegisterClient, scene: Scene) -> RelyingParty:
    rp = register(scope=SCOPE, grant_types=["authorization_code", "refresh_token", "client_credentials"])
    page = scene.browser.authorize(rp, scope=SCOPE)
    scene.browser.press(page.location, decision="allow")
    return rp


def code_for(scene: Scene, rp: RelyingParty, *asked: str) -> str:
    query = urlencode([*rp.request(scope=SCOPE).items(), *(("resource", uri) for uri in asked)])
    return answer_of(scene.browser.get(f"/oauth/authorize?{query}"))["code"]


def redeem(rp: RelyingParty, code: str, *asked: str) -> Any:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": rp.request()["redirect_uri"],
        "code_verifier": "v" * 43,
    }
    return _post(rp, [*form.items(), *(("resource", uri) for uri in asked)])


def _post(rp: RelyingParty, pairs: list[tuple[str, str]]) -> Any:
    headers, members = rp.proof()
    body = urlencode([*members.items(), *pairs])
    content_type = "application/x-www-form-urlencoded"
    return rp.http.post("/oauth/token", data=body, content_type=content_type, headers=headers)


def token_of(response: Any, rp: RelyingParty) -> tuple[Any, str]:
    assert response.status_code == 200, response.text
    claims = claims_of(response.get_json()["access_token"], rp.http)
    assert claims["scope"] == response.get_json()["scope"]
    return claims["aud"], claims["scope"]


def test_without_a_resource_the_scopes_choose(scene: Scene, maker: RelyingParty) -> None:
    audience, scope = token_of(redeem(maker, code_for(scene, maker)), maker)
    assert sorted(audience) == sorted([REPORTS, RECALLS])
    assert scope == "enterprise handler openid recall:read report:submit"


def test_a_resource_of_the_request_is_the_audience(scene: Scene, maker: RelyingParty) -> None:
    audience, scope = token_of(redeem(maker, code_for(scene, maker, REPORTS)), maker)
    assert (audience, scope) == (REPORTS, "enterprise handler openid report:submit")


def test_the_token_request_chooses_among_those_granted(scene: Scene, maker: RelyingParty) -> None:
    response = redeem(maker, code_for(scene, maker, REPORTS, RECALLS), RECALLS)
    assert token_of(response, maker) == (RECALLS, "enterprise handler openid recall:read")
    refreshed = _post(
        maker,
        [
            ("grant_type", "refresh_token"),
            ("refresh_token", response.get_json()["refresh_token"]),
            ("resource", REPORTS),
        ],
    )
    assert token_of(refreshed, maker) == (REPORTS, "enterprise handler openid report:submit")


def test_the_platform_itself_is_a_resource(scene: Scene, maker: RelyingParty) -> None:
    response = redeem(maker, code_for(scene, maker), ISSUER)
    assert token_of(response, maker) == (ISSUER, "enterprise handler openid")
    assert maker.userinfo(response.get_json()["access_token"]).status_code == 200


@pytest.mark.parametrize("uri", ["https://unknown.example/", "x", "中", f"{REPORTS}/", f"{REPORTS}#x"])
def test_an_unknown_resource_is_told_to_the_client(scene: Scene, maker: RelyingParty, uri: str) -> None:
    answer = answer_of(scene.browser.authorize(maker, scope=SCOPE, resource=uri))
    assert answer["error"] == "invalid_target"
    assert_error(redeem(maker, code_for(scene, maker), uri), "invalid_target")


def test_more_resources_than_anybody_needs_are_refused(scene: Scene, maker: RelyingParty) -> None:
    query = urlencode([*maker.request(scope=SCOPE).items(), *[("resource", REPORTS)] * 21])
    assert answer_of(scene.browser.get(f"/oauth/authorize?{query}"))["error"] == "invalid_target"


def test_what_was_not_granted_can_not_be_asked_for_later(scene: Scene, maker: RelyingParty) -> None:
    first = redeem(maker, code_for(scene, maker, REPORTS))
    refresh_token = first.get_json()["refresh_token"]
    pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)]
    assert_error(_post(maker, [*pairs, ("resource", RECALLS)]), "invalid_target")
    assert _post(maker, pairs).status_code == 200  # the refusal cost no token


def test_a_disabled_resource_server_gets_no_tokens(
    scene: Scene, maker: RelyingParty, servers: list[RelyingParty], platform: Platform
) -> None:
    code = code_for(scene, maker, REPORTS)
    clients.disable(platform, servers[0].client_id, Origin("", "", ""))
    assert_error(redeem(maker, code), "invalid_target")


def test_a_client_s_own_token_is_for_the_resource_it_names(maker: RelyingParty) -> None:
    response = _post(maker, [("grant_type", "client_credentials"), ("resource", RECALLS)])
    assert token_of(response, maker) == (RECALLS, "recall:read")


def test_only_whom_a_token_is_meant_for_may_introspect_it(
    scene: Scene, maker: RelyingParty, servers: list[RelyingParty]
) -> None:
    token = redeem(maker, code_for(scene, maker, REPORTS)).get_json()["access_token"]
    assert servers[0].introspect(token)["aud"] == REPORTS
    assert servers[1].introspect(token) == {"active": False}

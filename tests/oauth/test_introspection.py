from __future__ import annotations

import pytest

from idp.services import clients
from idp.services.platform import Platform
from tests.oauth.browser import ORIGIN, answer_of
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.people import People
from tests.oauth.relying_party import CLIENT_KEY, ISSUER, RelyingParty, assert_error, claims_of
from tests.services.conftest import MovableClock

INACTIVE = {"active": False}
API = "https://api.example/v1"


@pytest.fixture
def api(register: RegisterClient) -> RelyingParty:
    """A resource server with keys of its own."""
    return register(
        client_name="API",
        scope="openid report:submit",
        resources=[API],
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [CLIENT_KEY.as_dict(private=False)]},
    )


def test_an_access_token_is_told_with_its_mandate(scene: Scene) -> None:
    token = scene.tokens().access_token
    told = scene.rp.introspect(token)
    assert told == {"active": True, "token_type": "Bearer"} | claims_of(token, scene.rp.http)
    assert told["iss"] == ISSUER
    assert told["handler_scope"] == ["nev-accident-report"]


def test_the_answer_is_never_cached(scene: Scene) -> None:
    response = scene.rp.post("/oauth/introspect", {"token": "x"})
    assert response.headers["Cache-Control"] == "no-store"
    assert response.mimetype == "application/json"


def test_a_refresh_token_is_told_to_its_client_while_it_is_the_current_one(scene: Scene) -> None:
    first = scene.tokens().refresh_token
    told = scene.rp.introspect(first, token_type_hint="refresh_token")
    assert told["active"] is True
    assert told["client_id"] == scene.rp.client_id
    assert "token_type" not in told
    second = scene.rp.refresh(first).get_json()["refresh_token"]
    assert scene.rp.introspect(first) == INACTIVE
    assert scene.rp.introspect(second)["active"] is True


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "unknown", "中"])
def test_a_hint_changes_nothing(scene: Scene, hint: str) -> None:
    tokens = scene.tokens()
    for token in (tokens.access_token, tokens.refresh_token):
        assert scene.rp.introspect(token, token_type_hint=hint)["active"] is True


def test_another_client_is_told_nothing(register: RegisterClient, scene: Scene) -> None:
    other = register()
    tokens = scene.tokens()
    for token in (tokens.access_token, tokens.refresh_token, tokens.id_token):
        assert other.introspect(token) == INACTIVE


def test_a_resource_server_is_told_of_tokens_meant_for_it(
    register: RegisterClient, scene: Scene, api: RelyingParty
) -> None:
    rp = register(scope="openid enterprise report:submit")
    response = scene.browser.authorize(rp, scope="openid enterprise report:submit")
    code = answer_of(scene.browser.press(response.location, decision="allow"))["code"]
    meant = rp.redeem(code).get_json()
    told = api.introspect(meant["access_token"])
    assert (told["active"], told["aud"], told["client_id"]) == (True, API, rp.client_id)
    assert told["enterprise_credit_code"] == "91990101MADEM00117"
    assert api.introspect(meant["refresh_token"]) == INACTIVE
    assert api.introspect(scene.tokens().access_token) == INACTIVE


def test_the_mandate_is_told_as_it_is_at_this_moment(scene: Scene, people: People) -> None:
    token = scene.tokens(scope="openid enterprise").access_token
    people.change_handler(scene.handler_authorization_id, matters=["nev-accident-report", "more"])
    assert scene.rp.introspect(token)["active"] is True
    people.change_handler(scene.handler_authorization_id, matters=["more"])
    assert scene.rp.introspect(token) == INACTIVE


def test_a_public_client_is_told_nothing(register: RegisterClient, scene: Scene) -> None:
    app = register(token_endpoint_auth_method="none")
    scene.browser.allow(app, scene.account_id, scene.enterprise_id)
    tokens = app.redeem(scene.browser.code_for(app)).get_json()
    assert app.introspect(tokens["access_token"]) == INACTIVE


def test_an_expired_token_is_inactive(scene: Scene, time: MovableClock) -> None:
    token = scene.tokens().access_token
    time.advance(minutes=5)
    assert scene.rp.introspect(token) == INACTIVE


def test_a_disabled_clients_tokens_are_inactive(
    register: RegisterClient, scene: Scene, api: RelyingParty, platform: Platform
) -> None:
    job = register(grant_types=["client_credentials"], redirect_uris=[], scope="report:submit")
    token = job.token({"grant_type": "client_credentials"}).get_json()["access_token"]
    assert api.introspect(token)["active"] is True
    clients.disable(platform, job.client_id, ORIGIN)
    assert api.introspect(token) == INACTIVE


def test_a_clients_own_token_tells_of_no_person(register: RegisterClient) -> None:
    job = register(grant_types=["client_credentials"], redirect_uris=[], scope="job:run")
    token = job.token({"grant_type": "client_credentials"}).get_json()["access_token"]
    told = job.introspect(token)
    assert told["sub"] == told["client_id"] == job.client_id
    assert not told.keys() & {"auth_time", "acr", "account_type", "authorization_id"}


@pytest.mark.parametrize("token", ["x", "x.y.z", "中", "..", "e30.e30.", "A" * 20_000])
def test_whatever_is_unknown_is_inactive(scene: Scene, token: str) -> None:
    assert scene.rp.introspect(token) == INACTIVE


def test_a_missing_token_is_an_invalid_request(scene: Scene) -> None:
    assert_error(scene.rp.post("/oauth/introspect", {}), "invalid_request")


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke", "/oauth/token"])
def test_other_methods_than_post_are_not_allowed(scene: Scene, path: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        response = scene.rp.http.open(path, method=method)
        assert response.status_code == 405
        assert "POST" in response.headers["Allow"]
        assert response.mimetype == "application/json"

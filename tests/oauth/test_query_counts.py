"""How many statements the hot paths cost, with a warm register of clients.

``authorize`` with a session and a remembered consent costs four: the login, the enterprises one may act for,
the consents, and the insert of the authorization.
"""

from __future__ import annotations

import pytest

from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.people import People
from tests.oauth.relying_party import CLIENT_KEY, RelyingParty
from tests.queries import AssertQueries


@pytest.fixture
def rp(register: RegisterClient) -> RelyingParty:
    """The client of the scene, with roles to ask for."""
    return register(roles=["regulator"])


@pytest.fixture(autouse=True)
def _warm_register(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine must not make the second request of a test a minute later."""
    monkeypatch.setattr("idp.services.client_cache.LIFETIME_SECONDS", 60.0)
    monkeypatch.setattr("idp.services.client_cache.BriefCache.__init__.__defaults__", (60.0,))


@both_backends
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_client_credentials_cost_none(
    register: RegisterClient, assert_queries: AssertQueries, algorithm: str
) -> None:
    job = register(
        grant_types=["client_credentials"],
        redirect_uris=[],
        scope="job:run",
        access_token_signed_response_alg=algorithm,
    )
    job.token({"grant_type": "client_credentials"})
    with assert_queries(0):
        assert job.token({"grant_type": "client_credentials"}).status_code == 200


@both_backends
def test_an_answer_with_session_and_consent_costs_four(scene: Scene, assert_queries: AssertQueries) -> None:
    scene.browser.code_for(scene.rp)
    with assert_queries(4):
        scene.browser.code_for(scene.rp)


@both_backends
@pytest.mark.parametrize(("scope", "queries"), [("openid enterprise handler", 1), ("openid roles", 2)])
def test_a_redemption_costs_one(
    scene: Scene, assert_queries: AssertQueries, scope: str, queries: int
) -> None:
    scene.browser.allow(scene.rp, scene.account_id)
    scene.tokens()
    code = scene.browser.code_for(scene.rp, scope=scope)
    with assert_queries(queries):
        assert scene.rp.redeem(code).status_code == 200


@both_backends
@pytest.mark.parametrize(("scope", "queries"), [("openid enterprise handler", 1), ("openid roles", 2)])
def test_refresh_introspection_and_userinfo_cost_one_each(
    scene: Scene, assert_queries: AssertQueries, scope: str, queries: int, people: People
) -> None:
    scene.browser.allow(scene.rp, scene.account_id)
    people.give_role(scene.account_id, scene.rp.client_id, "regulator")
    tokens = scene.tokens(scope=scope)
    with assert_queries(queries):
        assert scene.rp.introspect(tokens.access_token)["active"] is True
    with assert_queries(queries):
        assert scene.rp.introspect(tokens.refresh_token)["active"] is True
    with assert_queries(queries):
        assert scene.rp.userinfo(tokens.access_token).status_code == 200
    with assert_queries(queries):
        assert scene.rp.refresh(tokens.refresh_token).status_code == 200


def test_an_assertion_costs_nothing_beyond_the_claim_of_its_jti(
    register: RegisterClient, assert_queries: AssertQueries
) -> None:
    job = register(
        grant_types=["client_credentials"],
        redirect_uris=[],
        scope="job:run",
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [CLIENT_KEY.as_dict(private=False)]},
    )
    job.token({"grant_type": "client_credentials"})
    with assert_queries(0):  # the short-lived store is not counted here
        assert job.token({"grant_type": "client_credentials"}).status_code == 200


def test_garbage_costs_none(scene: Scene, assert_queries: AssertQueries) -> None:
    scene.rp.introspect("x")
    with assert_queries(0):
        scene.rp.introspect("x")
        scene.rp.redeem("x" * 86)
        scene.rp.refresh("x.0.y")
        scene.rp.userinfo("x.y.z")
        scene.rp.revoke("x")

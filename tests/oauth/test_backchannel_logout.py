from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from idp import clock
from idp.domain.errors import Refusal
from idp.oauth import tokens
from idp.services import account_status, authentication, clients, consents, handlers
from idp.services.platform import Platform
from idp.storage.database import reading, transaction
from idp.storage.enterprises import Enterprise
from idp.storage.outbox import OutboxMessage
from tests.oauth.browser import ORIGIN
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.people import People
from tests.oauth.relying_party import ISSUER, RelyingParty, claims_of, header_of
from tests.services.conftest import MovableClock

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def rp(register: RegisterClient) -> RelyingParty:
    """The client of the scene, which wants to be told."""
    return register(client_name="一", backchannel_logout_uri="https://rp.example/logout")


def told(platform: Platform) -> list[dict[str, Any]]:
    """The messages that wait for delivery."""
    with reading() as session:
        sealed = session.scalars(
            select(OutboxMessage.payload_encrypted).where(OutboxMessage.kind == "backchannel_logout")
        ).all()
    return [json.loads(platform.keyring.fields.decrypt(text, "outbox.payload")) for text in sealed]


def end_login(scene: Scene, platform: Platform) -> None:
    assert scene.browser.login
    authentication.end_login(platform, scene.browser.login.sid, ORIGIN, "logout")


@pytest.mark.checklist(77, 119)
def test_the_logout_token_is_what_the_specification_wants(scene: Scene, platform: Platform) -> None:
    id_token = claims_of(scene.tokens().id_token, scene.rp.http)
    end_login(scene, platform)
    (message,) = told(platform)
    assert message["uri"] == "https://rp.example/logout"
    logout_token = tokens.sign_logout_token(platform, message)
    assert logout_token
    assert header_of(logout_token)["typ"] == "logout+jwt"
    assert header_of(logout_token)["alg"] == "RS256"
    claims = claims_of(logout_token, scene.rp.http)
    now = int(clock.now().timestamp())
    assert claims == {
        "iss": ISSUER,
        "aud": scene.rp.client_id,
        "iat": claims["iat"],
        "exp": claims["iat"] + 120,
        "jti": claims["jti"],
        "events": {EVENT: {}},
        "sub": id_token["sub"],
        "sid": id_token["sid"],
    }
    assert now - 5 <= claims["iat"] <= now
    again = tokens.sign_logout_token(platform, message)
    assert again
    assert claims_of(again, scene.rp.http)["jti"] != claims["jti"]


@pytest.mark.checklist(119)
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_it_is_signed_like_the_clients_id_tokens(
    register: RegisterClient, platform: Platform, algorithm: str
) -> None:
    rp = register(id_token_signed_response_alg=algorithm, backchannel_logout_uri="https://rp.example/out")
    token = tokens.issue_logout_token(platform, rp.client_id, {"sub": "a", "sid": None}, clock.now())
    assert token
    assert header_of(token)["alg"] == algorithm
    assert "sid" not in claims_of(token, rp.http)


@pytest.mark.checklist(119)
@both_backends
def test_every_client_of_the_session_is_told_once_and_no_other(
    register: RegisterClient, scene: Scene, platform: Platform
) -> None:
    second = register(backchannel_logout_uri="https://second.example/logout")
    deaf = register()
    idle = register(backchannel_logout_uri="https://idle.example/logout")
    for client in (second, deaf, idle):
        scene.browser.allow(client, scene.account_id, scene.enterprise_id)
    for client in (scene.rp, scene.rp, second, deaf):
        assert client.redeem(scene.browser.code_for(client)).status_code == 200
    scene.browser.code_for(idle)  # never redeemed: that client knows of no session
    end_login(scene, platform)
    assert sorted(message["uri"] for message in told(platform)) == [
        "https://rp.example/logout",
        "https://second.example/logout",
    ]
    end_login(scene, platform)
    assert len(told(platform)) == 2


@pytest.mark.checklist(119)
def test_the_revocation_of_a_handler_is_told_too(scene: Scene, platform: Platform) -> None:
    scene.tokens()
    scene.tokens()
    with reading() as session:
        legal_account_id = session.get_one(Enterprise, scene.enterprise_id).legal_account_id
    outcome = handlers.decide(
        platform, legal_account_id, scene.handler_authorization_id, "revoke", ORIGIN, "no longer"
    )
    assert not isinstance(outcome, Refusal)
    (message,) = told(platform)
    assert scene.browser.login
    assert message["claims"] == {"sub": scene.account_id, "sid": scene.browser.login.sid}


@pytest.mark.checklist(119)
def test_the_end_of_eight_hours_is_told(scene: Scene, platform: Platform, time: MovableClock) -> None:
    scene.tokens()
    assert authentication.end_expired_logins(platform, clock.now(), ORIGIN) == 0
    time.advance(hours=8)
    assert authentication.end_expired_logins(platform, clock.now(), ORIGIN) == 1
    assert sid_told(scene, platform)


@pytest.mark.checklist(119)
def test_a_sign_out_from_another_device_is_told(scene: Scene, platform: Platform) -> None:
    scene.tokens()
    ended = scene.browser.login
    assert ended
    scene.browser.http.delete_cookie("login")
    scene.browser.sign_in(scene.account_id)
    page = scene.browser.get("/account/sessions")
    scene.browser.send(page, "/account/sessions", session=ended.sid, action="end")
    (message,) = told(platform)
    assert message["claims"]["sid"] == ended.sid


@pytest.mark.checklist(119)
def test_a_sign_out_of_this_device_on_our_pages_is_told(scene: Scene, platform: Platform) -> None:
    scene.tokens()
    scene.browser.send(scene.browser.get("/account/sessions"), "/logout")
    assert sid_told(scene, platform)


@pytest.mark.checklist(119)
def test_a_change_of_password_is_told_to_the_clients_of_other_sessions(
    scene: Scene, platform: Platform
) -> None:
    scene.tokens()
    with transaction() as session:
        authentication.end_other_logins(session, platform, scene.account_id, None, ORIGIN, "password_changed")
    assert sid_told(scene, platform)


@pytest.mark.checklist(119)
def test_an_account_that_is_frozen_is_told(scene: Scene, platform: Platform) -> None:
    scene.tokens()
    assert account_status.freeze(platform, scene.account_id, ORIGIN) is None
    assert sid_told(scene, platform)
    assert scene.browser.get("/account").location == "/login"


@pytest.mark.checklist(119)
def test_signing_in_as_somebody_else_is_told_to_the_clients_of_the_former(
    scene: Scene, platform: Platform, people: People
) -> None:
    scene.tokens()
    former = scene.browser.login
    assert former
    scene.browser.sign_in(people.person())
    (message,) = told(platform)
    assert message["claims"]["sid"] == former.sid


def sid_told(scene: Scene, platform: Platform) -> bool:
    """Whether the one message is about the session of the scene."""
    (message,) = told(platform)
    assert scene.browser.login
    return bool(message["claims"] == {"sub": scene.account_id, "sid": scene.browser.login.sid})


def test_a_withdrawn_consent_is_told(scene: Scene, platform: Platform) -> None:
    scene.tokens()
    consents.withdraw(platform, scene.account_id, scene.rp.client_id, ORIGIN)
    assert len(told(platform)) == 1


def test_reuse_is_told(scene: Scene, platform: Platform) -> None:
    code = scene.browser.code_for(scene.rp)
    scene.rp.redeem(code)
    scene.rp.redeem(code)
    assert len(told(platform)) == 1


def test_a_client_that_ends_its_own_grant_is_not_told(scene: Scene, platform: Platform) -> None:
    scene.rp.revoke(scene.tokens().refresh_token)
    assert told(platform) == []


def test_for_a_client_that_is_gone_nothing_is_signed(scene: Scene, platform: Platform) -> None:
    scene.tokens()
    end_login(scene, platform)
    clients.disable(platform, scene.rp.client_id, ORIGIN)
    (message,) = told(platform)
    assert tokens.sign_logout_token(platform, message) is None


def test_a_logout_token_is_no_hint_and_no_access_token(scene: Scene, platform: Platform) -> None:
    assert scene.browser.login
    claims = {"sub": scene.account_id, "sid": scene.browser.login.sid}
    token = tokens.issue_logout_token(platform, scene.rp.client_id, claims, clock.now())
    assert token
    assert scene.browser.get(f"/oauth/logout?id_token_hint={token}").status_code == 400
    assert scene.rp.userinfo(token).status_code == 401
    assert scene.rp.introspect(token) == {"active": False}

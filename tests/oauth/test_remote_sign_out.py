"""Signing out from elsewhere reaches the relying parties that were signed in from there."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import select

from idp.services import authentication, sessions
from idp.services.platform import Platform
from idp.storage.database import reading
from idp.storage.outbox import OutboxMessage
from tests.oauth.browser import ORIGIN, Browser
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.relying_party import RelyingParty


@pytest.fixture
def rp(register: RegisterClient) -> RelyingParty:
    """The client of the scene, which wants to be told."""
    return register(client_name="一号系统", backchannel_logout_uri="https://rp.example/logout")


def told(platform: Platform) -> list[tuple[str, str]]:
    with reading() as session:
        statement = select(OutboxMessage.payload_encrypted).where(OutboxMessage.kind == "backchannel_logout")
        sealed = session.scalars(statement).all()
    messages = [json.loads(platform.keyring.fields.decrypt(text, "outbox.payload")) for text in sealed]
    return sorted((message["client_id"], message["claims"]["sid"]) for message in messages)


def test_signing_out_all_others_tells_each_client_of_each_session_and_ends_its_tokens(
    app: Flask, scene: Scene, register: RegisterClient, platform: Platform
) -> None:
    second = register(client_name="二号系统", backchannel_logout_uri="https://second.example/logout")
    elsewhere = Browser(app, platform)
    elsewhere.sign_in(scene.account_id)
    elsewhere.allow(second, scene.account_id, scene.enterprise_id)
    ended = [rp.redeem(elsewhere.code_for(rp)).get_json()["access_token"] for rp in (scene.rp, second)]
    kept = scene.tokens().access_token
    assert elsewhere.login
    assert scene.browser.login
    views = {view.login.sid: view for view in sessions.list_sessions(platform, scene.account_id)}
    assert views[elsewhere.login.sid].clients == ("一号系统", "二号系统")
    assert views[scene.browser.login.sid].clients == ("一号系统",)

    sessions.end_others(platform, scene.account_id, scene.browser.login.sid, ORIGIN)

    expected = [(rp.client_id, elsewhere.login.sid) for rp in (scene.rp, second)]
    assert told(platform) == sorted(expected)
    for token in ended:
        assert (
            scene.rp.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code
            == 401
        )
    bearer = {"Authorization": f"Bearer {kept}"}
    assert scene.rp.http.get("/oauth/userinfo", headers=bearer).status_code == 200
    assert [view.login.sid for view in sessions.list_sessions(platform, scene.account_id)] == [
        scene.browser.login.sid
    ]


def test_a_client_stays_signed_in_when_the_login_gets_a_new_token(scene: Scene, platform: Platform) -> None:
    token = scene.tokens().access_token
    cookie = scene.browser.http.get_cookie("login")
    assert cookie is not None
    assert authentication.renew_token(cookie.value) is not None
    bearer = {"Authorization": f"Bearer {token}"}
    assert scene.rp.http.get("/oauth/userinfo", headers=bearer).status_code == 200
    assert told(platform) == []

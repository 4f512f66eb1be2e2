from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from idp.oauth import tokens as issuing
from idp.services import authentication
from idp.services.platform import Platform
from idp.storage.database import reading
from idp.storage.outbox import OutboxMessage
from tests.oauth.browser import ORIGIN, answer_of
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.people import People
from tests.oauth.relying_party import RelyingParty, claims_of
from tests.services.conftest import MovableClock

LOGOUT = "https://one.example/logout"


def pairwise(register: RegisterClient, host: str = "one.example", **more: Any) -> RelyingParty:
    return register(subject_type="pairwise", redirect_uris=[f"https://{host}/cb"], **more)


def signed_in(scene: Scene, rp: RelyingParty, **changes: Any) -> dict[str, Any]:
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    answer: dict[str, Any] = rp.redeem(scene.browser.code_for(rp, **changes)).get_json()
    return answer


def sub_at(scene: Scene, rp: RelyingParty) -> str:
    return str(claims_of(signed_in(scene, rp)["id_token"], rp.http)["sub"])


@pytest.mark.checklist(71, 79, 112)
def test_wherever_a_client_meets_the_person_it_is_by_the_same_name(
    register: RegisterClient, scene: Scene
) -> None:
    rp = pairwise(register)
    answer = signed_in(scene, rp)
    refreshed = rp.refresh(answer["refresh_token"]).get_json()
    names = {
        claims_of(answer["id_token"], rp.http)["sub"],
        claims_of(answer["access_token"], rp.http)["sub"],
        claims_of(refreshed["id_token"], rp.http)["sub"],
        rp.userinfo(answer["access_token"]).get_json()["sub"],
        rp.introspect(answer["access_token"])["sub"],
        rp.introspect(refreshed["refresh_token"])["sub"],
    }
    assert len(names) == 1
    assert names != {scene.account_id}


@pytest.mark.checklist(71, 112)
def test_the_account_itself_appears_nowhere(register: RegisterClient, scene: Scene) -> None:
    rp = pairwise(register)
    answer = signed_in(scene, rp)
    everything = json.dumps(
        [
            claims_of(answer["id_token"], rp.http),
            claims_of(answer["access_token"], rp.http),
            rp.userinfo(answer["access_token"]).get_json(),
            rp.introspect(answer["access_token"]),
            rp.introspect(answer["refresh_token"]),
        ]
    )
    assert scene.account_id not in everything


@pytest.mark.checklist(71, 112)
def test_clients_of_one_sector_share_the_name_and_those_of_others_do_not(
    register: RegisterClient, scene: Scene
) -> None:
    same = {sub_at(scene, pairwise(register)), sub_at(scene, pairwise(register))}
    assert len(same) == 1
    others = {sub_at(scene, pairwise(register, host)) for host in ("two.example", "three.example")}
    assert len(same | others | {sub_at(scene, register())}) == 4


@pytest.mark.checklist(71)
def test_another_person_has_another_name(register: RegisterClient, scene: Scene, people: People) -> None:
    rp = pairwise(register)
    first = sub_at(scene, rp)
    other = people.person(real_name="王示例")
    scene.browser.sign_in(other)
    scene.browser.allow(rp, other)
    answer = rp.redeem(scene.browser.code_for(rp, scope="openid")).get_json()
    assert claims_of(answer["id_token"], rp.http)["sub"] not in {first, other}


@pytest.mark.checklist(33)
def test_a_hint_with_the_pairwise_name_finds_the_person(
    register: RegisterClient, scene: Scene, people: People, time: MovableClock
) -> None:
    rp = pairwise(register)
    hint = signed_in(scene, rp)["id_token"]
    assert "code" in answer_of(scene.browser.authorize(rp, id_token_hint=hint, prompt="none"))
    other = people.person(real_name="王示例")
    scene.browser.sign_in(other)
    scene.browser.allow(rp, other)
    silent = answer_of(scene.browser.authorize(rp, id_token_hint=hint, prompt="none", scope="openid"))
    assert silent["error"] == "login_required"


@pytest.mark.checklist(34)
@pytest.mark.parametrize("asks_for", ["own", "account"])
def test_a_name_asked_by_value_is_the_clients_own(
    register: RegisterClient, scene: Scene, asks_for: str
) -> None:
    rp = pairwise(register)
    sub = sub_at(scene, rp) if asks_for == "own" else scene.account_id
    asked = json.dumps({"id_token": {"sub": {"value": sub}}})
    answer = answer_of(scene.browser.authorize(rp, claims=asked, prompt="none"))
    assert ("code" in answer) is (asks_for == "own")


@pytest.mark.checklist(119)
def test_a_logout_token_has_the_name_of_the_id_token(
    register: RegisterClient, scene: Scene, platform: Platform
) -> None:
    rp = pairwise(register, backchannel_logout_uri=LOGOUT)
    known_as = sub_at(scene, rp)
    assert scene.browser.login
    authentication.end_login(platform, scene.browser.login.sid, ORIGIN, "logout")
    with reading() as session:
        sealed = session.scalars(select(OutboxMessage.payload_encrypted)).all()
    messages = [json.loads(platform.keyring.fields.decrypt(text, "outbox.payload")) for text in sealed]
    (message,) = [message for message in messages if message.get("uri") == LOGOUT]
    token = issuing.sign_logout_token(platform, message)
    assert token is not None
    claims = claims_of(token, rp.http)
    assert (claims["sub"], claims["sid"]) == (known_as, scene.browser.login.sid)

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.people import People
from tests.oauth.relying_party import ISSUER, RelyingParty, claims_of, header_of
from tests.services.conftest import MovableClock


def claims(scene: Scene, rp: RelyingParty | None = None, **changes: Any) -> dict[str, Any]:
    rp = rp or scene.rp
    answer = rp.redeem(scene.browser.code_for(rp, **changes)).get_json()
    return claims_of(answer["id_token"], rp.http)


@pytest.mark.checklist(69)
@pytest.mark.parametrize("algorithm", [None, "RS256", "ES256"])
def test_it_is_signed_as_registered_by_a_published_key(
    register: RegisterClient, scene: Scene, algorithm: str | None
) -> None:
    rp = register(id_token_signed_response_alg=algorithm)
    scene.browser.allow(rp, scene.account_id, scene.enterprise_id)
    id_token = rp.redeem(scene.browser.code_for(rp)).get_json()["id_token"]
    header = header_of(id_token)
    assert header["alg"] == algorithm or "RS256"
    published = {key["kid"]: key["alg"] for key in rp.http.get("/oauth/jwks.json").get_json()["keys"]}
    assert published[header["kid"]] == header["alg"] == (algorithm or "RS256")
    claims_of(id_token, rp.http)


@pytest.mark.checklist(70)
def test_it_says_who_signed_in_for_whom_and_when(scene: Scene, time: MovableClock) -> None:
    told = claims(scene)
    now = int(time.now().timestamp())
    assert told == {
        "iss": ISSUER,
        "sub": scene.account_id,
        "aud": scene.rp.client_id,
        "iat": now,
        "exp": now + 300,
        "nonce": "a-nonce",
        "auth_time": told["auth_time"],
        "acr": "urn:gsp:acr:2fa",
        "amr": ["pwd", "sms", "mfa"],
        "sid": scene.browser.login.sid if scene.browser.login else "",
        "account_type": "handler",
        "enterprise_credit_code": "91990101MADEM00117",
        "enterprise_name": "示例新能源汽车有限公司",
        "handler_scope": ["nev-accident-report"],
        "handler_authorization_id": scene.handler_authorization_id,
    }
    assert all(isinstance(told[name], int) for name in ("iat", "exp", "auth_time"))


@pytest.mark.checklist(71)
def test_sub_is_the_same_for_the_same_person_and_no_number_of_theirs(scene: Scene, people: People) -> None:
    first, second = claims(scene)["sub"], claims(scene)["sub"]
    assert first == second == scene.account_id
    assert first.isascii()
    assert len(first) <= 255
    other = people.person()
    scene.browser.sign_in(other)
    scene.browser.allow(scene.rp, other)
    assert claims(scene)["sub"] == other


@pytest.mark.pitfall(12)
@pytest.mark.checklist(27, 32, 72, 88)
def test_auth_time_is_the_moment_of_the_sign_in_in_every_id_token(scene: Scene, time: MovableClock) -> None:
    assert scene.browser.login
    signed_in = scene.browser.login.auth_time
    first = scene.rp.redeem(scene.browser.code_for(scene.rp)).get_json()
    time.advance(minutes=20)
    silent = claims(scene, prompt="none")
    refreshed = scene.rp.refresh(first["refresh_token"]).get_json()
    for told in (
        claims_of(first["id_token"], scene.rp.http),
        silent,
        claims_of(refreshed["id_token"], scene.rp.http),
    ):
        assert told["auth_time"] == signed_in


@pytest.mark.checklist(73)
def test_acr_is_one_of_those_asked_for(scene: Scene) -> None:
    assert claims(scene, acr_values="urn:gsp:acr:2fa")["acr"] == "urn:gsp:acr:2fa"


@pytest.mark.checklist(74)
def test_personal_claims_are_not_in_it(scene: Scene) -> None:
    scene.browser.allow(scene.rp, scene.account_id)
    told = claims(scene, scope="openid profile email phone address")
    assert told.keys() == {
        *("iss", "sub", "aud", "iat", "exp", "nonce", "auth_time", "acr", "amr", "sid"),
    }


@pytest.mark.checklist(34, 74)
def test_personal_claims_asked_for_by_name_are_in_it(scene: Scene) -> None:
    scene.browser.allow(scene.rp, scene.account_id)
    asked = json.dumps({"id_token": {"email": {"essential": True}, "enterprise_name": None}})
    told = claims(scene, scope="openid", claims=asked)
    assert told["email"].endswith("@example.invalid")
    assert told["enterprise_name"] == "示例新能源汽车有限公司"
    assert "name" not in told


@pytest.mark.checklist(34)
def test_claims_beyond_the_clients_scopes_are_left_out(register: RegisterClient, scene: Scene) -> None:
    rp = register(scope="openid")
    scene.browser.allow(rp, scene.account_id)
    asked = json.dumps({"id_token": {"email": None}, "userinfo": {"phone_number": None}})
    answer = rp.redeem(scene.browser.code_for(rp, scope="openid", claims=asked)).get_json()
    assert "email" not in claims_of(answer["id_token"], rp.http)
    assert rp.userinfo(answer["access_token"]).get_json() == {"sub": scene.account_id}


@pytest.mark.checklist(75)
def test_there_are_no_hashes_that_could_be_wrong(scene: Scene) -> None:
    assert not {"at_hash", "c_hash"} & claims(scene).keys()


def test_roles_are_those_the_account_has_at_this_client(
    register: RegisterClient, scene: Scene, people: People
) -> None:
    rp = register(roles=["regulator", "auditor"])
    scene.browser.allow(rp, scene.account_id)
    assert "roles" not in claims(scene, rp, scope="openid roles")
    people.give_role(scene.account_id, rp.client_id, "regulator")
    people.give_role(scene.account_id, rp.client_id, "withdrawn-role")
    people.give_role(scene.account_id, scene.rp.client_id, "auditor")
    assert claims(scene, rp, scope="openid roles")["roles"] == ["regulator"]
    assert "roles" not in claims(scene, rp, scope="openid")


def test_an_unverified_person_has_no_account_type(scene: Scene, people: People) -> None:
    nobody = people.person(verified=False)
    scene.browser.sign_in(nobody)
    scene.browser.allow(scene.rp, nobody)
    assert "account_type" not in claims(scene)


def test_a_verified_person_acts_as_a_natural_person(scene: Scene, people: People) -> None:
    person = people.person()
    scene.browser.sign_in(person)
    scene.browser.allow(scene.rp, person)
    told = claims(scene)
    assert told["account_type"] == "natural_person"
    assert not told.keys() & {"enterprise_credit_code", "enterprise_name", "handler_scope"}


def test_a_legal_person_acts_for_its_enterprise(scene: Scene, people: People) -> None:
    other = people.legal_person(1)
    scene.browser.sign_in(other.account_id)
    scene.browser.allow(scene.rp, other.account_id, other.enterprise_id)
    told = claims(scene)
    assert told["account_type"] == "legal_person"
    assert told["enterprise_credit_code"] == other.enterprise_credit_code
    assert "handler_scope" not in told


def test_the_account_of_a_closed_enterprise_is_no_legal_person(scene: Scene, people: People) -> None:
    other = people.legal_person(1)
    people.close(other.enterprise_id)
    scene.browser.sign_in(other.account_id)
    scene.browser.allow(scene.rp, other.account_id)
    assert not claims(scene).keys() & {"account_type", "enterprise_credit_code"}

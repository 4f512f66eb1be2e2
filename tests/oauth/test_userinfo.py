from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.relying_party import base64url, claims_of
from tests.services.conftest import MovableClock


def refused(response: Any, status: int, error: str | None) -> None:
    assert response.status_code == status, response.text
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer ")
    assert challenge.isascii()
    if error is None:
        assert "error" not in challenge
    else:
        assert f'error="{error}"' in challenge
        assert response.get_json()["error"] == error
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.pitfall(14)
@pytest.mark.checklist(78, 79)
def test_get_and_post_with_the_header_and_post_with_the_form_are_accepted(scene: Scene) -> None:
    tokens = scene.tokens()
    header = {"Authorization": f"Bearer {tokens.access_token}"}
    http = scene.rp.http
    answers = [
        http.get("/oauth/userinfo", headers=header),
        http.post("/oauth/userinfo", headers=header),
        http.post("/oauth/userinfo", data={"access_token": tokens.access_token}),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert answer.mimetype == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.get_json()["sub"] == claims_of(tokens.id_token, http)["sub"]


@pytest.mark.checklist(78)
def test_a_token_in_the_url_is_not_looked_at(scene: Scene) -> None:
    query = urlencode({"access_token": scene.tokens().access_token})
    refused(scene.rp.http.get(f"/oauth/userinfo?{query}"), 401, None)
    refused(scene.rp.http.post(f"/oauth/userinfo?{query}"), 401, None)


@pytest.mark.checklist(78)
def test_a_token_sent_twice_is_refused(scene: Scene) -> None:
    token = scene.tokens().access_token
    response = scene.rp.http.post(
        "/oauth/userinfo", data={"access_token": token}, headers={"Authorization": f"Bearer {token}"}
    )
    refused(response, 400, "invalid_request")
    response = scene.rp.http.post("/oauth/userinfo", data={"access_token": [token, token]})
    refused(response, 400, "invalid_request")


@pytest.mark.checklist(84)
@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_known_in_any_letter_case(scene: Scene, scheme: str) -> None:
    header = {"Authorization": f"{scheme} {scene.tokens().access_token}"}
    assert scene.rp.http.get("/oauth/userinfo", headers=header).status_code == 200


@pytest.mark.checklist(80, 81)
def test_it_tells_the_claims_of_the_granted_scopes(scene: Scene) -> None:
    answer = scene.rp.userinfo(
        scene.tokens(scope="openid profile email phone address enterprise").access_token
    )
    told = answer.get_json()
    assert told == {
        "sub": scene.account_id,
        "name": "李示例",
        "preferred_username": told["preferred_username"],
        "updated_at": told["updated_at"],
        "email": told["email"],
        "email_verified": False,
        "phone_number": told["phone_number"],
        "phone_number_verified": True,
        "account_type": "handler",
        "enterprise_credit_code": "91990101MADEM00117",
        "enterprise_name": "示例新能源汽车有限公司",
    }
    assert isinstance(told["updated_at"], int)
    assert told["phone_number"].startswith("+86199000")


@pytest.mark.checklist(80)
def test_without_scopes_it_tells_the_subject_alone(scene: Scene) -> None:
    scene.browser.allow(scene.rp, scene.account_id)
    assert scene.rp.userinfo(scene.tokens(scope="openid").access_token).get_json() == {
        "sub": scene.account_id
    }


@pytest.mark.checklist(34, 80)
def test_claims_asked_for_by_name_are_told(scene: Scene) -> None:
    scene.browser.allow(scene.rp, scene.account_id)
    asked = json.dumps({"userinfo": {"email": {"essential": True}, "unknown": {"value": 1}}})
    told = scene.rp.userinfo(scene.tokens(scope="openid", claims=asked).access_token).get_json()
    assert told.keys() == {"sub", "email"}


@pytest.mark.checklist(83)
def test_without_a_token_there_is_a_bare_challenge(scene: Scene) -> None:
    http = scene.rp.http
    refused(http.get("/oauth/userinfo"), 401, None)
    refused(http.post("/oauth/userinfo"), 401, None)
    refused(http.get("/oauth/userinfo", headers={"Authorization": "Bearer"}), 401, None)
    refused(http.get("/oauth/userinfo", headers={"Authorization": "Bearer  "}), 401, None)
    refused(http.get("/oauth/userinfo", headers={"Authorization": "Basic eDp5"}), 401, None)


@pytest.mark.checklist(83)
@pytest.mark.parametrize(
    "token",
    [
        "x",
        "x.y.z",
        "..",
        "e30.e30.",
        "é",
        "A" * 30_000,
        base64url(b'{"alg":"ES256","kid":' + b"[" * 1500 + b"]" * 1500 + b"}") + ".e30.AA",
        base64url(b'{"alg":"none","typ":"at+jwt"}') + ".e30.",
    ],
)
def test_an_unknown_token_is_invalid(scene: Scene, token: str) -> None:
    refused(scene.rp.userinfo(token), 401, "invalid_token")


@pytest.mark.checklist(83)
def test_an_expired_token_is_invalid(scene: Scene, time: MovableClock) -> None:
    token = scene.tokens().access_token
    time.advance(seconds=299)
    assert scene.rp.userinfo(token).status_code == 200
    time.advance(seconds=1)
    refused(scene.rp.userinfo(token), 401, "invalid_token")


@pytest.mark.checklist(83)
def test_a_revoked_token_is_invalid(scene: Scene) -> None:
    tokens = scene.tokens()
    scene.rp.revoke(tokens.refresh_token)
    refused(scene.rp.userinfo(tokens.access_token), 401, "invalid_token")


@pytest.mark.pitfall(14)
@pytest.mark.checklist(83)
def test_without_openid_the_scope_is_insufficient(register: RegisterClient, scene: Scene) -> None:
    refused(scene.rp.userinfo(scene.tokens(scope="enterprise").access_token), 403, "insufficient_scope")
    job = register(grant_types=["client_credentials"], redirect_uris=[], scope="job:run")
    token = job.token({"grant_type": "client_credentials"}).get_json()["access_token"]
    refused(job.userinfo(token), 403, "insufficient_scope")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(scene: Scene, method: str) -> None:
    response = scene.rp.http.open("/oauth/userinfo", method=method)
    assert response.status_code == 405
    assert response.mimetype == "application/json"

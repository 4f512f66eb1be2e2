"""Whatever comes in: a clear refusal, an unchanged database, never a 500."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from idp.ephemeral import EphemeralUnavailable
from idp.storage.authorizations import Authorization
from idp.storage.clients import Consent
from idp.storage.database import Base, reading
from tests.oauth.browser import is_error_page
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.relying_party import CLIENT_KEY, assert_error

FORM = "application/x-www-form-urlencoded"
JSON_ENDPOINTS = ["/oauth/token", "/oauth/introspect", "/oauth/revoke"]
PAGES = ["/oauth/authorize", "/oauth/logout"]
BODIES: dict[str, bytes] = {
    "not UTF-8": b"client_id=%ff%fe",
    "raw octets": b"client_id=\xff\xfe",
    "a NUL": b"client_id=a%00b",
    "a NUL in a name": b"a%00b=c",
    "a lone surrogate": b"client_id=%ed%a0%80",
    "overlong UTF-8": b"client_id=%c0%80",
    "too many fields": b"&".join(b"a%d=1" % number for number in range(101)),
    "too large": b"a=" + b"x" * 40_000,
}
MISTAKES = BODIES | {
    "nothing": b"",
    "no pairs": b"&&&;;;===",
    "broken escapes": b"grant_type=%&code=%zz",
    "very deep": b"claims=" + b"[" * 30_000,
}


def rows() -> dict[str, int]:
    with reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


@both_backends
@pytest.mark.checklist(50)
@pytest.mark.parametrize("kind", MISTAKES)
def test_an_unreadable_body_is_an_invalid_request(scene: Scene, kind: str) -> None:
    before = rows()
    headers, _ = scene.rp.proof()
    for path in JSON_ENDPOINTS:
        response = scene.rp.http.post(path, data=MISTAKES[kind], content_type=FORM, headers=headers)
        assert response.status_code in {400, 401}
        assert response.mimetype == "application/json"
        if kind in BODIES:
            assert_error(response, "invalid_request")
    assert rows() == before


@pytest.mark.checklist(48, 50)
@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", "", "\xff"]
)
def test_only_a_form_is_accepted(scene: Scene, content_type: str) -> None:
    headers, _ = scene.rp.proof()
    for path in JSON_ENDPOINTS:
        body = b'{"grant_type":"client_credentials","token":"x"}'
        response = scene.rp.http.post(path, data=body, content_type=content_type, headers=headers)
        assert_error(response, "invalid_request")


@pytest.mark.pitfall(4)
@pytest.mark.checklist(15)
@pytest.mark.parametrize(
    "name", ["grant_type", "code", "code_verifier", "client_id", "scope", "token", "unknown"]
)
def test_a_parameter_sent_twice_is_an_invalid_request(scene: Scene, name: str) -> None:
    headers, _ = scene.rp.proof()
    for path in JSON_ENDPOINTS:
        body = f"grant_type=refresh_token&token=x&{name}=1&{name}=1"
        response = scene.rp.http.post(path, data=body, content_type=FORM, headers=headers)
        assert_error(response, "invalid_request")


@pytest.mark.pitfall(4)
@pytest.mark.checklist(48)
def test_the_query_of_a_json_endpoint_is_not_read(scene: Scene) -> None:
    code = scene.browser.code_for(scene.rp)
    headers, _ = scene.rp.proof()
    query = {"grant_type": "authorization_code", "code": code}
    response = scene.rp.http.post("/oauth/token", query_string=query, content_type=FORM, headers=headers)
    assert_error(response, "invalid_request")
    assert scene.rp.redeem(code).status_code == 200


@pytest.mark.parametrize("path", [*JSON_ENDPOINTS, "/oauth/userinfo", *PAGES])
def test_a_body_of_megabytes_is_refused(scene: Scene, path: str) -> None:
    response = scene.rp.http.post(path, data=b"a=" + b"x" * 2_000_000, content_type=FORM)
    assert response.status_code in {400, 413}


@both_backends
@pytest.mark.parametrize("kind", BODIES)
def test_unreadable_parameters_get_a_page(scene: Scene, kind: str) -> None:
    before = rows()
    http = scene.browser.http
    for path in PAGES:
        assert is_error_page(http.post(path, data=BODIES[kind], content_type=FORM), "")
        if BODIES[kind].isascii():
            assert is_error_page(http.get(path, query_string=BODIES[kind].decode()), "")
    assert rows() == before


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain"]
)
def test_a_post_that_is_no_form_gets_a_page(scene: Scene, path: str, content_type: str) -> None:
    response = scene.browser.http.post(path, data=b"{}", content_type=content_type)
    assert is_error_page(response, "Content-Type")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"])
def test_no_method_breaks_an_endpoint(scene: Scene, method: str) -> None:
    for path in (*JSON_ENDPOINTS, "/oauth/userinfo", *PAGES):
        assert scene.browser.http.open(path, method=method).status_code < 500


VALUES: list[str] = [
    "\ud7ff",
    "\U0010ffff",
    "\ufffd\ufeff",
    "a\r\nSet-Cookie: x=1",
    "' OR '1'='1",
    "{{7*7}}<script>alert(1)</script>",
    "%00%0a",
    "x" * 20_000,
    "9" * 5_000,
    "-1",
    "1e400",
    "[]",
    '{"a":' * 200 + "1" + "}" * 200,
    "../../etc/passwd",
]
NAMES = (
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt"),
    *(
        "max_age",
        "claims",
        "id_token_hint",
        "login_hint",
        "acr_values",
        "code_challenge",
        "code_challenge_method",
    ),
)


@pytest.mark.pitfall(1)
@both_backends
@pytest.mark.parametrize("name", NAMES)
def test_no_value_breaks_the_authorization_endpoint(scene: Scene, name: str) -> None:
    for value in VALUES:
        response = scene.browser.authorize(scene.rp, **{name: value})
        assert response.status_code in {303, 400}, (value, response.text)
        assert "Set-Cookie: x" not in str(response.headers)
        assert "\n" not in response.headers.get("Location", "")
        assert "<script>alert" not in response.text
        if response.status_code == 303 and response.location.startswith("/"):
            assert scene.browser.get(response.location).status_code == 200


@both_backends
@pytest.mark.parametrize(
    "name",
    [
        *("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "token"),
        *("token_type_hint", "client_id", "client_secret", "client_assertion", "client_assertion_type"),
    ],
)
def test_no_value_breaks_the_json_endpoints(scene: Scene, name: str) -> None:
    before = rows()
    form = {"grant_type": "x", "code": "x", "redirect_uri": "x", "refresh_token": "x", "token": "x"}
    grants = ("authorization_code", "refresh_token")
    for value in VALUES:
        sent = [("/oauth/token", {"grant_type": grant}) for grant in grants]
        for path, more in [*sent, ("/oauth/introspect", {}), ("/oauth/revoke", {})]:
            response = scene.rp.post(path, form | more | {name: value})
            assert response.status_code in {200, 400, 401}, (value, response.text)
            assert response.mimetype == "application/json"
            if response.status_code != 200:
                assert_error(response, response.get_json()["error"], response.status_code)
    assert rows() == before


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer \xff", "Bearer " + "x" * 60_000, "DPoP x", "\xff", "Bearer a b"]
)
def test_no_header_breaks_userinfo(scene: Scene, header: str) -> None:
    response = scene.rp.http.get("/oauth/userinfo", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith(("Bearer", "DPoP"))


@pytest.mark.parametrize(
    "path", ["/oauth/", "/oauth/unknown", "/oauth/token/", "/.well-known/unknown", "/oauth/%00"]
)
def test_an_unknown_path_is_not_found(http: FlaskClient, path: str) -> None:
    assert http.get(path).status_code in {400, 404}


def test_an_unavailable_short_lived_store_is_503_and_changes_nothing(
    scene: Scene, app: Flask, register: RegisterClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = register(
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [CLIENT_KEY.as_dict(private=False)]},
        grant_types=["client_credentials"],
        redirect_uris=[],
        scope="job:run",
    )

    def unavailable(*_: Any) -> None:
        raise EphemeralUnavailable

    scene.browser.http.delete_cookie("login")
    monkeypatch.setattr(type(app.extensions["idp"].ephemeral), "put", unavailable)
    response = scene.browser.authorize(scene.rp)
    assert response.status_code == 503
    assert response.mimetype == "text/html"
    assert response.headers["Retry-After"]
    monkeypatch.setattr(type(app.extensions["idp"].ephemeral), "claim", unavailable)
    response = job.token({"grant_type": "client_credentials"})
    assert response.headers["Retry-After"]
    assert_error(response, "temporarily_unavailable", 503)


def test_answers_without_consent_leave_nothing_behind(scene: Scene) -> None:
    before = rows()
    scene.browser.authorize(scene.rp, response_type="token")
    scene.browser.authorize(scene.rp, prompt="none", scope="openid email")
    after = rows()
    assert (before[Authorization.__tablename__], before[Consent.__tablename__]) == (
        after[Authorization.__tablename__],
        after[Consent.__tablename__],
    )

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from idp.services import clients
from idp.services.clients import RegisteredClient
from idp.services.platform import Platform
from tests.oauth.browser import ORIGIN
from tests.oauth.conftest import RegisterClient
from tests.oauth.relying_party import CLIENT_KEY, RelyingParty, assert_error, basic

JOB: dict[str, Any] = {
    "grant_types": ["client_credentials"],
    "redirect_uris": [],
    "scope": "job:run",
}
GRANT = {"grant_type": "client_credentials"}
ENDPOINTS = ["/oauth/token", "/oauth/introspect", "/oauth/revoke"]


def raw_basic(text: bytes) -> str:
    return "Basic " + b64encode(text).decode()


@pytest.mark.checklist(51)
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize("path", ENDPOINTS)
def test_both_secret_methods_work_at_every_endpoint(register: RegisterClient, method: str, path: str) -> None:
    job = register(token_endpoint_auth_method=method, **JOB)
    assert job.post(path, GRANT | {"token": "x"}).status_code == 200


@pytest.mark.checklist(51)
def test_id_and_secret_of_the_header_are_form_decoded(register: RegisterClient) -> None:
    job = register(client_id="job-1._x", **JOB)
    encoded = "".join(f"%{byte:02X}" for byte in job.client_id.encode()), job.secret
    header = raw_basic(":".join(encoded).encode())
    response = job.http.post("/oauth/token", data=GRANT, headers={"Authorization": header})
    assert response.status_code == 200
    lower = header.replace("Basic", "bASIC")
    assert job.http.post("/oauth/token", data=GRANT, headers={"Authorization": lower}).status_code == 200


@pytest.mark.checklist(51)
@pytest.mark.parametrize(
    "registered", ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
)
@pytest.mark.parametrize("used", ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"])
def test_only_the_registered_method_is_accepted(register: RegisterClient, registered: str, used: str) -> None:
    jwks = {"keys": [CLIENT_KEY.as_dict(private=False)]}
    rp = register(token_endpoint_auth_method=registered, jwks=jwks)
    secret = rp.registered.client_secret or "secret"
    headers, form = {
        "client_secret_basic": ({"Authorization": basic(rp.client_id, secret)}, {}),
        "client_secret_post": ({}, {"client_id": rp.client_id, "client_secret": secret}),
        "private_key_jwt": ({}, rp.with_assertion()),
        "none": ({}, {"client_id": rp.client_id}),
    }[used]
    form |= {"grant_type": "refresh_token", "refresh_token": "x"}
    response = rp.http.post("/oauth/token", data=form, headers=headers)
    if registered == used:
        assert_error(response, "invalid_grant")
    else:
        assert_error(response, "invalid_client", 401)


@pytest.mark.pitfall(4)
@pytest.mark.checklist(51)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_two_methods_in_one_request_are_refused(register: RegisterClient, path: str) -> None:
    job = register(**JOB)
    headers = {"Authorization": basic(job.client_id, job.secret)}
    for second in ({"client_secret": job.secret, "client_id": job.client_id}, job.with_assertion()):
        response = job.http.post(path, data={**GRANT, "token": "x", **second}, headers=headers)
        assert_error(response, "invalid_request")


@pytest.mark.checklist(51)
def test_another_client_id_in_the_body_is_refused(register: RegisterClient, rp: RelyingParty) -> None:
    job = register(**JOB)
    assert_error(job.token(GRANT | {"client_id": rp.client_id}), "invalid_client", 401)
    assert job.token(GRANT | {"client_id": job.client_id}).status_code == 200


@pytest.mark.pitfall(3)
@pytest.mark.checklist(50)
@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic %%%",
        "Basic ===",
        raw_basic(b"\xff\xfe:x"),
        raw_basic(b"%ff:x"),
        raw_basic(b"%00:x"),
        raw_basic(b"%ed%a0%80:x"),
        raw_basic(b"no colon"),
        raw_basic(b":"),
        raw_basic("名:密".encode()),
        raw_basic(b"x" * 9000 + b":y"),
        "Basic é",
    ],
)
@pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
def test_a_header_that_cannot_be_read_is_an_invalid_client(rp: RelyingParty, header: str) -> None:
    for path in ENDPOINTS:
        response = rp.http.post(path, data=GRANT | {"token": "x"}, headers={"Authorization": header})
        assert_error(response, "invalid_client", 401)
        assert response.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.checklist(50)
def test_a_wrong_secret_is_challenged(rp: RelyingParty) -> None:
    headers = {"Authorization": basic(rp.client_id, "wrong")}
    response = rp.http.post("/oauth/token", data=GRANT, headers=headers)
    assert_error(response, "invalid_client", 401)
    assert response.headers["WWW-Authenticate"].startswith("Basic ")


def test_unknown_client_and_wrong_secret_get_the_same_answer(rp: RelyingParty) -> None:
    answers = [
        rp.http.post("/oauth/token", data=GRANT, headers={"Authorization": basic(client_id, "wrong")})
        for client_id in (rp.client_id, "unknown")
    ]
    assert answers[0].data == answers[1].data


@pytest.mark.checklist(86)
@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("form", [{}, {"client_id": "unknown"}, {"client_secret": "x"}])
def test_nobody_in_particular_is_an_invalid_client(rp: RelyingParty, path: str, form: dict[str, str]) -> None:
    assert_error(rp.http.post(path, data=GRANT | {"token": "x"} | form), "invalid_client", 401)


def test_a_disabled_client_is_an_invalid_client_until_enabled(
    register: RegisterClient, platform: Platform
) -> None:
    job = register(**JOB)
    clients.disable(platform, job.client_id, ORIGIN)
    assert_error(job.token(GRANT), "invalid_client", 401)
    clients.enable(platform, job.client_id, ORIGIN)
    assert job.token(GRANT).status_code == 200


def test_a_rotated_secret_takes_the_former_ones_place(register: RegisterClient, platform: Platform) -> None:
    job = register(**JOB)
    rotated = clients.rotate_secret(platform, job.client_id, ORIGIN)
    assert isinstance(rotated, RegisteredClient)
    assert_error(job.token(GRANT), "invalid_client", 401)
    assert RelyingParty(job.http, rotated).token(GRANT).status_code == 200

"""The example as it is written: ten lines, a page and an API view, both refused as soon as they must be."""

from __future__ import annotations

import ast
import runpy
import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from clients.rp.flask import RelyingParty
from tests.clients.provider import ENTERPRISE, Person, TestProvider

SOURCE = Path(__file__).parents[3] / "clients/example/app.py"


@pytest.fixture
def app(provider: TestProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    environ = {
        "RP_ISSUER": provider.issuer,
        "RP_CLIENT_ID": "example",
        "RP_PUBLIC_URL": "http://127.0.0.1:5002",
        "RP_SECRET_KEY": "0123456789abcdef" * 4,
        "RP_KEY_FILE": str(tmp_path / "example.jwk"),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    made: Flask = runpy.run_path(str(SOURCE))["app"]
    rp: RelyingParty = made.extensions["relying_party"]
    provider.register("example", rp.public_jwks, "http://127.0.0.1:5002")
    return made


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()


def test_it_is_ten_lines_of_code() -> None:
    code = [
        line for line in ast.unparse(without_docstrings(ast.parse(SOURCE.read_text()))).splitlines() if line
    ]
    assert len(code) == 10


def without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return tree


def test_the_page_sends_to_sign_in_and_shows_the_enterprise(
    http: FlaskClient, provider: TestProvider
) -> None:
    sent = http.get("/")
    assert (sent.status_code, sent.location) == (303, "/login?then=%2F")
    assert provider.sign_in(http, sent.location, Person.handler()).location == "/"
    assert http.get("/").text == f"handler {ENTERPRISE}"


def test_the_api_takes_a_token_of_a_handler(http: FlaskClient, provider: TestProvider) -> None:
    bearer = {"Authorization": f"Bearer {provider.access_token()}"}
    assert http.get("/api/enterprise", headers=bearer).json == {"enterprise_credit_code": ENTERPRISE}
    assert http.get("/api/enterprise").status_code == 401


def test_a_revoked_handler_is_refused_by_both_within_a_second(
    http: FlaskClient, provider: TestProvider
) -> None:
    provider.sign_in(http, "/login", Person.handler())
    bearer = {"Authorization": f"Bearer {provider.access_token()}"}
    assert http.get("/").status_code == http.get("/api/enterprise", headers=bearer).status_code == 200
    provider.revoke_all()
    time.sleep(1)
    page, api = http.get("/"), http.get("/api/enterprise", headers=bearer)
    assert (page.status_code, api.status_code) == (401, 401)
    assert "授权已被撤销" in page.text
    assert api.get_json()["reason"] == "authorisation_ended"
    assert http.get("/").status_code == 303


def test_nothing_is_shown_while_the_provider_is_away(http: FlaskClient, provider: TestProvider) -> None:
    provider.sign_in(http, "/login", Person.handler())
    bearer = {"Authorization": f"Bearer {provider.access_token()}"}
    with provider.unreachable():
        for answer in (http.get("/"), http.get("/api/enterprise", headers=bearer)):
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "5"
            assert ENTERPRISE not in answer.text
    assert http.get("/").status_code == 200

"""What all endpoints for programs share, in front of Flask."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from idp.oauth import endpoints
from tests.oauth.relying_party import RelyingParty

PATHS = ["/oauth/token", "/oauth/introspect", "/oauth/revoke", "/oauth/userinfo"]


@pytest.mark.parametrize("path", PATHS)
def test_their_answers_are_json_that_nobody_caches_or_guesses(app: Flask, path: str) -> None:
    response = app.test_client().post(path)
    assert response.status_code in {400, 401}
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in response.headers


@pytest.mark.parametrize("path", PATHS)
def test_over_https_they_insist_on_it(make_app: Callable[..., Flask], path: str) -> None:
    app = make_app(issuer="https://idp.example.com")
    assert "max-age" in app.test_client().post(path).headers["Strict-Transport-Security"]


@pytest.mark.parametrize("path", PATHS)
def test_another_method_is_told_the_right_ones(app: Flask, path: str) -> None:
    response = app.test_client().delete(path)
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_a_fault_of_ours_says_nothing_of_itself_and_is_logged(
    rp: RelyingParty, app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr(endpoints, "introspect", broken)
    response = app.test_client().post("/oauth/introspect", data={"token": "x"})
    assert response.status_code == 500
    assert response.get_json() == {"error": "server_error"}
    assert "the inside" in caplog.text

"""Authlib's Flask client, in an application as its documentation shows it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping

import pytest
from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, jsonify, redirect, session, url_for
from flask.typing import ResponseReturnValue

from tests.applications import Applications, free_ports
from tests.foreign.sites import CREDIT_CODE, MATTER, SCOPE, let_in, served, sign_in
from tests.journeys.people import Person


def application(issuer: str, client: Mapping[str, str]) -> Flask:
    """A relying party: ``/`` shows the claims of whoever is signed in, ``/callback`` receives the answer."""
    app = Flask(__name__)
    app.secret_key = secrets.token_bytes(32)
    oauth = OAuth(app)
    oauth.register(  # type: ignore[no-untyped-call]  # Authlib's Flask client has no types
        "platform",
        client_id=client["client_id"],
        client_secret=client["client_secret"],
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": SCOPE, "code_challenge_method": "S256"},
    )

    @app.get("/")
    def home() -> ResponseReturnValue:
        if "person" in session:
            return jsonify(session["person"])
        answer: ResponseReturnValue = oauth.platform.authorize_redirect(url_for("callback", _external=True))
        return answer

    @app.get("/callback")
    def callback() -> ResponseReturnValue:
        try:
            session["person"] = oauth.platform.authorize_access_token()["userinfo"]
        except OAuthError as error:
            return jsonify(error=error.error), 403
        return redirect(url_for("home"))

    return app


@pytest.fixture
def site(platform: Applications) -> Iterator[str]:
    """Where the application answers; a confidential client."""
    (port,) = free_ports(1)
    client = platform.register(
        {
            "client_name": "示例 Flask 应用",
            "redirect_uris": [f"http://localhost:{port}/callback"],
            "scope": SCOPE,
            "matters": [MATTER],
        }
    )
    with served(application(platform.idp_url, client), port) as url:
        yield url


def test_the_application_knows_for_whom_the_person_acts(site: str, person: Person) -> None:
    page = let_in(person, f"{site}/")
    assert page.url == f"{site}/"
    claims = page.response.json()
    assert claims["account_type"] == "handler"
    assert claims["enterprise_credit_code"] == CREDIT_CODE
    assert claims["handler_scope"] == [MATTER]


def test_the_application_hears_that_the_person_did_not_agree(site: str, person: Person) -> None:
    page = person.submit(sign_in(person, f"{site}/"), "consent-deny")
    assert page.url.startswith(f"{site}/callback?")
    assert page.response.json() == {"error": "access_denied"}

"""A person's browser: a cookie jar, a login, and hands that press the buttons of the pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from idp import clock
from idp.domain.audit import Origin
from idp.domain.clients import IDENTITY_SCOPES
from idp.services import authentication, consents
from idp.services.authentication import Authenticated, LoginView
from idp.services.platform import Platform
from tests.oauth.relying_party import RelyingParty

ORIGIN = Origin("192.0.2.7", "test browser", "request-1")
ALL_SCOPES = frozenset(IDENTITY_SCOPES)
_INPUT = re.compile(r"<input[^>]*>")
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')


class Browser:
    """Visits addresses of the platform; follows nothing by itself."""

    def __init__(self, app: Flask, platform: Platform) -> None:
        self.http = app.test_client()
        self._platform = platform
        self.login: LoginView | None = None

    def sign_in(self, account_id: str) -> LoginView:
        """A login as the sign-in page opens it, made without Argon2id and SMS."""
        authenticated = Authenticated(
            account_id, "urn:gsp:acr:2fa", ("pwd", "sms", "mfa"), int(clock.now().timestamp())
        )
        former = self.http.get_cookie("login")
        token, self.login = authentication.open_login(
            self._platform, authenticated, ORIGIN, replaces=former.value if former else None
        )
        self.http.set_cookie("login", token)
        return self.login

    def allow(self, rp: RelyingParty, account_id: str, enterprise_id: str | None = None) -> None:
        """Consent given to this client some time ago, for everything."""
        consents.remember(account_id, rp.client_id, enterprise_id, ALL_SCOPES, ORIGIN)

    def get(self, address: str) -> TestResponse:
        """Visit an address."""
        return self.http.get(address)

    def authorize(self, rp: RelyingParty, **changes: Any) -> TestResponse:
        """Arrive at the authorization endpoint with the client's request."""
        return self.http.get("/oauth/authorize", query_string=rp.request(**changes))

    def press(self, page_address: str, /, **fields: str) -> TestResponse:
        """Open a page and send its first form that is not in the header, with these fields filled in."""
        page = self.http.get(page_address)
        assert page.status_code in {200, 403}, page.text
        return self.send(page, urlsplit(page_address).path, **fields)

    def send(self, page: TestResponse, path: str, /, **fields: str) -> TestResponse:
        """Send the form of a page that is there already."""
        return self.http.post(path, data=hidden_fields(page.text) | fields)

    def code_for(self, rp: RelyingParty, **changes: Any) -> str:
        """The code of a request that is answered at once."""
        return answer_of(self.authorize(rp, **changes))["code"]


def hidden_fields(html: str) -> dict[str, str]:
    """The hidden fields of a page's own form, which comes after that of the header."""
    fields: dict[str, str] = {}
    for tag in _INPUT.findall(own_form(html)):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if attributes.get("type") == "hidden":
            fields[attributes["name"]] = unescape(attributes.get("value", ""))
    return fields


def own_form(html: str) -> str:
    """The last form of a page: the header's sign-out comes before it."""
    return html[html.rindex("<form") :]


def answer_of(response: TestResponse) -> dict[str, str]:
    """The parameters of a redirect to the client, each of which comes once."""
    assert response.status_code == 303, response.text
    pairs = parse_qsl(urlsplit(response.location).query, keep_blank_values=True)
    parameters = dict(pairs)
    assert len(parameters) == len(pairs)
    return parameters


def page_of(response: TestResponse) -> str:
    """The path that a redirect within the platform leads to."""
    assert response.status_code == 303, response.text
    assert response.location.startswith("/"), response.location
    return urlsplit(response.location).path


def is_error_page(response: TestResponse, parameter: str) -> bool:
    """Whether this is the HTML page that names the wrong parameter, and no redirect."""
    return (
        response.status_code == 400
        and response.mimetype == "text/html"
        and 'id="error-page"' in response.text
        and parameter in response.text
        and "Location" not in response.headers
    )


def without(parameters: Mapping[str, str], *names: str) -> dict[str, str]:
    """A copy without these."""
    return {name: value for name, value in parameters.items() if name not in names}

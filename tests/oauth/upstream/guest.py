"""Somebody who signs in here through the other platform, and what the tests of that look at."""

from __future__ import annotations

import re
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.domain.audit import Entry
from idp.services import audit, authentication
from idp.services.authentication import LoginView
from idp.services.platform import Platform
from tests.oauth.browser import hidden_fields
from tests.oauth.people import People
from tests.oauth.relying_party import RelyingParty
from tests.oauth.upstream.other_platform import LI, OtherPlatform

TWO_FACTORS: Final = "urn:gsp:acr:2fa"
CRYPTOGRAPHIC: Final = "urn:gsp:acr:2fa-crypto"
INVALID: Final = "upstream_answer_invalid"


def add_li(people: People, platform: Platform, **columns: Any) -> str:
    fields = platform.keyring.fields
    number = LI["document_number"]
    return people.person(
        real_name="李示例",
        document_type="id_card",
        document_number_encrypted=fields.encrypt(number, "accounts.document_number"),
        document_index=fields.index(f"id_card:{number}", "accounts.document"),
        **columns,
    )


class Guest:
    """A browser without a login."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.http: FlaskClient = app.test_client()

    def press(self, **fields: str) -> TestResponse:
        """国家政务服务平台账号登录 on the sign-in page."""
        page = self.http.get("/login", query_string={k: v for k, v in fields.items() if k == "request"})
        return self.http.post("/login/national", data=hidden_fields(page.text) | fields)

    def depart(self, **fields: str) -> str:
        """Where the page in between leads."""
        page = self.press(**fields)
        assert page.status_code == 200, page.text
        return onward(page)

    def back(self, query: str) -> TestResponse:
        """The browser comes back with this answer."""
        return self.http.get("/login/national/callback", query_string=query)

    def walk(self, upstream: OtherPlatform, **fields: str) -> TestResponse:
        """There and back."""
        return self.back(upstream.answer(self.depart(**fields)))

    def login(self) -> LoginView | None:
        """The login that this browser holds."""
        cookie = self.http.get_cookie("login")
        platform: Platform = self.app.extensions["idp"]
        return authentication.find_login(platform, cookie.value) if cookie else None


def onward(page: TestResponse) -> str:
    """Where a page leads by itself, and by its link."""
    address = re.search(r'id="continue" href="([^"]*)"', page.text)
    assert address is not None
    assert page.headers["Refresh"] == f"0; url={unescape(address[1])}"
    return unescape(address[1])


def title(page: TestResponse) -> str:
    """What a page that refuses says first."""
    assert 'id="national-refused-page"' in page.text, page.text
    assert 'href="/login' in page.text
    found = re.search(r"<h1>([^<]*)</h1>", page.text)
    assert found is not None
    return found[1]


def trail(platform: Platform, event: str = "upstream:login") -> list[Entry]:
    return audit.list_entries(platform, event)[::-1]


def assert_refused(guest: Guest, page: TestResponse, platform: Platform, code: str) -> None:
    """A page, no login, nothing linked, and a line in the trail that names nobody's number."""
    title(page)
    assert guest.login() is None
    last = trail(platform)[-1]
    assert last.result == code
    assert LI["document_number"] not in str(last.detail)
    assert trail(platform, "upstream:link") == []


def request_of(guest: Guest, rp: RelyingParty, **changes: Any) -> str:
    """A client's request that waits for the sign-in; its id."""
    response = guest.http.get("/oauth/authorize", query_string=rp.request(**changes))
    assert response.status_code == 303, response.text
    return parse_qs(urlsplit(response.location).query)["request"][0]

"""The ten-line example beside the real platform: registered by command, used, refused at once."""

from __future__ import annotations

import runpy
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from flask import Flask
from lxml import html
from werkzeug.serving import make_server

from clients.rp import key_files
from tests.applications import ROOT, Applications, free_ports, serving
from tests.journeys.people import DEMO_PASSWORD, PHONES, TIMEOUT, Page, Person

ENTERPRISE = "91990101MADEM00117"
GOAL_SECONDS = 1.0


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Applications]:
    """The embedded installation with demonstration data of this test's own."""
    with serving(tmp_path, {"IDP_THROTTLE": "off", "IDP_CAPTCHA": "off"}) as applications:
        yield applications


@pytest.fixture
def example_url(running: Applications, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The example as docs/relying-parties.md sets it up."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    key_file = tmp_path / "example.jwk"
    registration = {
        "client_id": "example",
        "client_name": "示例应用",
        "profile": "fapi2",
        "redirect_uris": [f"{url}/callback"],
        "post_logout_redirect_uris": [f"{url}/"],
        "backchannel_logout_uri": f"{url}/backchannel-logout",
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": key_files.public_jwks(key_files.signing_key(key_file)),
        "id_token_signed_response_alg": "ES256",
        "scope": "openid profile enterprise handler",
        "matters": ["nev-accident-report"],
        "resources": [url],
        "require_enterprise": True,
    }
    environ = {
        "RP_ISSUER": running.idp_url,
        "RP_CLIENT_ID": running.register(registration)["client_id"],
        "RP_PUBLIC_URL": url,
        "RP_SECRET_KEY": "0123456789abcdef" * 4,
        "RP_KEY_FILE": str(key_file),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with listening(runpy.run_path(str(ROOT / "clients/example/app.py"))["app"], port):
        yield url


@contextmanager
def listening(app: Flask, port: int) -> Iterator[None]:
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["relying_party"].provider.transport.close()


def test_a_handler_is_known_by_the_example_and_refused_within_a_second_of_the_revocation(
    running: Applications, example_url: str
) -> None:
    handler, legal = Person(running.idp_url), Person(running.idp_url)
    page = handler.sign_in(handler.open(f"{example_url}/"), "demo_handler", PHONES["handler"], DEMO_PASSWORD)
    page = handler.submit(page, "consent-approve")
    assert (page.url, page.text) == (f"{example_url}/", f"handler {ENTERPRISE}")

    legal.sign_in(legal.open("/login"), "demo_legal", PHONES["legal"], DEMO_PASSWORD)
    handlers = legal.open("/enterprise/handlers")
    legal.submit(handlers, "decision=revoke", row=row_of(handlers, "demo_handler"))
    refused = first_refusal(handler, example_url)
    # The back-channel logout may be there before the question is asked: then there is no session any more.
    assert refused.status_code in (401, 303)
    assert ENTERPRISE not in refused.text
    assert ENTERPRISE not in handler.open(f"{example_url}/").text


def row_of(handlers: Page, login_name: str) -> str:
    button = f"//li[.//strong='{login_name}']//form[.//button[@value='revoke']]"
    found = html.fromstring(handlers.response.text).xpath(f"{button}/input[@name='id']/@value")
    assert isinstance(found, list)
    (row,) = found
    return str(row)


def first_refusal(handler: Person, example_url: str) -> requests.Response:
    """What the page answers a second at most after the click."""
    until = time.monotonic() + GOAL_SECONDS
    while True:
        answer = handler.browser.get(f"{example_url}/", allow_redirects=False, timeout=TIMEOUT)
        if answer.status_code != 200 or time.monotonic() > until:
            return answer
        time.sleep(0.02)

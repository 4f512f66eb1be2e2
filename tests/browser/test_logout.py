"""Front-channel logout in a real browser: frames of other sites, one of which never answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from idp.services.platform import Platform
from tests.browser.conftest import SCREENSHOTS
from tests.oauth.browser import Browser as OwnBrowser
from tests.oauth.conftest import SeparateRequests
from tests.oauth.people import People
from tests.oauth.relying_party import RelyingParty

TIMEOUT_MS = 20_000
HANG_SECONDS = 30


@dataclass
class Site:
    """A relying party's own server: it notes what it is asked, and ``/hang`` keeps the browser waiting."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """The site while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            if self.path.startswith("/hang"):
                site.ending.wait(HANG_SECONDS)
            content = f"<!doctype html><title>RP</title><h1>{urlsplit(self.path).path}</h1>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield site
    finally:
        site.ending.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class World:
    """A platform that a browser can visit, somebody signed in, and two relying parties."""

    url: str
    rp: RelyingParty
    site: Site
    own: OwnBrowser
    id_token: str


@pytest.fixture
def backend() -> str:
    """The browser knows no database."""
    return "sqlite"


@pytest.fixture
def world(make_app: Callable[..., Flask]) -> Iterator[World]:
    """The relying party's frame is at ``/out``; that of a second one at ``/hang`` if it is registered."""
    with ExitStack() as running:
        site = running.enter_context(serving(Site()))
        app = make_app(throttle=False)
        app.test_client_class = SeparateRequests
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running.callback(server.server_close)
        running.callback(thread.join)
        running.callback(server.shutdown)
        with app.app_context():
            yield _signed_in(app, site, f"http://127.0.0.1:{server.server_port}")


def _signed_in(app: Flask, site: Site, url: str) -> World:
    platform = cast("Platform", app.extensions["idp"])
    rp = registered(app, site, "/out")
    people, own = People(platform), OwnBrowser(app, platform)
    account_id = people.person(real_name="李示例")
    own.sign_in(account_id)
    own.allow(rp, account_id)
    id_token = rp.redeem(own.code_for(rp, scope="openid")).get_json()["id_token"]
    return World(url, rp, site, own, id_token)


def registered(app: Flask, site: Site, frame: str) -> RelyingParty:
    """A client of the site."""
    metadata: dict[str, Any] = {
        "redirect_uris": [f"{site.url}/callback"],
        "post_logout_redirect_uris": [f"{site.url}/bye"],
        "frontchannel_logout_uri": f"{site.url}{frame}",
        "scope": "openid",
        "matters": [],
    }
    return RelyingParty.registered_with(app, cast("Platform", app.extensions["idp"]), metadata)


def hang_too(world: World) -> None:
    """Sign in to a second client, whose frame never loads."""
    app = world.own.http.application
    second = registered(app, world.site, "/hang")
    assert world.own.login
    world.own.allow(second, world.own.login.account_id)
    assert second.redeem(world.own.code_for(second, scope="openid")).status_code == 200


def window(world: World, chromium: Browser, **options: Any) -> Page:
    """A window with the person's cookie."""
    context = chromium.new_context(**options)
    context.set_default_timeout(TIMEOUT_MS)
    cookie = world.own.http.get_cookie("login")
    assert cookie
    context.add_cookies([{"name": "login", "value": cookie.value, "url": world.url}])
    return context.new_page()


def sign_out(world: World, page: Page, hint: str | None = None) -> None:
    address = (
        f"{world.url}/oauth/logout?id_token_hint={hint or world.id_token}"
        f"&post_logout_redirect_uri={world.site.url}/bye&state=s"
    )
    page.goto(address, wait_until="commit")


@pytest.mark.checklist(120)
def test_the_frames_load_and_the_browser_goes_on(world: World, chromium: Browser) -> None:
    page = window(world, chromium)
    sign_out(world, page)
    page.wait_for_url(f"{world.site.url}/bye?state=s")
    (frame,) = [path for path in world.site.asked if path.startswith("/out")]
    assert world.own.login
    assert parse_qs(urlsplit(frame).query) == {
        "iss": ["http://127.0.0.1:5000"],
        "sid": [world.own.login.sid],
    }
    page.context.close()


@pytest.mark.checklist(120)
def test_a_client_that_never_answers_holds_nobody(world: World, chromium: Browser) -> None:
    hang_too(world)
    page = window(world, chromium)
    start = time.monotonic()
    sign_out(world, page)
    page.wait_for_url(f"{world.site.url}/bye?state=s")
    assert time.monotonic() - start < 10
    assert {"/out", "/hang"} <= {urlsplit(path).path for path in world.site.asked}
    page.context.close()


@pytest.mark.checklist(120)
def test_without_javascript_the_browser_goes_on_when_the_frames_have_loaded(
    world: World, chromium: Browser
) -> None:
    page = window(world, chromium, java_script_enabled=False)
    sign_out(world, page)
    page.wait_for_url(f"{world.site.url}/bye?state=s")
    assert [path for path in world.site.asked if path.startswith("/out")]
    page.context.close()


@pytest.mark.checklist(120)
def test_without_javascript_a_button_leads_on_before_they_have(world: World, chromium: Browser) -> None:
    hang_too(world)
    page = window(world, chromium, java_script_enabled=False)
    sign_out(world, page)
    page.click("#continue", no_wait_after=True)
    page.wait_for_url(f"{world.site.url}/bye?state=s")
    page.context.close()


@pytest.mark.checklist(117)
def test_the_answer_to_the_question_leads_back_to_the_client(world: World, chromium: Browser) -> None:
    former = world.id_token
    assert world.own.login
    account_id = world.own.login.account_id
    world.own.http.delete_cookie("login")
    world.own.sign_in(account_id)  # another session than that of the hint
    page = window(world, chromium)
    sign_out(world, page, former)
    page.click("#logout-confirm")
    page.wait_for_url(f"{world.site.url}/bye?state=s")  # form-action holds for redirects as well
    page.context.close()


@pytest.mark.parametrize("width", [1440, 360])
def test_signing_out_on_our_own_pages_stays_on_a_page_that_says_so(
    world: World, chromium: Browser, width: int
) -> None:
    shots = SCREENSHOTS / str(width)
    shots.mkdir(parents=True, exist_ok=True)
    page = window(world, chromium, viewport={"width": width, "height": 900})
    page.goto(f"{world.url}/account/sessions")
    page.get_by_role("button", name="退出").first.click()
    expect(page.locator("#logged-out")).to_be_visible()
    page.screenshot(path=str(shots / "09-logged-out.png"), full_page=True)
    assert [path for path in world.site.asked if path.startswith("/out")]
    page.context.close()

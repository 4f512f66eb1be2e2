from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.test import TestResponse

from idp.services import clients
from idp.services.platform import Platform
from tests.oauth.browser import ORIGIN, hidden_fields
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.relying_party import ISSUER, RelyingParty

OUT = "https://rp.example/frame-out"
BYE = "https://rp.example/bye"
pytestmark = pytest.mark.checklist(120)


@pytest.fixture
def rp(register: RegisterClient) -> RelyingParty:
    """The client of the scene, which is told by a frame."""
    return register(frontchannel_logout_uri=OUT, post_logout_redirect_uris=[BYE])


@pytest.fixture
def second(register: RegisterClient, scene: Scene) -> RelyingParty:
    """Another client that the person has signed in to, whose frame has a query of its own."""
    second = register(
        redirect_uris=["https://second.example:8443/callback"],
        frontchannel_logout_uri="https://second.example:8443/out?tenant=1",
    )
    scene.browser.allow(second, scene.account_id, scene.enterprise_id)
    assert second.redeem(scene.browser.code_for(second)).status_code == 200
    return second


def frames(page: TestResponse) -> list[str]:
    """The addresses of the page's frames, every one of which is hidden."""
    tags = re.findall(r"<iframe[^>]*>", page.text)
    assert all(re.search(r"\shidden[\s>]", tag) for tag in tags)
    return [unescape(re.findall(r'src="([^"]*)"', tag)[0]) for tag in tags]


def told(page: TestResponse) -> list[tuple[str, list[tuple[str, str]]]]:
    parts = [urlsplit(address) for address in frames(page)]
    return [(f"{part.scheme}://{part.netloc}{part.path}", parse_qsl(part.query)) for part in parts]


def logout(scene: Scene, **parameters: str) -> TestResponse:
    return scene.browser.http.get("/oauth/logout", query_string=parameters)


def directive(page: TestResponse, name: str) -> str | None:
    policy = page.headers["Content-Security-Policy"].split("; ")
    return next((text.partition(" ")[2] for text in policy if text.partition(" ")[0] == name), None)


def sid_of(scene: Scene) -> str:
    assert scene.browser.login
    return scene.browser.login.sid


def test_every_client_of_the_session_gets_a_hidden_frame_with_issuer_and_session(
    scene: Scene, second: RelyingParty
) -> None:
    sid = sid_of(scene)
    page = logout(scene, id_token_hint=scene.tokens().id_token)
    assert page.status_code == 200
    added = [("iss", ISSUER), ("sid", sid)]
    assert sorted(told(page)) == [
        (OUT, added),
        ("https://second.example:8443/out", [("tenant", "1"), *added]),
    ]
    assert 'id="logged-out"' in page.text
    assert "Refresh" not in page.headers


def test_then_the_browser_goes_on_to_where_the_client_wants(scene: Scene, second: RelyingParty) -> None:
    hint = scene.tokens().id_token
    page = logout(scene, id_token_hint=hint, post_logout_redirect_uri=BYE, state="a&b")
    assert len(frames(page)) == 2
    assert page.headers["Refresh"] == f"3; url={BYE}?state=a%26b"
    assert (
        f'<a class="btn btn-primary" id="continue" href="{BYE}?state=a%26b" data-onward>继续</a>' in page.text
    )
    assert page.headers["Cache-Control"] == "no-store"


def test_only_this_page_may_hold_frames_and_only_of_these_clients(scene: Scene, second: RelyingParty) -> None:
    assert directive(scene.browser.get("/account"), "frame-src") is None
    page = logout(scene, id_token_hint=scene.tokens().id_token)
    assert directive(page, "frame-src") == "https://rp.example https://second.example:8443"
    assert directive(page, "frame-ancestors") == "'none'"
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:", page.text)


def test_no_frame_may_lead_the_browser_elsewhere(scene: Scene) -> None:
    page = logout(scene, id_token_hint=scene.tokens().id_token)
    (sandbox,) = re.findall(r'sandbox="([^"]*)"', page.text)
    assert "allow-top-navigation" not in sandbox
    assert "allow-popups" not in sandbox


def test_who_took_no_part_has_no_frame_or_is_disabled_gets_none(
    register: RegisterClient, scene: Scene, second: RelyingParty, platform: Platform
) -> None:
    deaf, idle = register(), register(frontchannel_logout_uri="https://rp.example/idle")
    for client in (deaf, idle):
        scene.browser.allow(client, scene.account_id, scene.enterprise_id)
    assert deaf.redeem(scene.browser.code_for(deaf)).status_code == 200
    scene.browser.code_for(idle)  # never redeemed: that client knows of no session
    clients.disable(platform, second.client_id, ORIGIN)
    page = logout(scene, id_token_hint=scene.tokens().id_token)
    assert [address for address, _ in told(page)] == [OUT]


def test_without_such_clients_the_browser_goes_on_at_once(register: RegisterClient, scene: Scene) -> None:
    deaf = register(post_logout_redirect_uris=[BYE])
    scene.browser.allow(deaf, scene.account_id, scene.enterprise_id)
    hint = deaf.redeem(scene.browser.code_for(deaf)).get_json()["id_token"]
    response = logout(scene, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert (response.status_code, response.location) == (303, BYE)


def test_after_the_question_the_frames_are_there_and_again_for_a_second_click(scene: Scene) -> None:
    scene.tokens()
    page = logout(scene)
    sid = sid_of(scene)
    for _ in range(2):
        answer = scene.browser.send(page, "/interaction/logout", decision="logout")
        assert answer.status_code == 200
        assert told(answer) == [(OUT, [("iss", ISSUER), ("sid", sid)])]


def test_who_stays_is_shown_no_frame(scene: Scene) -> None:
    scene.tokens()
    assert frames(scene.browser.send(logout(scene), "/interaction/logout", decision="stay")) == []


@pytest.mark.parametrize("path", ["/logout", "/account/sessions"])
def test_a_sign_out_on_our_own_pages_shows_them_too(scene: Scene, path: str) -> None:
    scene.tokens()
    page = scene.browser.get("/account/sessions")
    sid = sid_of(scene)
    answer = scene.browser.send(page, path, session=sid, action="end")
    assert answer.status_code == 200
    assert 'id="logged-out"' in answer.text
    assert told(answer) == [(OUT, [("iss", ISSUER), ("sid", sid)])]
    assert directive(answer, "frame-src") == "https://rp.example"


def test_on_our_own_pages_without_such_clients_the_way_is_home(scene: Scene) -> None:
    page = scene.browser.get("/account/sessions")
    fields = hidden_fields(page.text)
    for _ in range(2):  # a second click finds nothing to do
        answer = scene.browser.http.post("/logout", data=fields)
        assert (answer.status_code, answer.location) == (303, "/")


def test_ending_another_device_from_here_shows_no_frames_here(scene: Scene) -> None:
    scene.tokens()
    other_sid = sid_of(scene)
    scene.browser.http.delete_cookie("login")
    scene.browser.sign_in(scene.account_id)
    page = scene.browser.get("/account/sessions")
    answer = scene.browser.send(page, "/account/sessions", session=other_sid, action="end")
    assert (answer.status_code, answer.location) == (303, "/account/sessions")


@pytest.mark.parametrize(
    ("uri", "accepted"),
    [
        ("https://rp.example/out?x=1", True),
        ("https://elsewhere.example/out", False),
        ("https://rp.example:8443/out", False),
        ("https://rp.example/out#x", False),
        ("https://rp.example/out?sid=1", False),
        ("not an address", False),
    ],
)
def test_a_frame_is_registered_only_where_the_client_stands(
    platform: Platform, uri: str, accepted: bool
) -> None:
    metadata: dict[str, Any] = {
        "client_name": "RP",
        "redirect_uris": ["https://rp.example/callback"],
        "frontchannel_logout_uri": uri,
    }
    outcome = clients.register(platform, metadata, ORIGIN)
    assert isinstance(outcome, clients.RegisteredClient) == accepted

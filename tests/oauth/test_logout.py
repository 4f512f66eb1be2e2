from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey

from tests.oauth.browser import answer_of, hidden_fields, is_error_page
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.people import People
from tests.oauth.relying_party import ISSUER, RelyingParty, assert_error, signed, unsigned
from tests.services.conftest import MovableClock

AFTER = "https://rp.example/bye?tenant=1"


@pytest.fixture
def rp(register: RegisterClient) -> RelyingParty:
    """The client of the scene, with addresses to go to after signing out."""
    return register(post_logout_redirect_uris=["https://rp.example/bye", AFTER])


def signed_out(scene: Scene) -> bool:
    return answer_of(scene.browser.authorize(scene.rp, prompt="none")).get("error") == "login_required"


def logout(scene: Scene, method: str = "GET", **parameters: str) -> Any:
    if method == "GET":
        return scene.browser.http.get("/oauth/logout", query_string=parameters)
    return scene.browser.http.post("/oauth/logout", data=parameters)


@pytest.mark.checklist(115, 118)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_hint_and_a_registered_address_end_the_session_and_lead_there(scene: Scene, method: str) -> None:
    tokens = scene.tokens()
    cookie = scene.browser.http.get_cookie("login")
    response = logout(
        scene,
        method,
        id_token_hint=tokens.id_token,
        post_logout_redirect_uri="https://rp.example/bye",
        state="s &=中",
    )
    assert response.status_code == 303
    assert response.location.startswith("https://rp.example/bye?")
    assert parse_qs(urlsplit(response.location).query) == {"state": ["s &=中"]}
    assert signed_out(scene)
    assert cookie
    scene.browser.http.set_cookie("login", cookie.value)
    assert signed_out(scene)
    assert_error(scene.rp.refresh(tokens.refresh_token), "invalid_grant")


@pytest.mark.checklist(115)
def test_without_state_nothing_is_added(scene: Scene) -> None:
    response = logout(scene, id_token_hint=scene.tokens().id_token, post_logout_redirect_uri=AFTER)
    assert response.location == AFTER


@pytest.mark.checklist(115)
def test_a_query_of_the_address_is_kept(scene: Scene) -> None:
    hint = scene.tokens().id_token
    response = logout(scene, id_token_hint=hint, post_logout_redirect_uri=AFTER, state="x")
    assert response.location == f"{AFTER}&state=x"


@pytest.mark.checklist(115)
def test_an_expired_hint_is_good_enough(scene: Scene, time: MovableClock) -> None:
    hint = scene.tokens().id_token
    time.advance(minutes=25)
    response = logout(scene, id_token_hint=hint, post_logout_redirect_uri="https://rp.example/bye")
    assert response.location == "https://rp.example/bye"
    assert signed_out(scene)


@pytest.mark.checklist(115)
def test_the_hint_ends_its_session_also_when_the_browser_sends_no_cookie(scene: Scene) -> None:
    hint = scene.tokens().id_token
    cookie = scene.browser.http.get_cookie("login")
    scene.browser.http.delete_cookie("login")
    response = logout(scene, id_token_hint=hint, post_logout_redirect_uri="https://rp.example/bye")
    assert response.location == "https://rp.example/bye"
    assert cookie
    scene.browser.http.set_cookie("login", cookie.value)
    assert signed_out(scene)


@pytest.mark.checklist(116)
@pytest.mark.parametrize(
    "address",
    [
        "https://rp.example/other",
        "https://rp.example/bye?x=1",
        "https://rp.example/bye/",
        "https://evil.example/bye",
        "javascript:alert(1)",
        "中",
    ],
)
def test_an_unregistered_address_is_a_page_and_no_redirect(scene: Scene, address: str) -> None:
    hint = scene.tokens().id_token
    response = logout(scene, id_token_hint=hint, post_logout_redirect_uri=address)
    assert is_error_page(response, "post_logout_redirect_uri")
    response = logout(scene, client_id=scene.rp.client_id, post_logout_redirect_uri=address)
    assert is_error_page(response, "post_logout_redirect_uri")
    assert not signed_out(scene)


@pytest.mark.checklist(116)
def test_a_forged_hint_is_a_page_and_no_redirect(scene: Scene) -> None:
    assert scene.browser.login
    told = {
        "iss": ISSUER,
        "sub": scene.account_id,
        "aud": scene.rp.client_id,
        "sid": scene.browser.login.sid,
        "exp": 4_000_000_000,
    }
    tokens = scene.tokens()
    foreign = RSAKey.generate_key(2048, {"kid": "x"})
    for hint in (
        unsigned(told),
        signed(told, foreign, {"alg": "RS256", "typ": "JWT", "kid": "x"}),
        tokens.access_token,
        tokens.id_token[:-8] + "AAAAAAAA",
        "x",
        "x" * 20_000,
    ):
        response = logout(scene, id_token_hint=hint, post_logout_redirect_uri="https://rp.example/bye")
        assert is_error_page(response, "id_token_hint")
    assert not signed_out(scene)


@pytest.mark.checklist(116)
def test_a_hint_of_another_client_leads_nowhere(register: RegisterClient, scene: Scene) -> None:
    other = register(post_logout_redirect_uris=["https://other.example/bye"])
    hint = scene.tokens().id_token
    response = logout(scene, id_token_hint=hint, post_logout_redirect_uri="https://other.example/bye")
    assert is_error_page(response, "post_logout_redirect_uri")
    response = logout(scene, id_token_hint=hint, client_id=other.client_id)
    assert is_error_page(response, "client_id")
    assert is_error_page(logout(scene, client_id="unknown"), "client_id")
    assert not signed_out(scene)


@pytest.mark.checklist(116, 117)
@pytest.mark.parametrize("parameters", [{}, {"state": "x"}, {"ui_locales": "zh-CN"}])
def test_without_proof_the_person_is_asked_and_then_told(scene: Scene, parameters: dict[str, str]) -> None:
    page = logout(scene, **parameters)
    assert page.status_code == 200
    assert 'id="logout-confirm-page"' in page.text
    assert not signed_out(scene)
    told = scene.browser.send(page, "/interaction/logout", decision="logout")
    assert told.status_code == 200
    assert 'id="logged-out"' in told.text
    assert signed_out(scene)


@pytest.mark.checklist(116, 117)
def test_an_address_without_a_hint_leads_nowhere_even_after_the_question(scene: Scene) -> None:
    page = logout(scene, client_id=scene.rp.client_id, post_logout_redirect_uri="https://rp.example/bye")
    assert 'id="logout-confirm-page"' in page.text
    told = scene.browser.send(page, "/interaction/logout", decision="logout")
    assert told.status_code == 200
    assert signed_out(scene)


@pytest.mark.checklist(117)
def test_a_hint_without_an_address_ends_the_session_and_says_so(scene: Scene) -> None:
    response = logout(scene, id_token_hint=scene.tokens().id_token, state="x")
    assert response.status_code == 200
    assert 'id="logged-out"' in response.text
    assert signed_out(scene)


@pytest.mark.checklist(117)
def test_who_was_not_signed_in_is_told_so_at_once(scene: Scene) -> None:
    scene.browser.http.delete_cookie("login")
    response = logout(scene)
    assert response.status_code == 200
    assert 'id="logged-out"' in response.text


def test_who_stays_is_not_signed_out(scene: Scene) -> None:
    page = logout(scene)
    response = scene.browser.send(page, "/interaction/logout", decision="stay")
    assert response.status_code == 200
    assert 'id="logged-out"' not in response.text
    assert not signed_out(scene)


def test_the_hint_of_another_session_asks_first(scene: Scene, people: People) -> None:
    hint = scene.tokens().id_token
    other = people.person()
    scene.browser.sign_in(other)
    scene.browser.allow(scene.rp, other)
    page = logout(scene, id_token_hint=hint, post_logout_redirect_uri="https://rp.example/bye", state="x")
    assert 'id="logout-confirm-page"' in page.text
    assert "https://rp.example/bye" not in str(hidden_fields(page.text))
    response = scene.browser.send(page, "/interaction/logout", decision="logout")
    assert response.location == "https://rp.example/bye?state=x"
    assert signed_out(scene)


def test_a_forged_answer_to_the_question_is_refused(scene: Scene) -> None:
    page = logout(scene)
    fields = hidden_fields(page.text) | {"decision": "logout", "csrf_token": "forged"}
    assert scene.browser.http.post("/interaction/logout", data=fields).status_code == 400
    assert not signed_out(scene)


def test_a_repeated_parameter_is_a_page(scene: Scene) -> None:
    hint = scene.tokens().id_token
    response = scene.browser.get(f"/oauth/logout?id_token_hint={hint}&id_token_hint={hint}")
    assert is_error_page(response, "id_token_hint")
    assert not signed_out(scene)

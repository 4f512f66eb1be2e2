from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import update

from idp import clock
from idp.oauth import tokens as issuing
from idp.services import clients
from idp.services.platform import Platform
from idp.storage.accounts import Account
from idp.storage.database import transaction
from tests.oauth.browser import ORIGIN, Browser, answer_of, hidden_fields, is_error_page, page_of
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.people import People
from tests.oauth.relying_party import ISSUER, RelyingParty, assert_error, signed, unsigned
from tests.services.conftest import MovableClock

BYE = "https://rp.example/bye"
AFTER = "https://rp.example/bye?tenant=1"
FOREIGN = {"Origin": "https://rp.example"}


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


@pytest.mark.pitfall(23)
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


# --- every negative case (RPL 2, 4)


def ours(platform: Platform, claims: dict[str, Any], token_type: str = "JWT") -> str:
    """A JWT that this provider's own key has signed."""
    key = platform.keyring.signing_key("RS256", clock.now())
    return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": token_type}, claims, key, algorithms=["RS256"])


@pytest.mark.checklist(116)
@pytest.mark.parametrize(
    "name",
    ["id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_any_parameter_sent_twice_is_a_page(scene: Scene, method: str, name: str) -> None:
    encoded = f"{name}=a&{name}=a"
    if method == "GET":
        response = scene.browser.get(f"/oauth/logout?{encoded}")
    else:
        content_type = "application/x-www-form-urlencoded"
        response = scene.browser.http.post("/oauth/logout", data=encoded, content_type=content_type)
    assert is_error_page(response, name)
    assert not signed_out(scene)


@pytest.mark.checklist(116)
def test_a_logout_token_is_no_hint(scene: Scene, platform: Platform) -> None:
    assert scene.browser.login
    claims = {"sub": scene.account_id, "sid": scene.browser.login.sid}
    token = issuing.issue_logout_token(platform, scene.rp.client_id, claims, clock.now())
    assert token
    assert is_error_page(logout(scene, id_token_hint=token), "id_token_hint")
    assert not signed_out(scene)


@pytest.mark.checklist(116)
@pytest.mark.parametrize(
    "changes",
    [
        {"auth_time": None},  # a signed answer of another endpoint
        {"iss": "https://other.example"},
        {"aud": ["a", "b"]},
        {"aud": None},
        {"aud": 5},
    ],
)
def test_another_jwt_of_ours_is_no_hint(scene: Scene, platform: Platform, changes: dict[str, Any]) -> None:
    assert scene.browser.login
    claims = {
        "iss": ISSUER,
        "sub": scene.account_id,
        "aud": scene.rp.client_id,
        "sid": scene.browser.login.sid,
        "auth_time": 1,
        "exp": 4_000_000_000,
    } | changes
    hint = ours(platform, {name: value for name, value in claims.items() if value is not None})
    response = logout(scene, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert is_error_page(response, "id_token_hint")
    assert not signed_out(scene)


@pytest.mark.checklist(116, 117)
def test_a_hint_without_session_asks(scene: Scene, platform: Platform) -> None:
    hint = ours(
        platform,
        {"iss": ISSUER, "sub": scene.account_id, "aud": scene.rp.client_id, "auth_time": 1, "exp": 1},
    )
    page = logout(scene, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert 'id="logout-confirm-page"' in page.text
    assert not signed_out(scene)


def test_whose_session_it_is_the_sid_says_not_the_sub(scene: Scene, platform: Platform) -> None:
    assert scene.browser.login
    pairwise = {
        "iss": ISSUER,
        "sub": "another-name-for-each-sector",
        "aud": scene.rp.client_id,
        "sid": scene.browser.login.sid,
        "auth_time": 1,
        "exp": 1,
    }
    response = logout(scene, id_token_hint=ours(platform, pairwise), post_logout_redirect_uri=BYE)
    assert response.location == BYE
    assert signed_out(scene)


@pytest.mark.checklist(116)
def test_the_hint_of_a_session_that_is_over_asks_about_the_present_one(scene: Scene) -> None:
    hint = scene.tokens().id_token
    assert logout(scene, id_token_hint=hint).status_code == 200
    scene.browser.sign_in(scene.account_id)  # the same person again, in a session of its own
    page = logout(scene, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert 'id="logout-confirm-page"' in page.text
    assert not signed_out(scene)


@pytest.mark.checklist(115)
@pytest.mark.parametrize(
    "hint", ["person1", "nobody", "\u4e2d\U0001f600", "x" * 5000, "<script>alert(1)</script>"]
)
@pytest.mark.parametrize("locales", ["zh-CN en", "x", "-" * 500])
def test_logout_hint_and_locales_change_nothing(scene: Scene, hint: str, locales: str) -> None:
    page = logout(scene, logout_hint=hint, ui_locales=locales)
    assert page.status_code == 200
    assert 'id="logout-confirm-page"' in page.text
    assert "<script>alert" not in page.text
    response = logout(
        scene,
        id_token_hint=scene.tokens().id_token,
        post_logout_redirect_uri=BYE,
        logout_hint=hint,
        ui_locales=locales,
    )
    assert response.location == BYE


@pytest.mark.checklist(116)
def test_a_disabled_client_leads_nowhere_and_the_person_can_still_sign_out(
    scene: Scene, platform: Platform
) -> None:
    hint = scene.tokens().id_token
    clients.disable(platform, scene.rp.client_id, ORIGIN)
    page = logout(scene, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert is_error_page(page, "client_id")
    assert "退出平台" in page.text
    assert scene.browser.send(page, "/logout").status_code == 303
    clients.enable(platform, scene.rp.client_id, ORIGIN)
    assert signed_out(scene)


def test_who_is_not_signed_in_is_offered_no_sign_out_on_the_error_page(scene: Scene) -> None:
    scene.browser.http.delete_cookie("login")
    assert "退出平台" not in logout(scene, id_token_hint="x").text


@pytest.mark.parametrize("status", ["frozen", "deleted"])
def test_the_hint_of_an_account_that_is_no_more_leads_back(scene: Scene, status: str) -> None:
    hint = scene.tokens().id_token
    with transaction() as session:
        session.execute(update(Account).where(Account.id == scene.account_id).values(status=status))
    response = logout(scene, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert response.location == BYE


@pytest.mark.checklist(115)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_client_id_beside_its_own_hint_is_fine(scene: Scene, method: str) -> None:
    response = logout(
        scene,
        method,
        id_token_hint=scene.tokens().id_token,
        client_id=scene.rp.client_id,
        post_logout_redirect_uri=BYE,
    )
    assert response.location == BYE


@pytest.mark.checklist(117)
def test_state_without_an_address_is_forgotten(scene: Scene) -> None:
    response = logout(scene, client_id=scene.rp.client_id, state="x")
    assert 'id="logout-confirm-page"' in response.text
    told = scene.browser.send(response, "/interaction/logout", decision="logout")
    assert told.status_code == 200
    assert "Location" not in told.headers


# --- POST from another site: the browser keeps its cookies back


def cross_site(scene: Scene, **parameters: str) -> str:
    """Where a cross-site POST is sent on to."""
    bare = scene.browser.http.application.test_client()
    response = bare.post("/oauth/logout", data=parameters, headers=FOREIGN)
    assert page_of(response) == "/interaction/logout"
    return str(response.location)


@pytest.mark.checklist(115)
def test_a_cross_site_post_with_the_hint_of_the_session_ends_it(scene: Scene) -> None:
    hint = scene.tokens().id_token
    onward = cross_site(scene, id_token_hint=hint, post_logout_redirect_uri=BYE, state="x")
    assert hint not in onward
    response = scene.browser.get(onward)
    assert response.location == f"{BYE}?state=x"
    assert signed_out(scene)


@pytest.mark.checklist(116)
def test_a_cross_site_post_with_the_hint_of_another_session_asks(scene: Scene, people: People) -> None:
    hint = scene.tokens().id_token
    other = people.person()
    scene.browser.sign_in(other)
    scene.browser.allow(scene.rp, other)
    page = scene.browser.get(cross_site(scene, id_token_hint=hint, post_logout_redirect_uri=BYE))
    assert 'id="logout-confirm-page"' in page.text
    assert not signed_out(scene)


@pytest.mark.checklist(116)
def test_a_faulty_cross_site_post_is_a_page_at_once(scene: Scene) -> None:
    bare = scene.browser.http.application.test_client()
    response = bare.post("/oauth/logout", data={"id_token_hint": "x"}, headers=FOREIGN)
    assert is_error_page(response, "id_token_hint")


@pytest.mark.parametrize("handle", ["", "x", "x" * 5000, "%00", "%ff"])
def test_a_made_up_handle_says_nothing_and_asks(scene: Scene, handle: str) -> None:
    page = scene.browser.get(f"/interaction/logout?request={handle}")
    assert page.status_code in {200, 400}
    assert not signed_out(scene)


# --- the question


@both_backends
@pytest.mark.checklist(117)
def test_the_answer_sent_twice_leads_to_the_same_place(scene: Scene, people: People) -> None:
    hint = scene.tokens().id_token
    other = people.person()
    scene.browser.sign_in(other)
    scene.browser.allow(scene.rp, other)
    page = logout(scene, id_token_hint=hint, post_logout_redirect_uri=BYE, state="x")
    for _ in range(2):
        response = scene.browser.send(page, "/interaction/logout", decision="logout")
        assert (response.status_code, response.location) == (303, f"{BYE}?state=x")
    assert signed_out(scene)


@pytest.mark.checklist(117)
def test_the_page_of_the_question_may_lead_to_the_client(scene: Scene) -> None:
    hint = scene.tokens().id_token
    scene.browser.sign_in(scene.account_id)
    scene.browser.http.delete_cookie("login")
    scene.browser.sign_in(scene.account_id)
    page = logout(scene, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert "form-action 'self' https://rp.example;" in page.headers["Content-Security-Policy"]
    assert "form-action 'self';" in logout(scene).headers["Content-Security-Policy"]


def test_an_answer_after_the_session_is_over_says_so(scene: Scene, browser: Browser) -> None:
    page = logout(scene)
    scene.browser.http.delete_cookie("login")
    fields = hidden_fields(page.text) | {"decision": "logout", "csrf_token": "old"}
    response = scene.browser.http.post("/interaction/logout", data=fields)
    assert response.status_code == 200
    assert 'id="logged-out"' in response.text


# --- hostile sizes and encodings


@pytest.mark.parametrize("name", ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"])
@pytest.mark.parametrize(
    "value",
    [
        "%00",
        "%ff",
        "%ed%a0%80",
        "%F0%9F%98%80",
        "%0d%0aSet-Cookie:%20x=1",
        "x" * 4000,
        "eyJhbGciOiJub25lIn0.e30.",
        "e30.e30.e30",
        "....",
        "eyJhbGciOiJSUzI1NiIsImtpZCI6W119.e30.AA",
        "%5B" * 1000,
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_hostile_values_are_a_page_and_no_fault(scene: Scene, method: str, name: str, value: str) -> None:
    encoded = f"{name}={value}"
    if method == "GET":
        response = scene.browser.get(f"/oauth/logout?{encoded}")
    else:
        content_type = "application/x-www-form-urlencoded"
        response = scene.browser.http.post("/oauth/logout", data=encoded, content_type=content_type)
    assert response.status_code in {200, 400}
    assert "Location" not in response.headers
    assert not re.search("Set-Cookie: x", str(response.headers))
    assert not signed_out(scene)


def test_a_state_cannot_break_out_of_the_address(scene: Scene) -> None:
    state = "a\r\nSet-Cookie: x=1&other=2#z"
    response = logout(scene, id_token_hint=scene.tokens().id_token, post_logout_redirect_uri=BYE, state=state)
    assert parse_qs(urlsplit(response.location).query) == {"state": [state]}
    assert urlsplit(response.location).fragment == ""

"""POST from another site: browsers keep SameSite=Lax cookies back from it, not from the GET after it."""

from __future__ import annotations

import pytest

from tests.oauth.browser import answer_of, page_of
from tests.oauth.conftest import Scene

FOREIGN = {"Origin": "https://rp.example.com"}


@pytest.mark.checklist(13)
def test_a_cross_site_post_finds_the_session_of_the_browser(scene: Scene) -> None:
    bare = scene.browser.http.application.test_client()  # the cookie stays behind
    response = bare.post("/oauth/authorize", data=scene.rp.request(state="s"), headers=FOREIGN)
    assert page_of(response) == "/interaction/resume"
    answer = answer_of(scene.browser.get(response.location))
    assert answer["state"] == "s"
    assert "code" in answer


@pytest.mark.checklist(26)
def test_prompt_none_by_cross_site_post_is_answered_for_the_browser_as_it_is(scene: Scene) -> None:
    bare = scene.browser.http.application.test_client()
    response = bare.post("/oauth/authorize", data=scene.rp.request(prompt="none"), headers=FOREIGN)
    assert "code" in answer_of(scene.browser.get(response.location))
    response = bare.post("/oauth/authorize", data=scene.rp.request(prompt="none"), headers=FOREIGN)
    assert answer_of(bare.get(response.location))["error"] == "login_required"


def test_a_request_goes_on_once(scene: Scene) -> None:
    bare = scene.browser.http.application.test_client()
    response = bare.post("/oauth/authorize", data=scene.rp.request(), headers=FOREIGN)
    assert "code" in answer_of(scene.browser.get(response.location))
    assert scene.browser.get(response.location).status_code == 400


def test_a_program_without_origin_is_answered_at_once(scene: Scene) -> None:
    bare = scene.browser.http.application.test_client()
    assert page_of(bare.post("/oauth/authorize", data=scene.rp.request())) == "/login"


@pytest.mark.checklist(117)
def test_signing_out_by_cross_site_post_asks_the_person_who_is_signed_in(scene: Scene) -> None:
    bare = scene.browser.http.application.test_client()
    response = bare.post("/oauth/logout", data={"state": "x", "_external": "1"}, headers=FOREIGN)
    assert page_of(response) == "/interaction/logout"
    assert "logout-confirm-page" in scene.browser.get(response.location).text

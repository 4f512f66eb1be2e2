"""A new version of the platform's texts comes before the answer of an authorization request."""

from __future__ import annotations

from sqlalchemy import update

from idp.storage.accounts import Account
from idp.storage.database import transaction
from tests.oauth.browser import answer_of, page_of
from tests.oauth.conftest import Scene


def make_old(scene: Scene) -> None:
    with transaction() as session:
        mine = update(Account).where(Account.id == scene.account_id)
        session.execute(mine.values(agreed_versions="2020-01-01+2020-01-01"))


def test_the_person_agrees_and_the_request_goes_on(scene: Scene) -> None:
    make_old(scene)
    waiting = scene.browser.authorize(scene.rp)
    assert page_of(waiting) == "/account/agreements"
    page = scene.browser.get(waiting.location)
    assert "https://rp.example" in page.headers["Content-Security-Policy"]  # where the form leads on to
    answered = scene.browser.press(waiting.location, action="accept")
    assert "code" in answer_of(answered)
    assert "code" in answer_of(scene.browser.authorize(scene.rp))


def test_without_a_page_it_is_an_error(scene: Scene) -> None:
    make_old(scene)
    assert answer_of(scene.browser.authorize(scene.rp, prompt="none"))["error"] == "interaction_required"

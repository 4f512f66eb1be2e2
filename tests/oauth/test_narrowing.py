"""A handler authorisation that covers less from now on: every answer about a token says so at once."""

from __future__ import annotations

import pytest

from idp.domain.errors import Refusal
from idp.services import handler_decisions
from idp.services.platform import Platform
from idp.storage.database import reading
from idp.storage.enterprises import Enterprise
from idp.storage.outbox import OutboxMessage
from tests.oauth.browser import ORIGIN, Browser
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.people import MATTER, People
from tests.oauth.relying_party import assert_error

ACCESS = "vehicle-product-access"


@pytest.fixture
def wide(register: RegisterClient, people: People, browser: Browser) -> Scene:
    """A client that serves two matters, a handler who has both."""
    rp = register(matters=[MATTER, ACCESS], backchannel_logout_uri="https://rp.example.test/logout")
    owner = people.legal_person()
    account_id = people.person(real_name="李示例")
    authorization_id = people.handler(account_id, owner.enterprise_id, matters=(MATTER, ACCESS))
    browser.sign_in(account_id)
    browser.allow(rp, account_id, owner.enterprise_id)
    return Scene(rp, browser, account_id, owner.enterprise_id, authorization_id)


def narrow(platform: Platform, scene: Scene, *matters: str) -> None:
    with reading() as session:
        owner = session.get_one(Enterprise, scene.enterprise_id).legal_account_id
    result = handler_decisions.change(platform, owner, scene.handler_authorization_id, matters, None, ORIGIN)
    assert not isinstance(result, Refusal), result


def told() -> int:
    with reading() as session:
        return session.query(OutboxMessage).filter_by(kind="backchannel_logout").count()


@both_backends
def test_a_matter_taken_away_is_gone_from_the_very_next_answer(wide: Scene, platform: Platform) -> None:
    tokens = wide.tokens()
    assert set(wide.rp.introspect(tokens.access_token)["handler_scope"]) == {MATTER, ACCESS}
    narrow(platform, wide, MATTER)
    assert wide.rp.introspect(tokens.access_token)["handler_scope"] == [MATTER]
    assert wide.rp.userinfo(tokens.access_token).get_json()["handler_scope"] == [MATTER]
    refreshed = wide.rp.refresh(tokens.refresh_token).get_json()
    assert wide.rp.introspect(refreshed["access_token"])["handler_scope"] == [MATTER]
    assert told() == 0


def test_a_client_for_which_nothing_is_left_is_told_and_its_tokens_end(
    wide: Scene, platform: Platform, register: RegisterClient
) -> None:
    narrow_rp = register(
        client_id="reports", matters=[MATTER], backchannel_logout_uri="https://reports.example.test/logout"
    )
    wide.browser.allow(narrow_rp, wide.account_id, wide.enterprise_id)
    both = wide.tokens()
    one = narrow_rp.redeem(wide.browser.code_for(narrow_rp)).get_json()
    narrow(platform, wide, ACCESS)
    assert narrow_rp.introspect(one["access_token"]) == {"active": False}
    assert narrow_rp.userinfo(one["access_token"]).status_code == 401
    assert_error(narrow_rp.refresh(one["refresh_token"]), "invalid_grant")
    assert wide.rp.introspect(both.access_token)["handler_scope"] == [ACCESS]
    assert told() == 1

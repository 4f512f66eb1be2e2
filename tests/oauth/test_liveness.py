"""The first rule of claims.md: what a token rests on ends, and the token ends with it, at once."""

from __future__ import annotations

import time as wall_clock
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from idp.domain.errors import Refusal
from idp.services import account_status, enterprise_status, handlers
from idp.services.handler_steps import SYSTEM
from idp.services.platform import Platform
from idp.storage import handlers as handler_rows
from idp.storage.database import transaction
from tests.oauth.browser import ORIGIN, answer_of
from tests.oauth.conftest import Scene, both_backends
from tests.oauth.people import CREDIT_CODES, People
from tests.oauth.relying_party import assert_error
from tests.services.conftest import MovableClock


@dataclass(frozen=True)
class World:
    scene: Scene
    people: People
    time: MovableClock
    platform: Platform
    legal_account_id: str


def revoke(world: World) -> None:
    view = handlers.decide(
        world.platform,
        world.legal_account_id,
        world.scene.handler_authorization_id,
        "revoke",
        ORIGIN,
        "no longer",
    )
    assert not isinstance(view, Refusal), view


def expire(world: World) -> None:
    world.people.change_handler(world.scene.handler_authorization_id, valid_until=world.time.now())


def expire_by_the_clock(world: World) -> None:
    world.time.advance(seconds=100)


def close(world: World) -> None:
    assert enterprise_status.close(world.platform, CREDIT_CODES[0], ORIGIN) is None


def change_representative(world: World) -> None:
    assert enterprise_status.representative_changed(world.platform, CREDIT_CODES[0], ORIGIN) is None


def leave_unreviewed(world: World) -> None:
    with transaction() as session:
        told = handler_rows.lock(session, world.scene.handler_authorization_id)
        assert told is not None
        enterprise_status.suspend(
            session, world.platform, told, "review_overdue", ORIGIN, SYSTEM, world.time.now()
        )


ENDS: dict[str, Callable[[World], None]] = {
    "the enterprise revokes the handler": revoke,
    "the authorisation has been shortened to now": expire,
    "the authorisation expires by the clock": expire_by_the_clock,
    "the enterprise is closed": lambda world: world.people.close(world.scene.enterprise_id),
    "the platform closes the enterprise": close,
    "the legal representative changes": change_representative,
    "nobody has reviewed it": leave_unreviewed,
    "the account is frozen": lambda world: world.people.freeze(world.scene.account_id),
}


@pytest.fixture
def world(scene: Scene, people: People, time: MovableClock, platform: Platform) -> World:
    from idp.storage.database import reading
    from idp.storage.enterprises import Enterprise

    with reading() as session:
        legal_account_id = session.get_one(Enterprise, scene.enterprise_id).legal_account_id
    return World(scene, people, time, platform, legal_account_id)


@pytest.mark.checklist(83, 91)
@both_backends
@pytest.mark.parametrize("end", ENDS)
def test_every_token_ends_at_once_with_what_it_rests_on(world: World, end: str) -> None:
    rp = world.scene.rp
    if end == "the authorisation expires by the clock":
        world.people.change_handler(
            world.scene.handler_authorization_id, valid_until=world.time.now().replace(microsecond=0)
        )
        world.time.advance(seconds=-100)
        world.people.change_handler(world.scene.handler_authorization_id, valid_from=world.time.now())
    tokens = world.scene.tokens()
    code = world.scene.browser.code_for(rp)
    assert rp.introspect(tokens.access_token)["active"] is True
    assert rp.introspect(tokens.refresh_token)["active"] is True
    assert rp.userinfo(tokens.access_token).status_code == 200

    ENDS[end](world)
    clicked = wall_clock.monotonic()
    assert rp.introspect(tokens.access_token) == {"active": False}
    refused_after = wall_clock.monotonic() - clicked
    assert rp.introspect(tokens.refresh_token) == {"active": False}
    assert rp.userinfo(tokens.access_token).status_code == 401
    assert_error(rp.refresh(tokens.refresh_token), "invalid_grant")
    assert_error(rp.redeem(code), "invalid_grant")
    assert refused_after < 1.0


def test_what_ended_by_revocation_does_not_come_back(world: World, people: People) -> None:
    tokens = world.scene.tokens()
    revoke(world)
    people.change_handler(world.scene.handler_authorization_id, status="approved")
    assert world.scene.rp.introspect(tokens.access_token) == {"active": False}
    assert_error(world.scene.rp.refresh(tokens.refresh_token), "invalid_grant")


def test_an_ended_refresh_is_no_reuse(world: World, people: People) -> None:
    """Frozen by mistake: after the account is freed its tokens still work."""
    from idp.storage.accounts import Account
    from tests.oauth.people import _set

    tokens = world.scene.tokens()
    people.freeze(world.scene.account_id)
    assert_error(world.scene.rp.refresh(tokens.refresh_token), "invalid_grant")
    _set(Account, world.scene.account_id, status="active")
    assert world.scene.rp.refresh(tokens.refresh_token).status_code == 200


def test_other_mandates_of_the_same_person_go_on(world: World, people: People) -> None:
    second = people.legal_person(1)
    people.handler(world.scene.account_id, second.enterprise_id)
    rp, browser = world.scene.rp, world.scene.browser
    world.time.advance(seconds=5)
    browser.allow(rp, world.scene.account_id, second.enterprise_id)
    other = rp.redeem(browser.code_for(rp, prompt="none")).get_json()
    revoke(world)
    assert rp.introspect(other["access_token"])["enterprise_credit_code"] == second.enterprise_credit_code
    assert rp.refresh(other["refresh_token"]).status_code == 200


@both_backends
def test_what_an_account_granted_before_it_was_frozen_does_not_come_back(
    scene: Scene, platform: Platform
) -> None:
    page = scene.browser.authorize(scene.rp, scope="openid offline_access", prompt="consent")
    code = answer_of(scene.browser.press(page.location, decision="allow"))["code"]
    tokens = scene.rp.redeem(code).get_json()
    assert "offline_access" in tokens["scope"]
    assert account_status.freeze(platform, scene.account_id, ORIGIN) is None
    assert account_status.unfreeze(platform, scene.account_id, ORIGIN) is None
    assert_error(scene.rp.refresh(tokens["refresh_token"]), "invalid_grant")

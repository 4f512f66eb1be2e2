from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from idp.services import known_devices, outbox, retention
from idp.services.known_devices import Meeting
from idp.services.platform import Platform
from tests.services.conftest import MovableClock, at_once
from tests.services.people import ORIGIN, OTHER_PHONE, PHONE, LostStore, account, events

OTHER = Meeting(None, "Chrome · Windows")
HOME = Meeting(None, "Firefox · Linux", trusted=True)


def alerts(platform: Platform) -> list[str]:
    return [sent.text for sent in outbox.list_recent_sms(platform) if sent.purpose == "device_new"]


def again(token: str) -> Meeting:
    return Meeting(token, "Firefox · Linux")


def test_the_browser_of_the_registration_is_known_and_another_is_told(
    platform: Platform, moving_clock: MovableClock
) -> None:
    account_id = account(platform)
    token = known_devices.meet(platform, account_id, HOME, ORIGIN)
    assert known_devices.meet(platform, account_id, again(token), ORIGIN) == token
    assert alerts(platform) == []
    assert known_devices.meet(platform, account_id, OTHER, ORIGIN) != token
    (text,) = alerts(platform)
    assert "alice_1" in text
    assert "11月23日16:00" in text
    assert "Chrome · Windows" in text
    assert ORIGIN.address not in text
    assert outbox.list_recent_sms(platform)[0].phone == PHONE
    assert len(events(platform, "device:new")) == 2


def test_two_accounts_in_one_browser_share_its_token_and_nothing_else(platform: Platform) -> None:
    alice, bob = account(platform), account(platform, "bobby_1", OTHER_PHONE)
    token = known_devices.meet(platform, alice, HOME, ORIGIN)
    assert known_devices.meet(platform, bob, again(token), ORIGIN) == token
    assert len(alerts(platform)) == 1
    for account_id in (alice, bob):
        assert known_devices.meet(platform, account_id, again(token), ORIGIN) == token
        (device,) = known_devices.list_of_account(account_id, token)
        assert device.present
    assert len(alerts(platform)) == 1


@pytest.mark.parametrize(("throttle", "told"), [(True, 3), (False, 5)])
def test_an_account_is_warned_a_few_times_a_day(
    make_platform: Callable[..., Platform], throttle: bool, told: int
) -> None:
    platform = make_platform(throttle=throttle)
    account_id = account(platform)
    for _ in range(5):
        known_devices.meet(platform, account_id, OTHER, ORIGIN)
    assert len(alerts(platform)) == told


def test_it_is_told_when_nobody_can_count(platform: Platform) -> None:
    account_id = account(platform)
    known_devices.meet(replace(platform, ephemeral=LostStore()), account_id, OTHER, ORIGIN)
    assert len(alerts(platform)) == 1


def test_twenty_browsers_are_known_the_one_not_seen_longest_gives_way(
    platform: Platform, moving_clock: MovableClock
) -> None:
    account_id = account(platform)
    first = known_devices.meet(platform, account_id, HOME, ORIGIN)
    for _ in range(20):
        moving_clock.advance(minutes=1)
        known_devices.meet(platform, account_id, HOME, ORIGIN)
    assert len(known_devices.list_of_account(account_id, None)) == 20
    known_devices.meet(platform, account_id, again(first), ORIGIN)
    assert len(alerts(platform)) == 1


def test_a_browser_not_seen_for_a_year_is_unknown_again_and_purged(
    database_store: Platform, moving_clock: MovableClock
) -> None:
    platform = database_store
    account_id = account(platform)
    token = known_devices.meet(platform, account_id, HOME, ORIGIN)
    moving_clock.advance(days=366)
    assert known_devices.list_of_account(account_id, token) == []
    known_devices.meet(platform, account_id, again(token), ORIGIN)
    assert len(alerts(platform)) == 1
    assert len(known_devices.list_of_account(account_id, token)) == 1
    moving_clock.advance(days=366)
    assert retention.purge(moving_clock.now()) >= 1


def test_a_browser_can_be_removed_by_its_account_alone(platform: Platform) -> None:
    alice, bob = account(platform), account(platform, "bobby_1", OTHER_PHONE)
    token = known_devices.meet(platform, alice, HOME, ORIGIN)
    (device,) = known_devices.list_of_account(alice, None)
    assert not device.present
    assert not known_devices.forget(bob, device.id, ORIGIN)
    assert known_devices.forget(alice, device.id, ORIGIN)
    assert not known_devices.forget(alice, device.id, ORIGIN)
    assert [entry.object_id for entry in events(platform, "device:remove")] == [device.id]
    known_devices.meet(platform, alice, again(token), ORIGIN)
    assert len(alerts(platform)) == 1


def test_two_sign_ins_of_one_browser_at_once_are_one_browser(platform: Platform) -> None:
    account_id = account(platform)
    token = known_devices.meet(platform, account(platform, "bobby_1", OTHER_PHONE), HOME, ORIGIN)
    meet = partial(known_devices.meet, platform, account_id, again(token), ORIGIN)
    assert at_once([meet] * 4) == [token] * 4
    assert len(known_devices.list_of_account(account_id, token)) == 1
    assert len(alerts(platform)) == 1

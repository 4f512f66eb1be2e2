from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from idp.domain.audit import internal_origin
from idp.domain.errors import Refusal
from idp.ephemeral.database import DatabaseEphemeral
from idp.services import account_status, authentication, dormancy, outbox, revival
from idp.services.authentication import Authenticated
from idp.services.platform import Platform
from idp.services.revival import Sleeper
from idp.storage.accounts import Account
from idp.storage.database import db, reading
from tests.services.conftest import MovableClock, at_once
from tests.services.people import (
    ORIGIN,
    PASSWORD,
    PHONE,
    LostStore,
    account,
    events,
    open_login,
    send_code,
    signed_in,
)

WORKER = internal_origin("worker")


@pytest.fixture
def platform(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> Platform:
    """A platform whose short-lived state lives by the movable clock."""
    return replace(make_platform(), ephemeral=DatabaseEphemeral(db.engine))


def tend(platform: Platform, moving_clock: MovableClock) -> int:
    return dormancy.tend(platform, moving_clock.now(), WORKER)


def status(account_id: str) -> str:
    with reading() as session:
        return session.get_one(Account, account_id).status


def told(platform: Platform) -> list[str]:
    return [sent.purpose for sent in reversed(outbox.list_recent_sms(platform))]


def put_to_sleep(platform: Platform, moving_clock: MovableClock) -> None:
    moving_clock.advance(days=336)
    tend(platform, moving_clock)
    moving_clock.advance(days=31)
    tend(platform, moving_clock)


def test_a_silent_account_is_reminded_and_then_sleeps(platform: Platform, moving_clock: MovableClock) -> None:
    account_id = account(platform)
    moving_clock.advance(days=334)
    assert tend(platform, moving_clock) == 0
    moving_clock.advance(days=2)
    assert [tend(platform, moving_clock) for _ in range(2)] == [1, 0]
    (reminder,) = outbox.list_recent_sms(platform)
    assert (reminder.phone, reminder.purpose) == (PHONE, "dormancy_near")
    assert "2027-11-24前" in reminder.text
    moving_clock.advance(days=29)
    assert tend(platform, moving_clock) == 0
    moving_clock.advance(days=2)
    assert [tend(platform, moving_clock) for _ in range(2)] == [1, 0]
    assert status(account_id) == "dormant"
    for event in ("account:dormancy_reminder", "account:sleep"):
        assert [entry.object_id for entry in events(platform, event)] == [account_id]


def test_who_is_never_reminded_never_sleeps(platform: Platform, moving_clock: MovableClock) -> None:
    account_id = account(platform)
    moving_clock.advance(days=3000)  # no worker ran all the time
    assert tend(platform, moving_clock) == 1
    assert (status(account_id), told(platform)) == ("active", ["dormancy_near"])


def test_a_sign_in_begins_the_count_anew(platform: Platform, moving_clock: MovableClock) -> None:
    account_id = account(platform)
    moving_clock.advance(days=336)
    assert tend(platform, moving_clock) == 1
    open_login(platform, account_id)
    moving_clock.advance(days=31)
    assert tend(platform, moving_clock) == 0
    moving_clock.advance(days=305)
    assert tend(platform, moving_clock) == 1
    assert told(platform) == ["dormancy_near"] * 2


def test_zero_days_is_never(make_platform: Callable[..., Platform], moving_clock: MovableClock) -> None:
    platform = make_platform(dormant_days=0)
    account(platform)
    moving_clock.advance(days=3000)
    assert tend(platform, moving_clock) == 0


def test_of_several_workers_one_reminds_and_one_puts_to_sleep(
    platform: Platform, moving_clock: MovableClock
) -> None:
    account(platform)
    moving_clock.advance(days=336)
    assert sorted(at_once([partial(tend, platform, moving_clock)] * 3)) == [0, 0, 1]
    moving_clock.advance(days=31)
    assert sorted(at_once([partial(tend, platform, moving_clock)] * 3)) == [0, 0, 1]
    assert told(platform) == ["dormancy_near"]


def test_both_factors_are_not_enough_to_wake(platform: Platform, moving_clock: MovableClock) -> None:
    account_id = account(platform)
    put_to_sleep(platform, moving_clock)
    refusal = authentication.authenticate(platform, "alice_1", PASSWORD, send_code(platform), ORIGIN)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "account_dormant"
    shown = refusal.problems[0].detail["authenticated"]
    assert isinstance(shown, Authenticated)
    assert shown.account_id == account_id
    wrong = authentication.authenticate(platform, "alice_1", PASSWORD, "000000", ORIGIN)
    assert isinstance(wrong, Refusal)
    assert wrong.code == "credentials_wrong"


def sleeper_of(platform: Platform, account_id: str) -> tuple[str, Sleeper]:
    handle = revival.offer(platform, signed_in(account_id))
    assert isinstance(handle, str)
    sleeper = revival.find(platform, handle)
    assert sleeper is not None
    assert sleeper.must_show_code
    return handle, sleeper


def code(outcome: object) -> str | None:
    return outcome.code if isinstance(outcome, Refusal) else None


def test_another_code_to_the_phone_wakes(platform: Platform, moving_clock: MovableClock) -> None:
    account_id = account(platform)
    put_to_sleep(platform, moving_clock)
    handle, sleeper = sleeper_of(platform, account_id)
    assert code(revival.revive(platform, handle, sleeper, " ", ORIGIN)) == "required"
    assert code(revival.revive(platform, handle, sleeper, "000000", ORIGIN)) == "sms_code_expired"
    assert revival.send_code(platform, sleeper, ORIGIN) is None
    right = outbox.list_recent_sms(platform, 1)[0].code
    assert right is not None
    wrong = f"{(int(right) + 1) % 10**6:06}"
    assert code(revival.revive(platform, handle, sleeper, wrong, ORIGIN)) == "sms_code_wrong"
    assert revival.revive(platform, handle, sleeper, right, ORIGIN) == sleeper.authenticated
    assert status(account_id) == "active"
    assert told(platform)[-1] == "account_woken"
    assert tend(platform, moving_clock) == 0


def test_an_offer_lasts_ten_minutes_and_only_while_the_account_sleeps(
    platform: Platform, moving_clock: MovableClock
) -> None:
    account_id = account(platform)
    put_to_sleep(platform, moving_clock)
    handle, _ = sleeper_of(platform, account_id)
    moving_clock.advance(minutes=11)
    assert revival.find(platform, handle) is None
    handle, _ = sleeper_of(platform, account_id)
    assert account_status.freeze(platform, account_id, ORIGIN) is None
    assert revival.find(platform, handle) is None


def test_without_the_store_it_is_said(platform: Platform, moving_clock: MovableClock) -> None:
    account_id = account(platform)
    put_to_sleep(platform, moving_clock)
    handle, sleeper = sleeper_of(platform, account_id)
    lost = replace(platform, ephemeral=LostStore())
    assert code(revival.offer(lost, signed_in(account_id))) == "service_unavailable"
    assert code(revival.revive(lost, handle, sleeper, "123456", ORIGIN)) == "service_unavailable"


def test_a_used_code_doesnt_wake_twice(platform: Platform, moving_clock: MovableClock) -> None:
    account_id = account(platform)
    put_to_sleep(platform, moving_clock)
    handle, sleeper = sleeper_of(platform, account_id)
    assert revival.send_code(platform, sleeper, ORIGIN) is None
    right = outbox.list_recent_sms(platform, 1)[0].code or ""
    outcomes = at_once([partial(revival.revive, platform, handle, sleeper, right, ORIGIN)] * 3)
    assert sum(not isinstance(outcome, Refusal) for outcome in outcomes) == 1

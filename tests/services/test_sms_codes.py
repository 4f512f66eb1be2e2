from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from idp.domain import throttling as limits
from idp.domain.errors import Refusal
from idp.services import outbox, sms_codes
from idp.services.platform import Platform
from idp.services.sms_codes import Destination
from tests.queries import AssertQueries
from tests.services.conftest import MovableClock, at_once
from tests.services.people import ORIGIN, OTHER_PHONE, PHONE, LostStore, events

TO = Destination.of_phone(PHONE)


def send(platform: Platform, purpose: str = "register", to: Destination = TO) -> Refusal | None:
    return sms_codes.send_code(platform, to, purpose, ORIGIN)


def sent_code(platform: Platform) -> str:
    assert send(platform) is None
    code = outbox.list_recent_sms(platform, 1)[0].code
    assert code is not None
    return code


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def check(platform: Platform, code: str, purpose: str = "register", phone: str = PHONE) -> str | None:
    refusal = sms_codes.check_code(platform, phone, purpose, code)
    return refusal.code if refusal else None


def test_a_code_of_six_digits_reaches_the_phone_and_is_right_once(platform: Platform) -> None:
    code = sent_code(platform)
    assert len(code) == 6
    assert code.isdigit()
    assert code in outbox.list_recent_sms(platform, 1)[0].text
    assert check(platform, code) is None
    assert check(platform, code) == "sms_code_expired"


def test_a_code_is_right_for_its_phone_and_purpose_only(platform: Platform) -> None:
    code = sent_code(platform)
    assert check(platform, code, purpose="login") == "sms_code_expired"
    assert check(platform, code, phone=OTHER_PHONE) == "sms_code_expired"
    assert check(platform, code) is None


def test_a_code_dies_after_five_wrong_tries(platform: Platform) -> None:
    code = sent_code(platform)
    assert [check(platform, wrong(code)) for _ in range(5)] == ["sms_code_wrong"] * 5
    assert check(platform, code) == "sms_code_expired"


def test_only_five_of_many_guesses_at_once_are_looked_at(platform: Platform) -> None:
    code = sent_code(platform)
    answers = at_once([lambda: check(platform, wrong(code))] * 12)
    assert sorted(map(str, answers)) == ["sms_code_expired"] * 7 + ["sms_code_wrong"] * 5


def test_of_two_uses_of_a_code_at_once_exactly_one_succeeds(platform: Platform) -> None:
    code = sent_code(platform)
    answers = at_once([lambda: check(platform, code)] * 4)
    assert answers.count(None) == 1


def test_looking_at_a_right_code_neither_uses_it_nor_costs_a_try(platform: Platform) -> None:
    code = sent_code(platform)
    for _ in range(10):
        assert sms_codes.examine_code(platform, TO, "register", code) is None
    assert check(platform, code) is None


def test_a_code_lives_five_minutes(database_store: Platform, moving_clock: MovableClock) -> None:
    code = sent_code(database_store)
    moving_clock.advance(minutes=4, seconds=59)
    assert sms_codes.examine_code(database_store, TO, "register", code) is None
    moving_clock.advance(seconds=2)
    assert check(database_store, code) == "sms_code_expired"


def test_a_new_code_replaces_the_former_and_has_its_own_tries(
    database_store: Platform, moving_clock: MovableClock
) -> None:
    first = sent_code(database_store)
    for _ in range(5):
        check(database_store, wrong(first))
    moving_clock.advance(seconds=61)
    second = sent_code(database_store)
    assert check(database_store, wrong(second)) == "sms_code_wrong"
    assert check(database_store, second) is None


def test_one_code_a_minute_and_the_refusal_says_how_long_to_wait(
    database_store: Platform, moving_clock: MovableClock
) -> None:
    assert send(database_store) is None
    moving_clock.advance(seconds=20)
    refusal = send(database_store)
    assert refusal is not None
    assert refusal.code == "sms_too_soon"
    assert refusal.problems[0].detail["seconds"] == 40
    assert send(database_store, "login") is None
    moving_clock.advance(seconds=40)
    assert send(database_store) is None


def test_ten_codes_a_day_and_then_the_refusal_keeps_naming_the_limit(
    database_store: Platform, moving_clock: MovableClock
) -> None:
    for _ in range(10):
        assert send(database_store) is None
        moving_clock.advance(seconds=60)
    for _ in range(2):
        refusal = send(database_store)
        assert refusal is not None
        assert refusal.code == "sms_daily_limit"
    moving_clock.advance(days=1)
    assert send(database_store) is None


def test_of_many_requests_at_once_one_code_is_sent(platform: Platform) -> None:
    answers = at_once([lambda: send(platform)] * 6)
    assert answers.count(None) == 1
    assert len(outbox.list_recent_sms(platform)) == 1


def test_a_phone_named_in_two_ways_gets_one_code_and_both_answers_are_alike(platform: Platform) -> None:
    assert send(platform, "login", Destination(PHONE, "alice_1")) is None
    assert send(platform, "login", Destination(PHONE, "91990101MADEM00117")) is None
    assert len(outbox.list_recent_sms(platform)) == 1


def test_hundred_codes_an_hour_from_an_address_except_in_development(
    make_platform: Callable[..., Platform],
) -> None:
    abroad = make_platform(env="production")
    refusals = [send(abroad, to=Destination.of_phone(f"199{number:08}")) for number in range(101)]
    assert refusals[:100] == [None] * 100
    assert refusals[100] is not None
    assert refusals[100].code == "sms_address_limit"
    elsewhere = replace(ORIGIN, address="192.0.2.8")
    other = Destination.of_phone("13900000000")
    assert sms_codes.send_code(abroad, other, "register", elsewhere) is None


def test_without_throttle_nothing_waits_but_tries_and_single_use_stay(
    make_platform: Callable[..., Platform],
) -> None:
    platform = make_platform(throttle=False)
    codes = [sent_code(platform) for _ in range(12)]
    for _ in range(5):
        assert check(platform, wrong(codes[-1])) == "sms_code_wrong"
    assert check(platform, codes[-1]) == "sms_code_expired"
    assert check(platform, sent_code(platform)) is None


def test_the_fixed_code_is_what_is_sent_and_all_else_stays(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform(sms_fixed_code="246810")
    assert check(platform, "246810") == "sms_code_expired"
    assert sent_code(platform) == "246810"
    assert check(platform, "246810") is None
    assert check(platform, "246810") == "sms_code_expired"


def test_a_code_for_nobody_is_counted_and_told_to_no_one(platform: Platform) -> None:
    nobody = Destination(None, "nobody_1")
    assert send(platform, "login", nobody) is None
    assert outbox.list_recent_sms(platform) == []
    refusal = send(platform, "login", nobody)
    assert refusal is not None
    assert refusal.code == "sms_too_soon"
    assert [entry.result for entry in events(platform, "sms:send")] == ["account_unknown"]


def test_without_the_short_lived_store_nothing_is_sent(platform: Platform) -> None:
    refusal = send(replace(platform, ephemeral=LostStore()))
    assert refusal is not None
    assert refusal.code == "service_unavailable"
    assert outbox.list_recent_sms(platform) == []
    assert events(platform) == []


def test_trail_and_store_hold_neither_code_nor_whole_phone(platform: Platform) -> None:
    code = sent_code(platform)
    (entry,) = events(platform, "sms:send")
    assert entry.detail["phone"] == "199****0001"
    assert code not in str(entry)


@pytest.mark.parametrize("typed", ["", "abcdef", "\x00", "１２３", "\ud800"])
def test_hostile_codes_are_wrong_codes(platform: Platform, typed: str) -> None:
    sent_code(platform)
    assert check(platform, typed) == "sms_code_wrong"


def test_nobody_and_somebody_cost_the_same_statements(
    platform: Platform, assert_queries: AssertQueries
) -> None:
    executed = []
    for destination in (Destination(PHONE, "alice_1"), Destination(None, "nobody_1")):
        with assert_queries(2) as statements:
            assert send(platform, "login", destination) is None
        executed.append(statements)
    assert executed[0] == executed[1]


def test_a_phone_is_not_flooded_through_many_purposes_from_one_address(
    make_platform: Callable[..., Platform], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SMS_OF_PAIR", replace(limits.SMS_OF_PAIR, most=1))
    abroad = make_platform(env="production")
    assert send(abroad, "login") is None
    refusal = send(abroad, "register")
    assert refusal is not None
    assert refusal.code == "sms_daily_limit"
    assert refusal.retry_after is not None
    assert send(abroad, "register", Destination.of_phone(OTHER_PHONE)) is None

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from idp.domain.errors import Refusal
from idp.services import authentication, outbox, phone_changes
from idp.services.authentication import Authenticated
from idp.services.platform import Platform
from tests.services.conftest import at_once
from tests.services.people import (
    ORIGIN,
    OTHER_PHONE,
    PASSWORD,
    PHONE,
    LostStore,
    account,
    events,
    open_login,
    send_code,
)

NEW_PHONE = "19900000777"


def new_code(platform: Platform, phone: str = NEW_PHONE) -> str:
    assert phone_changes.send_code(platform, phone, ORIGIN) is None
    sent = outbox.list_recent_sms(platform, 1)[0]
    assert (sent.phone, sent.purpose) == (phone, "bind_phone")
    return str(sent.code)


def check(platform: Platform, phone: str, code: str) -> str:
    outcome = phone_changes.check_number(platform, phone, code)
    return outcome.code if isinstance(outcome, Refusal) else outcome


def change(platform: Platform, account_id: str, code: str, kept_sid: str = "", phone: str = NEW_PHONE) -> str:
    refusal = phone_changes.change(platform, account_id, phone, code, ORIGIN, kept_sid)
    return refusal.code if refusal else "changed"


def test_the_new_number_is_bound_other_logins_end_and_both_phones_are_told(platform: Platform) -> None:
    account_id = account(platform)
    kept_token, kept = open_login(platform, account_id)
    other_token, _ = open_login(platform, account_id)
    assert change(platform, account_id, new_code(platform), kept.sid) == "changed"
    assert authentication.find_login(platform, kept_token) is not None
    assert authentication.find_login(platform, other_token) is None
    told = {(message.phone, message.purpose) for message in outbox.list_recent_sms(platform, 2)}
    assert told == {(PHONE, "phone_changed"), (NEW_PHONE, "phone_bound")}
    [entry] = events(platform, "account:phone_change")
    assert (entry.account_id, entry.detail["phone"]) == (account_id, "199****0777")
    send_code(platform)
    assert outbox.list_recent_sms(platform, 1)[0].phone == NEW_PHONE
    code = str(outbox.list_recent_sms(platform, 1)[0].code)
    outcome = authentication.authenticate(platform, "alice_1", PASSWORD, code, ORIGIN)
    assert isinstance(outcome, Authenticated)


def test_a_number_is_understood_however_typed_and_must_be_one(platform: Platform) -> None:
    code = new_code(platform)
    assert check(platform, "+86 199-0000-0777", code) == NEW_PHONE
    assert check(platform, "12345", code) == "phone_invalid"
    refusal = phone_changes.send_code(platform, "12345", ORIGIN)
    assert refusal is not None
    assert refusal.code == "phone_invalid"


def test_whose_the_number_is_is_told_only_with_its_code(platform: Platform) -> None:
    account(platform, "bob_12", OTHER_PHONE)
    code = new_code(platform, OTHER_PHONE)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert check(platform, OTHER_PHONE, wrong) == "sms_code_wrong"
    assert check(platform, NEW_PHONE, code) == "sms_code_expired"
    assert check(platform, OTHER_PHONE, code) == "phone_taken"


def test_the_number_one_has_is_no_new_one(platform: Platform) -> None:
    account_id = account(platform)
    outcome = phone_changes.check_number(platform, PHONE, new_code(platform, PHONE), account_id)
    assert isinstance(outcome, Refusal)
    assert outcome.code == "phone_unchanged"


def test_a_code_for_another_purpose_binds_nothing(platform: Platform) -> None:
    account(platform)
    assert check(platform, PHONE, send_code(platform)) == "sms_code_expired"


def test_one_code_binds_once(platform: Platform) -> None:
    account_id = account(platform)
    code = new_code(platform)
    answers = at_once([partial(change, platform, account_id, code)] * 3)
    assert sorted(answers) == ["changed", "sms_code_expired", "sms_code_expired"]


def test_of_two_accounts_that_take_a_number_at_once_one_gets_it(platform: Platform) -> None:
    first, second = account(platform), account(platform, "bob_12", OTHER_PHONE)
    code = new_code(platform)
    assert change(platform, first, code) == "changed"
    platform = replace(platform, settings=replace(platform.settings, throttle=False))
    assert change(platform, second, new_code(platform)) == "phone_taken"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_without_the_short_lived_store_nothing_is_bound(platform: Platform) -> None:
    lost = replace(platform, ephemeral=LostStore())
    assert check(lost, NEW_PHONE, "000000") == "service_unavailable"
    assert change(lost, account(platform), "000000") == "service_unavailable"

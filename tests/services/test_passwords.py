from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from idp.domain.errors import Refusal
from idp.services import authentication, outbox, passwords
from idp.services.authentication import Authenticated
from idp.services.platform import Platform
from idp.storage import accounts as account_rows
from idp.storage.database import reading, transaction
from tests.services.conftest import MovableClock, at_once
from tests.services.people import (
    ORIGIN,
    PASSWORD,
    PHONE,
    LostStore,
    account,
    enterprise,
    events,
    give_identity,
    open_login,
    person,
    send_code,
)

NEW = "Fresh#2026pass"


def change(platform: Platform, account_id: str, old: str = PASSWORD, new: str = NEW) -> str | None:
    refusal = passwords.change_password(platform, account_id, old, new, new, ORIGIN)
    return refusal.code if refusal else None


def sign_in(platform: Platform, password: str, code: str | None = None) -> Authenticated | Refusal:
    return authentication.authenticate(platform, "alice_1", password, code or send_code(platform), ORIGIN)


def test_a_new_password_replaces_the_old_ends_other_logins_and_is_told(platform: Platform) -> None:
    account_id = account(platform)
    kept_token, kept = open_login(platform, account_id)
    other_token, _ = open_login(platform, account_id)
    refusal = passwords.change_password(platform, account_id, PASSWORD, NEW, NEW, ORIGIN, kept_sid=kept.sid)
    assert refusal is None
    assert authentication.find_login(platform, kept_token) is not None
    assert authentication.find_login(platform, other_token) is None
    assert change(platform, account_id, PASSWORD, "Third#2026pass") == "password_wrong"
    assert change(platform, account_id, NEW, "Third#2026pass") is None
    assert authentication.find_login(platform, kept_token) is None
    assert [message.purpose for message in outbox.list_recent_sms(platform)] == ["password_changed"] * 2
    assert [entry.result for entry in events(platform, "account:password_change")] == [
        "success",
        "password_wrong",
        "success",
    ]


def test_none_of_the_last_five_passwords_comes_back(platform: Platform, moving_clock: MovableClock) -> None:
    account_id = account(platform)
    used = [PASSWORD, *(f"Fresh#2026pas{number}" for number in range(5))]
    for old, new in pairwise(used):
        assert change(platform, account_id, old, new) is None
    for former in used[1:]:
        assert change(platform, account_id, used[-1], former) == "password_reused"
    assert change(platform, account_id, used[-1], used[0]) is None


def test_everything_wrong_with_the_form_is_named_at_once(platform: Platform) -> None:
    account_id = account(platform)
    refusal = passwords.change_password(platform, account_id, "", "short", "other", ORIGIN)
    assert isinstance(refusal, Refusal)
    assert {(problem.field, problem.code) for problem in refusal.problems} == {
        ("old_password", "required"),
        ("password", "password_length"),
        ("confirm_password", "passwords_differ"),
    }
    assert change(platform, account_id, new="a!Alice_1abc") == "password_contains_login_name"
    assert change(platform, account_id, new=f"a!{PHONE}") == "password_contains_phone"


def test_wrong_old_passwords_lock_as_failed_sign_ins_do(platform: Platform) -> None:
    account_id = account(platform)
    answers = [change(platform, account_id, "Wrong#2026pass") for _ in range(6)]
    assert answers == ["password_wrong"] * 4 + ["login_locked"] * 2
    assert change(platform, account_id) == "login_locked"


def test_without_the_short_lived_store_the_password_stays(platform: Platform) -> None:
    account_id = account(platform)
    assert change(replace(platform, ephemeral=LostStore()), account_id) == "service_unavailable"
    assert change(platform, account_id) is None


@pytest.mark.parametrize("new", ["Woaini@1314", "P4ssw0rd@2025", "Aa123456!", "Qaz@2026!x", "Xian@2026"])
def test_well_known_passwords_are_refused(platform: Platform, new: str) -> None:
    expected = None if new == "Qaz@2026!x" else {"password_common", "password_sequence"}
    answer = change(platform, account(platform), new=new)
    assert answer is None if expected is None else answer in expected


def test_what_is_known_of_the_owner_is_refused(platform: Platform) -> None:
    account_id = account(platform)
    give_identity(platform, account_id, person("990101199001010019"))
    assert change(platform, account_id, new="x#19900101mn") == "password_personal"
    owner = account(platform, "legal_1", "19900000009")
    give_identity(platform, owner, enterprise("91990101MADEM0046R"))
    assert change(platform, owner, new="MADEM0046R#x") == "password_personal"


# --- age ---


@pytest.mark.parametrize(("days", "seconds", "due"), [(90, -1, False), (90, 0, True), (0, 0, False)])
def test_a_password_is_due_at_the_moment_its_last_day_ends(
    platform: Platform, moving_clock: MovableClock, days: int, seconds: int, *, due: bool
) -> None:
    aged = replace(platform, settings=replace(platform.settings, password_max_age_days=days, throttle=False))
    account(aged)
    moving_clock.advance(days=days or 9999, seconds=seconds)
    outcome = sign_in(aged, PASSWORD)
    assert isinstance(outcome, Authenticated)
    assert outcome.password_due is due


def test_whoever_has_only_one_factor_is_not_told_that_the_password_is_due(
    platform: Platform, moving_clock: MovableClock
) -> None:
    account(platform)
    moving_clock.advance(days=91)
    outcome = sign_in(platform, PASSWORD, "000000")
    assert isinstance(outcome, Refusal)
    assert outcome.code == "credentials_wrong"


# --- temporary passwords ---


def test_a_temporary_password_opens_one_sign_in_that_must_choose_another(platform: Platform) -> None:
    account_id = account(platform)
    token, _ = open_login(platform, account_id)
    temporary = passwords.give_temporary(platform, account_id, ORIGIN)
    assert authentication.find_login(platform, token) is None
    assert outbox.list_recent_sms(platform, 1)[0].purpose == "password_temporary"
    assert temporary not in outbox.list_recent_sms(platform, 1)[0].text
    [entry] = events(platform, "account:password_temporary")
    assert (entry.account_id, entry.object_id) == (None, account_id)
    platform = replace(platform, settings=replace(platform.settings, throttle=False))
    outcome = sign_in(platform, temporary)
    assert isinstance(outcome, Authenticated)
    assert outcome.password_due
    assert isinstance(sign_in(platform, temporary), Refusal)


def test_of_two_sign_ins_with_a_temporary_password_at_once_one_succeeds(platform: Platform) -> None:
    account_id = account(platform)
    temporary = passwords.give_temporary(platform, account_id, ORIGIN)
    with reading() as session:
        seen = session.get_one(account_rows.Account, account_id).password_hash
    assert platform.passwords.verify(seen, temporary)

    def use_up() -> bool:
        with transaction() as session:
            return account_rows.use_up_password(session, account_id, seen)

    assert sorted(at_once([use_up] * 3)) == [False, False, True]


@pytest.mark.parametrize(("seconds", "works"), [(-1, True), (0, False)])
def test_a_temporary_password_works_for_a_day(
    platform: Platform, moving_clock: MovableClock, seconds: int, *, works: bool
) -> None:
    account_id = account(platform)
    temporary = passwords.give_temporary(platform, account_id, ORIGIN)
    moving_clock.moment += timedelta(hours=24, seconds=seconds)
    outcome = sign_in(platform, temporary)
    assert isinstance(outcome, Authenticated) is works
    if isinstance(outcome, Refusal):
        assert outcome.code == "credentials_wrong"


def test_a_temporary_password_is_no_former_one_but_the_one_before_is(platform: Platform) -> None:
    account_id = account(platform)
    passwords.give_temporary(platform, account_id, ORIGIN)
    temporary = passwords.give_temporary(platform, account_id, ORIGIN)
    with reading() as session:
        assert len(account_rows.list_former_passwords(session, account_id, 9)) == 1
    refusal = passwords.check_new(platform, account_id, PASSWORD, PASSWORD)
    assert refusal is not None
    assert refusal.code == "password_reused"
    assert passwords.check_new(platform, account_id, temporary, temporary) is not None


def test_there_is_no_temporary_password_for_nobody(platform: Platform) -> None:
    with pytest.raises(LookupError):
        passwords.give_temporary(platform, "nobody", ORIGIN)


def test_temporary_passwords_keep_the_rules() -> None:
    made = {passwords._temporary_password() for _ in range(50)}
    assert len(made) == 50

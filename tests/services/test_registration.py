from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from idp.domain.errors import Refusal
from idp.services import accounts, outbox, registration, sms_codes
from idp.services.platform import Platform
from idp.services.registration import AccountView
from tests.queries import AssertQueries
from tests.services.conftest import at_once
from tests.services.people import ORIGIN, OTHER_PHONE, PASSWORD, PHONE, LostStore, account, events, form


def send(platform: Platform, phone: str = PHONE) -> str:
    assert registration.send_registration_code(platform, phone, ORIGIN) is None
    code = outbox.list_recent_sms(platform, 1)[0].code
    assert code is not None
    return code


def register(platform: Platform, **changes: Any) -> AccountView | Refusal:
    return registration.register(platform, form(platform, **changes), ORIGIN)


def problems(outcome: AccountView | Refusal | None) -> set[tuple[str | None, str]]:
    assert isinstance(outcome, Refusal)
    return {(problem.field, problem.code) for problem in outcome.problems}


def test_a_right_form_makes_an_account_recorded_and_encrypted(platform: Platform) -> None:
    send(platform)
    made = register(platform, login_name=" Alice_1 ", phone="+86 199-0000-0001", email="Alice@EXAMPLE.com")
    assert isinstance(made, AccountView)
    profile = accounts.get_profile(platform, made.account_id)
    assert (profile.login_name, profile.phone, profile.email) == ("Alice_1", PHONE, "Alice@example.com")
    assert (profile.verification_status, profile.subject_type) == ("unverified", None)
    (entry,) = events(platform, "account:register")
    assert entry.account_id == made.account_id
    assert entry.detail["phone"] == "199****0001"


def test_every_field_that_is_wrong_is_named_at_once_and_nothing_is_stored(platform: Platform) -> None:
    outcome = register(
        platform,
        login_name="al",
        password="short",
        confirm_password="other",
        email="nobody",
        phone="123",
        sms_code="",
        agree=False,
    )
    assert problems(outcome) == {
        ("login_name", "login_name_invalid"),
        ("password", "password_length"),
        ("confirm_password", "passwords_differ"),
        ("email", "email_invalid"),
        ("phone", "phone_invalid"),
        ("sms_code", "required"),
        ("agree", "required"),
    }
    assert accounts.count_accounts(platform) == 0


def test_every_empty_field_is_required(platform: Platform) -> None:
    fields = ("login_name", "password", "confirm_password", "email", "phone", "sms_code")
    outcome = register(platform, **dict.fromkeys(fields, ""), agree=False)
    assert problems(outcome) == {(field, "required") for field in (*fields, "agree")}


@pytest.mark.parametrize(
    "email",
    [
        "a b@example.com",
        "a@",
        "a@localhost",
        "a@example.com\n",
        "a\x00@example.com",
        "\ud800@example.com",
        f"{'a' * 250}@example.com",
        "a@example.com,b@example.com",
        "<script>@example.com",
    ],
)
def test_hostile_addresses_are_refused(platform: Platform, email: str) -> None:
    send(platform)
    outcome = register(platform, email=email)
    if email == "a@example.com\n":
        assert isinstance(outcome, AccountView)
        assert outcome.email == "a@example.com"
    else:
        assert problems(outcome) == {("email", "email_invalid")}


def test_a_wrong_code_registers_nobody_and_a_mistake_elsewhere_does_not_use_the_code_up(
    platform: Platform,
) -> None:
    code = send(platform)
    assert problems(register(platform, sms_code=f"{(int(code) + 1) % 10**6:06}")) == {
        ("sms_code", "sms_code_wrong")
    }
    for _ in range(6):
        assert problems(register(platform, agree=False)) == {("agree", "required")}
    assert isinstance(register(platform), AccountView)


def test_a_code_of_another_phone_does_not_register(platform: Platform) -> None:
    code = send(platform, OTHER_PHONE)
    assert problems(register(platform, sms_code=code)) == {("sms_code", "sms_code_expired")}


def test_login_name_and_phone_are_unique_whatever_their_form(platform: Platform) -> None:
    account(platform)
    send(platform)
    assert problems(register(platform, login_name="ALICE_1")) == {
        ("login_name", "login_name_taken"),
        ("phone", "phone_taken"),
    }
    assert problems(register(platform, login_name="bob_12", phone="0086 19900000001")) == {
        ("phone", "phone_taken")
    }


def test_without_a_right_code_nobody_learns_what_is_taken(platform: Platform) -> None:
    account(platform)
    assert registration.send_registration_code(platform, PHONE, ORIGIN) is None
    assert problems(register(platform, sms_code="")) == {("sms_code", "required")}


@pytest.mark.parametrize(
    ("names", "phones", "lost"),
    [
        (("alice_1", "ALICE_1"), (PHONE, OTHER_PHONE), {("login_name", "login_name_taken")}),
        (("alice_1", "bob_12"), (PHONE, PHONE), {("phone", "phone_taken")}),
    ],
)
def test_of_two_registrations_at_once_exactly_one_wins(
    platform: Platform,
    names: tuple[str, str],
    phones: tuple[str, str],
    lost: set[tuple[str, str]],
) -> None:
    views = [AccountView(f"id-{n}", names[n], phones[n], "a@example.com") for n in range(2)]
    outcomes = at_once(
        [partial(registration.create_account, platform, view, "hash", ORIGIN) for view in views]
    )
    (loser,) = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    assert problems(loser) == lost
    assert accounts.count_accounts(platform) == 1
    assert len(events(platform, "account:register")) == 1


def test_one_code_sent_twice_at_once_registers_one_account(platform: Platform) -> None:
    send(platform)
    forms = [form(platform, login_name=name) for name in ("alice_1", "bob_12")]
    outcomes = at_once([partial(registration.register, platform, right, ORIGIN) for right in forms])
    assert sum(isinstance(outcome, AccountView) for outcome in outcomes) == 1
    assert accounts.count_accounts(platform) == 1


def test_an_address_registers_twenty_accounts_an_hour_in_production(
    make_platform: Callable[..., Platform],
) -> None:
    platform = make_platform(env="production", sms_fixed_code="246810")
    account(platform)
    for number in range(21):
        phone = f"199100000{number:02}"
        send(platform, phone)
        outcome = register(platform, phone=phone, login_name="alice_1", sms_code="246810")
        expected = ("login_name", "login_name_taken") if number < 20 else (None, "registration_limit")
        assert problems(outcome) == {expected}


@pytest.mark.parametrize(
    ("phone", "code"), [("", "required"), ("12345", "phone_invalid"), ("\x00", "phone_invalid")]
)
def test_a_code_is_sent_to_mobile_numbers_only(platform: Platform, phone: str, code: str) -> None:
    assert problems(registration.send_registration_code(platform, phone, ORIGIN)) == {("phone", code)}
    assert outbox.list_recent_sms(platform) == []


def test_a_code_is_sent_to_a_taken_phone_too(platform: Platform) -> None:
    account(platform)
    assert send(platform, PHONE)


def test_without_the_short_lived_store_nobody_is_registered(platform: Platform) -> None:
    send(platform)
    right = form(platform)
    outcome = registration.register(replace(platform, ephemeral=LostStore()), right, ORIGIN)
    assert problems(outcome) == {(None, "service_unavailable")}
    assert accounts.count_accounts(platform) == 0
    assert isinstance(registration.register(platform, right, ORIGIN), AccountView)


def test_storing_an_account_takes_three_statements(platform: Platform, assert_queries: AssertQueries) -> None:
    with assert_queries(3):
        account(platform)


def test_the_password_is_kept_as_argon2id_only(platform: Platform) -> None:
    send(platform)
    made = register(platform)
    assert isinstance(made, AccountView)
    profile = accounts.get_profile(platform, made.account_id)
    assert PASSWORD not in repr(profile)
    assert PASSWORD not in repr(events(platform))


def test_a_code_used_up_by_another_form_meanwhile_registers_nobody(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(platform)
    monkeypatch.setattr(sms_codes, "redeem_code", lambda *_arguments: False)
    assert problems(register(platform)) == {("sms_code", "sms_code_expired")}
    assert accounts.count_accounts(platform) == 0


def test_a_conflict_that_is_neither_name_nor_phone_is_not_hidden(platform: Platform) -> None:
    registration.create_account(
        platform, AccountView("same", "alice_1", PHONE, "a@example.com"), "hash", ORIGIN
    )
    other = AccountView("same", "bob_12", OTHER_PHONE, "b@example.com")
    with pytest.raises(IntegrityError):
        registration.create_account(platform, other, "hash", ORIGIN)

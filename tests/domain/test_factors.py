from __future__ import annotations

from datetime import UTC, datetime

import pytest

from idp.domain import assurance, factors, upstream
from idp.domain.assurance import PASSWORD_AND_RECOVERY_CODE, PASSWORD_AND_SMS, PASSWORD_AND_TOTP, Shown


def test_a_code_is_taken_one_step_before_and_after_the_current_one_first() -> None:
    now = datetime.fromtimestamp(59, UTC)
    assert factors.totp_steps(now) == (1, 0, 2)
    assert factors.totp_steps(datetime.fromtimestamp(60, UTC)) == (2, 1, 3)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("１２３４５６", "123456"),
        ("12345", None),
        ("1234567", None),
        ("12345a", None),
        ("", None),
    ],
)
def test_a_one_time_password_is_six_digits(typed: str, code: str | None) -> None:
    assert factors.find_totp_code(typed) == code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("ABCD-EFGH-JKMN", "ABCDEFGHJKMN"),
        ("abcd efgh jkmn", "ABCDEFGHJKMN"),
        ("ＡＢＣＤＥＦＧＨＪＫＭＮ", "ABCDEFGHJKMN"),
        ("ABCDEFGHJKM", None),
        ("ABCDEFGHJKM0", None),
        ("123456", None),
    ],
)
def test_a_recovery_code_is_understood_however_it_is_copied(typed: str, code: str | None) -> None:
    assert factors.find_recovery_code(typed) == code


def test_a_recovery_code_is_shown_in_groups() -> None:
    assert factors.grouped("ABCDEFGHJKMN") == "ABCD-EFGH-JKMN"
    assert factors.find_recovery_code(factors.grouped("ABCDEFGHJKMN")) == "ABCDEFGHJKMN"


@pytest.mark.parametrize(
    ("issuer", "rp_id"),
    [
        ("https://id.example.cn", "id.example.cn"),
        ("http://localhost:5000", "localhost"),
        ("http://127.0.0.1:5000", None),
        ("http://[::1]:5000", None),
        ("", None),
    ],
)
def test_passkeys_are_made_for_a_domain_not_for_an_address(issuer: str, rp_id: str | None) -> None:
    assert factors.find_rp_id(issuer) == rp_id


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("办公电脑", None),
        ("x" * 30, None),
        ("x" * 31, "too_long"),
        (" ", "required"),
        ("a\u202eb", "passkey_name_invalid"),
    ],
)
def test_a_passkey_has_a_short_printable_name(name: str, problem: str | None) -> None:
    assert factors.passkey_name_problem(name) == problem


@pytest.mark.parametrize(
    ("kept", "shown", "fresh"),
    [(0, 0, True), (0, 1, True), (1, 2, True), (1, 1, False), (2, 1, False), (1, 0, False)],
)
def test_a_counter_that_does_not_move_on_is_a_copy(kept: int, shown: int, fresh: bool) -> None:
    assert factors.is_counter_fresh(kept, shown) is fresh


def test_a_synced_passkey_is_not_called_hardware() -> None:
    assert assurance.passkey(synced=False) == Shown("urn:gsp:acr:2fa-crypto", ("hwk", "mfa"))
    assert assurance.passkey(synced=True) == Shown("urn:gsp:acr:2fa-crypto", ("swk", "mfa"))


@pytest.mark.parametrize(
    ("shown", "has_factor", "may"),
    [
        (PASSWORD_AND_SMS, False, True),
        (PASSWORD_AND_SMS, True, False),
        (PASSWORD_AND_TOTP, True, True),
        (assurance.passkey(synced=True), True, True),
        (PASSWORD_AND_RECOVERY_CODE, True, True),
        (PASSWORD_AND_RECOVERY_CODE, False, True),
        (Shown("urn:gsp:acr:2fa", ("pwd", "mfa")), True, False),
        (Shown("urn:gsp:acr:2fa", ("pwd", "otp", "mfa")), True, False),
    ],
)
def test_an_sms_is_not_enough_to_change_a_strong_factor(shown: Shown, has_factor: bool, may: bool) -> None:
    assert assurance.may_change_factors(shown, has_factor=has_factor) is may


def test_no_other_platform_can_speak_of_a_recovery_code_and_no_client_hears_of_it() -> None:
    assert upstream.methods_of(PASSWORD_AND_RECOVERY_CODE.amr) == ("pwd", "mfa")
    assert assurance.told(PASSWORD_AND_RECOVERY_CODE.amr) == ("pwd", "mfa")
    assert assurance.told(PASSWORD_AND_TOTP.amr) == PASSWORD_AND_TOTP.amr

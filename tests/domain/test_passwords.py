from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp.domain import passwords as rules
from idp.domain.passwords import Owner

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ALICE = Owner(
    "alice_1",
    "13912345678",
    ("wonder.land@example.test", "990101199001010019", "91990101MADEM0046R", "测试汽车有限公司", "李"),
)


def known(folded: str) -> bool:
    return folded == rules.fold("P@ssw0rd123")


def problem(password: str, owner: Owner = ALICE) -> str | None:
    return rules.password_problem(password, owner, known)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "required"),
        ("Demo#2026pass", None),
        ("a1!4r6t8u", None),
        ("a1!4r6t8ua1!4r6t", None),
        ("a1!4r6t8", "password_length"),
        ("a1!4r6t8ua1!4r6t8", "password_length"),
        ("12345678!", "password_composition"),
        ("abcdefgh!", "password_composition"),
        ("abcdefgh1", "password_composition"),
        ("abc def1!", "password_characters"),
        ("abcdef1!密", "password_characters"),
        ("abcdefg1！", "password_characters"),
        ("abcdefg1!\n", "password_characters"),
    ],
)
def test_a_password_combines_letters_digits_and_others_in_9_to_16_characters(
    password: str, code: str | None
) -> None:
    assert problem(password) == code


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("x!ALICE_1x", "password_contains_login_name"),
        ("x!4lic3_1x", "password_contains_login_name"),
        ("a!13912345678", "password_contains_phone"),
        ("Wonder.l4nd!9", "password_personal"),
        ("ab#19900101xy", "password_personal"),
        ("q!MADEM0046Rz", "password_personal"),
    ],
)
def test_it_holds_nothing_of_its_owner_however_spelled(password: str, code: str) -> None:
    assert problem(password) == code
    assert problem(password, Owner()) is None


@pytest.mark.parametrize("password", ["Zhengwu#7x", "my-M11T-pass9", "5MDV5#qup2x"])
def test_it_is_not_built_on_a_name_of_the_platform(password: str) -> None:
    assert problem(password) == "password_platform_name"


@pytest.mark.parametrize("password", ["P@ssw0rd123", "p@$$w0rd123", "PA$SWORD!23", "passw0rd!2E"])
def test_every_spelling_of_a_well_known_one_is_well_known(password: str) -> None:
    assert problem(password) == "password_common"


def test_the_common_spellings_fold_to_one_form() -> None:
    assert rules.fold("P@$$w0rd!1|") == "passwordiii"
    assert rules.fold("4b8e3g9s57t+") == "abbeeggssttt"


@pytest.mark.parametrize(
    ("password", "steps"),
    [
        ("", 0),
        ("a", 1),
        ("ab", 2),
        ("abc", 1),
        ("cba", 1),
        ("aab", 3),
        ("abb", 3),
        ("aba", 3),
        ("aaa", 1),
        ("Abc12345!", 3),
        ("qqqqqq111!!!", 3),
        ("qwert!54321", 3),
        ("67890", 1),
        ("!@#$%", 1),
        ("ace", 3),
        ("Demo#2026pass", 13),
    ],
)
def test_a_row_of_keys_letters_digits_or_equals_is_one_step(password: str, steps: int) -> None:
    assert rules.steps(password) == steps


@pytest.mark.parametrize(
    "password", ["Abc12345!", "qqqqqq111!!!", "aaaa1111!!!!", "Qwerty!98765", "qwe!asd9z"]
)
def test_a_password_of_few_steps_is_refused(password: str) -> None:
    assert problem(password) == "password_sequence"


def test_confirmation_must_be_typed_and_equal() -> None:
    assert rules.confirmation_problem("Demo#2026pass", "") == "required"
    assert rules.confirmation_problem("Demo#2026pass", "demo#2026pass") == "passwords_differ"
    assert rules.confirmation_problem("Demo#2026pass", "Demo#2026pass") is None


def test_a_password_is_over_age_at_the_moment_its_last_day_ends() -> None:
    ninety = timedelta(days=90)
    moment = timedelta(microseconds=1)
    assert not rules.is_over_age(NOON - ninety + moment, NOON, 90)
    assert rules.is_over_age(NOON - ninety, NOON, 90)
    assert not rules.is_over_age(NOON - ninety, NOON, 91)
    assert not rules.is_over_age(NOON - timedelta(days=9999), NOON, 0)


def test_a_temporary_password_is_spent_when_its_time_is_over() -> None:
    assert not rules.is_spent(None, NOON)
    assert not rules.is_spent(NOON + timedelta(microseconds=1), NOON)
    assert rules.is_spent(NOON, NOON)

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp.domain import accounts as rules

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("login_name", "problem"),
    [
        ("", "required"),
        ("alice1", None),
        ("A_23456789012345", None),
        ("alice", "login_name_invalid"),
        ("a2345678901234567", "login_name_invalid"),
        ("1alice", "login_name_invalid"),
        ("_alice1", "login_name_invalid"),
        ("alice 1", "login_name_invalid"),
        ("alice-1", "login_name_invalid"),
        ("张三abcd", "login_name_invalid"),
        ("alice1\n", "login_name_invalid"),
        ("alice1\x00", "login_name_invalid"),
        ("990101900101001", "login_name_invalid"),
    ],
)
def test_login_name_is_6_to_16_letters_digits_underscores_and_begins_with_a_letter(
    login_name: str, problem: str | None
) -> None:
    assert rules.login_name_problem(login_name) == problem


@pytest.mark.parametrize(("typed", "code"), [("123456", "123456"), ("１２３ ４５６", "123456")])
def test_sms_code_is_understood_however_it_was_typed(typed: str, code: str) -> None:
    assert rules.find_sms_code(typed) == code


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦"])
def test_anything_but_six_digits_is_no_sms_code(typed: str) -> None:
    assert rules.find_sms_code(typed) is None


def test_identifier_of_a_login_name_ignores_case_width_and_spaces() -> None:
    for typed in ("Demo_Person", " demo_person ", "ｄｅｍｏ＿ｐｅｒｓｏｎ"):
        identifier = rules.read_identifier(typed)
        assert identifier.login_name_index == "demo_person"
        assert identifier.enterprise_credit_code is None
        assert identifier.document_keys == ()


@pytest.mark.parametrize("typed", ["91990101MADEM00117", "91990101madem00117", "9199 0101 MADEM 00117"])
def test_identifier_of_a_credit_code_is_canonical(typed: str) -> None:
    identifier = rules.read_identifier(typed)
    assert identifier.enterprise_credit_code == "91990101MADEM00117"
    assert identifier.login_name_index is None
    assert identifier.document_keys == ()


def test_identifier_of_an_id_number_stands_for_every_document_with_such_a_number() -> None:
    identifier = rules.read_identifier("99010119900101006x")
    assert identifier.login_name_index is None
    assert identifier.document_keys == (
        "id_card:99010119900101006X",
        "foreigner_residence:99010119900101006X",
        "hmt_residence:99010119900101006X",
    )


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "990101199001010018",
        "91990101MADEM00118",
        "990101900101001",
        "alice\x00bob",
        "\ud800",
        "用户名称用户",
        "x" * 100_000,
    ],
)
def test_identifier_that_can_be_nobodys_is_looked_up_as_nothing(typed: str) -> None:
    identifier = rules.read_identifier(typed)
    assert identifier.login_name_index is None
    assert identifier.enterprise_credit_code is None
    assert identifier.document_keys == ()
    assert len(identifier.value) <= rules.LONGEST_IDENTIFIER


@pytest.mark.parametrize(
    ("left", "minutes"),
    [(900, 15), (899.5, 15), (61, 2), (60, 1), (1, 1), (0, 1), (-5, 1)],
)
def test_minutes_of_a_lock_are_rounded_up_and_never_none(left: float, minutes: int) -> None:
    assert rules.minutes_left(NOON + timedelta(seconds=left), NOON) == minutes


def test_seconds_of_a_wait_are_rounded_up_and_never_none() -> None:
    assert rules.seconds_left(timedelta(seconds=59, milliseconds=1)) == 60
    assert rules.seconds_left(timedelta(0)) == 1


@pytest.mark.parametrize(
    ("idle", "age", "awake"),
    [
        (timedelta(0), timedelta(0), True),
        (timedelta(minutes=29, seconds=59), timedelta(hours=7), True),
        (timedelta(minutes=30), timedelta(hours=1), False),
        (timedelta(0), timedelta(hours=8), False),
    ],
)
def test_a_login_sleeps_after_30_idle_minutes_and_after_8_hours(
    idle: timedelta, age: timedelta, awake: bool
) -> None:
    assert rules.is_awake(NOON - idle, NOON - age + rules.LOGIN_TTL, NOON) is awake


def test_masks_follow_the_rules_of_the_government_platforms() -> None:
    assert rules.mask_phone("13712349050") == "137****9050"
    assert rules.mask_phone("12345") == "*****"
    assert rules.mask_email("contact@163.com") == "con***@163.com"
    assert rules.mask_email("ab@163.com") == "ab***@163.com"
    assert rules.mask_name("张大友") == "*大友"
    assert rules.mask_name("") == "*"
    assert rules.mask_document("99010119900101006X") == "9****************X"
    assert rules.mask_document("E12345678") == "E12***678"
    assert rules.mask_document("A1") == "**"
    assert rules.document_tail("990101197812310016") == "********0016"
    assert rules.document_tail("0016") == "********"
    assert rules.mask_identifier("demo_person") == "de***"
    assert rules.mask_identifier("\x00\ud800x") == "??***"


@pytest.mark.parametrize("number", ["99010119900101006X", "E12345678", "12345678", "H12345678"])
def test_a_masked_document_keeps_its_length_and_hides_at_least_a_third(number: str) -> None:
    masked = rules.mask_document(number)
    assert len(masked) == len(number)
    assert masked.count("*") * 3 >= len(number)


@pytest.mark.parametrize(
    ("login_name", "shown"),
    [("demo_handler", "de********er"), ("abcdef", "ab**ef"), ("a" * 16, "aa" + "*" * 12 + "aa")],
)
def test_a_login_name_is_shown_by_its_ends(login_name: str, shown: str) -> None:
    assert rules.mask_login_name(login_name) == shown

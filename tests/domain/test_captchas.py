from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp.domain import captchas
from idp.domain.captchas import Answers

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
HANDLE = captchas.make_handle(NOW, bytes(range(12)))


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        (timedelta(0), True),
        (timedelta(minutes=9, seconds=59), True),
        (timedelta(minutes=10), False),
        (-timedelta(seconds=30), True),
        (-timedelta(seconds=31), False),
    ],
)
def test_a_handle_is_good_for_ten_minutes(age: timedelta, fresh: bool) -> None:
    assert (captchas.read_handle(HANDLE, NOW + age) is not None) is fresh


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", " " + HANDLE, "验" * 22, "A" * 60_000, HANDLE[:5] + "\n" + HANDLE[5:]),
        *(HANDLE + "=", HANDLE + "==", HANDLE + "A"),
        *(HANDLE[:-1], HANDLE[:-1] + "x", HANDLE[:-1] + "!"),
    ],
)
def test_a_handle_is_written_in_one_way_only(text: str) -> None:
    assert captchas.read_handle(text, NOW) is None


def test_the_secret_decides_what_is_asked_for() -> None:
    assert captchas.answers(bytes(range(9))) == Answers("3467", "45678")
    assert captchas.answers(b"\xff" * 32) == Answers("6666", "55555")


@pytest.mark.parametrize("typed", ["3a7k", " ３Ａ７Ｋ ", "3A 7K"])
def test_an_answer_is_understood_however_it_is_typed(typed: str) -> None:
    assert captchas.read_answer(typed) == b"3A7K"


def test_an_answer_that_is_no_text_is_a_wrong_one() -> None:
    assert captchas.read_answer("\ud800") == b"?"

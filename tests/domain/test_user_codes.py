from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain import user_codes


def test_it_is_shown_in_two_halves() -> None:
    assert user_codes.shown("BCDFGHJK") == "BCDF-GHJK"


@pytest.mark.parametrize(
    "typed", ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "ＢＣＤＦ－ＧＨＪＫ", "b.c.d.f/g.h.j.k"]
)
def test_case_width_and_separators_do_not_count(typed: str) -> None:
    assert user_codes.find_code(typed) == "BCDFGHJK"


@pytest.mark.parametrize("typed", ["", "BCDF", "BCDF-GHJKL", "ABCD-EFGH", "1234-5678", "中文中文中文中文"])
def test_what_can_be_no_code_is_none(typed: str) -> None:
    assert user_codes.find_code(typed) is None


@given(st.text(max_size=200))
def test_any_text_is_a_code_or_none(typed: str) -> None:
    code = user_codes.find_code(typed)
    assert code is None or (len(code) == user_codes.LENGTH and set(code) <= set(user_codes.ALPHABET))

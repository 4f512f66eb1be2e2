from __future__ import annotations

from datetime import date

import pytest

from idp.domain.agreements import AGREED, CURRENT, GENERAL, is_agreed, outstanding, was_shown


def test_a_version_is_the_day_from_which_it_holds() -> None:
    for version in CURRENT.values():
        date.fromisoformat(version)


@pytest.mark.parametrize(
    ("agreed", "expected"), [(AGREED, True), (None, False), ("", False), ("2020-01-01+2020-01-01", False)]
)
def test_an_account_has_agreed_to_the_texts_of_today_or_not(agreed: str | None, expected: bool) -> None:
    assert is_agreed(agreed) is expected


def test_what_is_outstanding_is_asked_for_and_nothing_else() -> None:
    assert outstanding({}) == GENERAL
    assert outstanding(CURRENT) == ()
    assert outstanding({**CURRENT, "privacy": "2020-01-01"}) == ("privacy",)
    assert outstanding({"identity": CURRENT["identity"]}) == GENERAL


def test_only_the_present_text_can_have_been_shown() -> None:
    assert was_shown(CURRENT["identity"])
    assert not was_shown("2020-01-01")
    assert not was_shown("")

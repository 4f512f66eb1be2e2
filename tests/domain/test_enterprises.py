from __future__ import annotations

import pytest

from idp.domain.enterprises import consequence


@pytest.mark.parametrize(
    ("former", "answer", "expected"),
    [
        (None, "active", None),
        ("active", "active", None),
        ("active", "changed", "changed"),
        ("changed", "changed", None),
        (None, "changed", None),  # a reviewer has accepted what the registers did not know
        ("active", "closed", "closed"),
        (None, "closed", "closed"),
        ("changed", "closed", "closed"),
        ("closed", "closed", None),
        ("active", None, None),
        (None, None, None),
        ("active", "nonsense", None),
    ],
)
def test_only_what_was_otherwise_before_has_a_consequence(
    former: str | None, answer: str | None, expected: str | None
) -> None:
    assert consequence(former, answer) == expected

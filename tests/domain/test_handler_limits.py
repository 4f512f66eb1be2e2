from __future__ import annotations

import pytest

from idp.domain.handler_limits import (
    MOST_ENTERPRISES,
    MOST_HANDLERS,
    MOST_PENDING,
    refuse_application,
    refuse_handler,
)


def test_a_person_asks_only_so_many_at_a_time() -> None:
    assert refuse_application(MOST_PENDING - 1) is None
    refusal = refuse_application(MOST_PENDING)
    assert refusal is not None
    assert (refusal.code, refusal.problems[0].detail["most"]) == ("too_many_pending", MOST_PENDING)


@pytest.mark.parametrize(
    ("of_enterprise", "of_person", "expected"),
    [
        (MOST_HANDLERS - 1, MOST_ENTERPRISES - 1, None),
        (MOST_HANDLERS, 0, "too_many_handlers"),
        (0, MOST_ENTERPRISES, "too_many_enterprises"),
    ],
)
def test_either_side_has_only_so_many(of_enterprise: int, of_person: int, expected: str | None) -> None:
    refusal = refuse_handler(of_enterprise, of_person)
    assert (refusal and refusal.code) == expected

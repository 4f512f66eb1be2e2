from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from idp.domain.handler_reviews import REVIEW_EVERY, is_due, last_look
from idp.domain.handlers import Standing, Status

NOW: Final = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
OLD: Final = Standing(Status.APPROVED, valid_from=NOW - REVIEW_EVERY)


def test_the_last_look_is_the_approval_or_the_last_confirmation() -> None:
    assert last_look(OLD) == OLD.valid_from
    assert last_look(replace(OLD, reviewed_at=NOW)) == NOW
    assert last_look(Standing(Status.PENDING)) is None


@pytest.mark.parametrize(
    ("standing", "due"),
    [
        (OLD, True),
        (replace(OLD, valid_from=NOW - REVIEW_EVERY + timedelta(seconds=1)), False),
        (replace(OLD, reviewed_at=NOW - timedelta(days=1)), False),
        (replace(OLD, reviewed_at=NOW - REVIEW_EVERY), True),
        (replace(OLD, valid_from=None), False),
        (replace(OLD, status=Status.SUSPENDED, reviewed_at=NOW), True),
        (replace(OLD, status=Status.REVOKED), False),
        (replace(OLD, valid_until=NOW), False),
    ],
)
def test_a_look_is_due_after_half_a_year_and_at_what_is_suspended(standing: Standing, due: bool) -> None:
    assert is_due(standing, NOW) is due

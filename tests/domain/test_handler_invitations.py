from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from idp.domain.errors import Refusal
from idp.domain.handler_invitations import (
    MOST_WAITING,
    Invitation,
    Status,
    read,
    refuse_offer,
    status_at,
)
from idp.domain.handler_terms import Terms

NOW: Final = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
REPORT: Final = "nev-accident-report"


def test_an_invitation_is_read_in_canonical_form() -> None:
    assert read(" １9900000001", "李 示例", (REPORT,), None, NOW) == Invitation(
        "19900000001", "李 示例", Terms((REPORT,), None)
    )


def test_every_problem_is_told_at_once() -> None:
    result = read("123", "", ("anything",), "2020-01-01", NOW)
    assert isinstance(result, Refusal)
    assert {(problem.code, problem.field) for problem in result.problems} == {
        ("phone_invalid", "phone"),
        ("required", "real_name"),
        ("matter_unknown", "matters"),
        ("valid_until_past", "valid_until"),
    }


@pytest.mark.parametrize("status", Status)
def test_one_that_waits_too_long_expires(status: Status) -> None:
    later = NOW + timedelta(seconds=1)
    assert status_at(status.value, later, NOW) is status
    assert status_at(status.value, NOW, NOW) is (Status.EXPIRED if status is Status.PENDING else status)


@pytest.mark.parametrize(
    ("waiting", "already", "expected"),
    [
        (0, False, None),
        (1, True, "invitation_pending"),
        (MOST_WAITING - 1, False, None),
        (MOST_WAITING, False, "too_many_invitations"),
    ],
)
def test_an_enterprise_has_so_many_waiting(waiting: int, already: bool, expected: str | None) -> None:
    refusal = refuse_offer(waiting, already)
    assert (refusal and refusal.code) == expected

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp.domain import account_life as rules
from idp.domain.account_life import Status, Ties

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ("active", None),
        ("frozen", "account_frozen"),
        ("dormant", "account_dormant"),
        ("leaving", "account_leaving"),
        ("deleted", "account_frozen"),
    ],
)
def test_only_an_active_account_is_signed_in_to_at_once(status: str, refusal: str | None) -> None:
    assert rules.sign_in_refusal(status) == refusal
    assert (refusal in rules.REVIVABLE) == (status in {"dormant", "leaving"})


def test_only_waking_needs_another_code() -> None:
    assert [status.value for status in Status if rules.must_show_code(status)] == ["dormant"]


@pytest.mark.parametrize(
    ("ties", "codes"),
    [
        (Ties(), ()),
        (Ties(last_administrator=True), ("deletion_last_administrator",)),
        (Ties(handlers_in_force=1), ("deletion_handlers",)),
        (Ties(False, 2, 1), ("deletion_applications", "deletion_handlers")),
    ],
)
def test_what_keeps_an_account_is_told_in_the_order_to_settle_it(ties: Ties, codes: tuple[str, ...]) -> None:
    assert rules.obstacles(ties) == codes


def test_a_deletion_is_done_after_seven_days() -> None:
    assert rules.deletion_at(NOW) - NOW == timedelta(days=7)


def test_a_reminder_comes_a_month_before_sleep_and_never_after_it() -> None:
    limits = rules.silence(NOW, 365)
    assert NOW - limits.remind_before == timedelta(days=335)
    assert NOW - limits.sleep_before == timedelta(days=365)
    assert NOW - limits.reminded_before == timedelta(days=30)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", None),
        (" \n ", None),
        ("本人\n来电 申请", "本人 来电 申请"),
        ("长" * 200, "长" * 200),
        ("长" * 201, None),
    ],
)
def test_a_reason_is_one_line_of_at_most_200_characters(typed: str, reason: str | None) -> None:
    assert rules.read_reason(typed) == reason

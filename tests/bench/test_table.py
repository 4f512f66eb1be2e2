from __future__ import annotations

import pytest

from bench import table
from bench.installation import EMBEDDED, POSTGRESQL
from bench.items import ITEMS, Goal
from bench.limits import ARGON2ID, ES256_SIGN, ES256_VERIFY, RS256_SIGN, SHA256
from bench.measuring import Measured

BY_NAME = {item.name: item for item in ITEMS}
LIMITS = {ARGON2ID: 20.0, ES256_SIGN: 0.02, RS256_SIGN: 0.3, SHA256: 0.0, ES256_VERIFY: 0.06}


def measured(server_ms: float, store_ms: float = 0.0) -> Measured:
    return Measured(server_ms, store_ms, 0.0, 100.0, 1.0, 2.0, errors=0)


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.5, "proud"), (0.51, "met"), (1.0, "met"), (1.5, "missed, 1.50×")]
)
def test_a_verdict_says_what_is_reached_or_by_how_much_it_is_missed(value: float, verdict: str) -> None:
    assert table.verdict_of(value, Goal(meet=1.0, proud=0.5)) == verdict


def test_goals_grow_with_what_plain_flask_costs_on_this_machine() -> None:
    scaled = table.scaled(Goal(1.2, 0.8), hello_ms=0.15)
    assert (scaled.meet, scaled.proud) == pytest.approx((1.8, 1.2))


def test_the_ratio_counts_the_store_and_two_signatures_where_two_are_made() -> None:
    row = table.row(BY_NAME["refresh"], POSTGRESQL, measured(0.6, 0.2), LIMITS, hello_ms=0.1)
    assert row.ratio == pytest.approx(20)
    assert row.judged_ms == pytest.approx(0.8)


def test_a_pushed_code_flow_is_compared_with_all_that_is_verified_and_signed_in_it() -> None:
    row = table.row(BY_NAME["pushed_code"], POSTGRESQL, measured(2.8), LIMITS, hello_ms=0.1)
    assert row.limit_ms == pytest.approx(4 * 0.06 + 2 * 0.02)
    row = table.row(BY_NAME["exchange"], POSTGRESQL, measured(0.8), LIMITS, hello_ms=0.1)
    assert row.limit_ms == pytest.approx(0.06 + 0.02)


def test_a_sign_in_is_judged_without_its_hash() -> None:
    row = table.row(BY_NAME["sign_in"], EMBEDDED, measured(26.0), LIMITS, hello_ms=0.1)
    assert row.judged_ms == pytest.approx(6.0)
    assert row.verdict == "met"


def test_items_that_sign_nothing_have_no_limit_to_compare_with() -> None:
    row = table.row(BY_NAME["discovery"], EMBEDDED, measured(0.02), LIMITS, hello_ms=0.1)
    assert (row.limit_ms, row.ratio) == (None, None)


def test_memory_is_judged_the_same_on_every_machine_and_the_start_is_not() -> None:
    assert table.memory_figure(130.0, 15.0).verdict == "met"
    assert table.start_figure(0.9, hello_ms=0.2).verdict == "proud"


def test_every_item_has_its_line_with_all_figures_and_its_first_error() -> None:
    failing = Measured(0.3, 0.0, 0.0, 100.0, 1.0, 2.0, errors=1, first_error="token: 500")
    row = table.row(BY_NAME["cc_rs256"], EMBEDDED, failing, LIMITS, hello_ms=0.1)
    lines = list(table.lines(table.Result(EMBEDDED, (row,), (table.memory_figure(130.0, 15.0),))))
    assert lines[2].split()[:2] == ["client_credentials", "RS256"]
    assert lines[2].endswith("proud")
    assert "token: 500" in lines[3]
    assert "process above them 15 MiB" in lines[4]

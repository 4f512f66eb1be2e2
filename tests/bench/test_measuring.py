from __future__ import annotations

from dataclasses import replace

import pytest

from bench import measuring
from bench.installation import Cpu
from bench.measuring import Measured, NothingDone
from bench.wrk import Load

LOAD = Load(units=500, seconds=2.0, p50_ms=3.0, p99_ms=9.0, errors=1, first_error="token: 500")
ROUND = Measured(0.3, 0.1, 0.01, 100.0, 1.0, 2.0, errors=0)


def test_cpu_is_divided_by_the_units_that_were_completed() -> None:
    found = measuring.of_round(LOAD, Cpu(server=0.5, store=0.25, worker=0.05))
    assert (found.server_ms, found.store_ms, found.worker_ms) == pytest.approx((1.0, 0.5, 0.1))
    assert found.rate == pytest.approx(250)


def test_the_goals_are_about_the_server_and_its_stores_without_the_worker() -> None:
    assert measuring.of_round(LOAD, Cpu(0.5, 0.25, 99.0)).cpu_ms == pytest.approx(1.5)


def test_a_round_without_a_completed_unit_is_a_fault_that_tells_the_first_error() -> None:
    with pytest.raises(NothingDone, match="token: 500"):
        measuring.of_round(replace(LOAD, units=0), Cpu(1.0, 1.0, 1.0))


def test_of_several_rounds_the_median_counts_and_every_error() -> None:
    rounds = [
        replace(ROUND, server_ms=ms, errors=errors, first_error=text)
        for ms, errors, text in ((0.9, 1, ""), (0.2, 0, ""), (0.4, 2, "refresh: 400"))
    ]
    found = measuring.middle(rounds)
    assert (found.server_ms, found.errors, found.first_error) == (0.4, 3, "refresh: 400")


def test_cpu_of_a_span_is_the_difference_of_two_readings() -> None:
    assert Cpu(3.0, 2.0, 1.0) - Cpu(1.0, 0.5, 1.0) == Cpu(2.0, 1.5, 0.0)

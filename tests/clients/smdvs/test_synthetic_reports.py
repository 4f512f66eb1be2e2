"""The synthetic reports of the benchmark are reports: they would be accepted, and their chains hold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from bench.reports import ENTERPRISES, fill, vin_number
from clients.rp import clock, uscc
from clients.rp.entitlement import Reader
from clients.smdvs import chain, reports, vin
from clients.smdvs.report import Report
from clients.smdvs.search import Filters, find_page
from clients.smdvs.system import System
from tests.clients.conftest import system_of

ALL = Reader("regulator", None)


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    return system_of(smdvs_backend)


def test_their_vins_and_enterprises_are_valid_and_differ() -> None:
    numbers = [vin_number(number) for number in range(2000)]
    assert len(set(numbers)) == 2000
    assert all(vin.is_valid(number) for number in numbers)
    assert all(uscc.is_canonical(code) for code, _name in ENTERPRISES)


def test_each_would_be_accepted_and_has_its_whole_history(system: System) -> None:
    fill(system, 60)
    assert list(chain.verify_all(system)) == [None] * 60
    for row in find_page(system, ALL, Filters(), 1, 100).rows:
        view = reports.find(system, ALL, row.report_no)
        assert view is not None
        context = {"now": row.received_at + timedelta(days=1)}
        told = {"late_reason": "示例", "accident_type_note": "示例"}
        Report.model_validate(view.content.whole | told, context=context)
        assert view.row.version == len(view.history)


def test_more_can_be_added_and_real_ones_after_them(system: System) -> None:
    fill(system, 30, now=clock.now() - timedelta(days=1))
    fill(system, 30, seed=2)
    assert find_page(system, ALL, Filters(), 1, 100).total == 60

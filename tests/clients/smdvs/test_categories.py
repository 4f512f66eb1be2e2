"""Every code is counted in exactly one category of its field."""

from __future__ import annotations

from enum import StrEnum

import pytest

from clients.smdvs import vocabulary
from clients.smdvs.categories import CATEGORIES, COUNTED
from clients.smdvs.filters import Filters


@pytest.mark.parametrize(
    ("field", "codes"),
    [
        ("accident_type", vocabulary.AccidentType),
        ("vehicle_state", vocabulary.VehicleState),
        ("vehicle_class", vocabulary.VehicleClass),
        ("battery_type", vocabulary.BatteryType),
        ("cause", vocabulary.Cause),
        ("status", vocabulary.Status),
    ],
)
def test_each_code_has_one_category(field: str, codes: type[StrEnum]) -> None:
    counted = [code for category in CATEGORIES[field] for code in category.codes]
    assert sorted(counted) == sorted(codes)


def test_each_field_is_a_filter_so_that_a_category_leads_to_its_list() -> None:
    assert CATEGORIES.keys() <= Filters.model_fields.keys()


def test_void_reports_are_not_counted() -> None:
    assert set(vocabulary.Status) - set(COUNTED) == {vocabulary.Status.VOIDED}

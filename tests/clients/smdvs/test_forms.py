"""Forms: read strictly, and turned into documents without losing or inventing anything."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from clients.rp import clock
from clients.smdvs import forms
from clients.smdvs.documents import report_from_form
from clients.smdvs.report import MAX_VEHICLES, Report
from tests.clients.documents import form_fields

URLENCODED = "application/x-www-form-urlencoded"


def code(body: bytes, content_type: str | None = URLENCODED) -> str:
    with pytest.raises(forms.BadFormError) as caught:
        forms.parse(content_type, body)
    return caught.value.code


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"a=%ff", "not_utf8"),
        (b"a=\xff", "not_utf8"),
        (b"%c3=1", "not_utf8"),
        (b"a=%00", "nul_byte"),
        (b"a=\0", "nul_byte"),
        (b"a=1&a=1", "duplicate_field"),
        (b"a=1&%61=2", "duplicate_field"),
        (b"&".join(b"a%d=1" % number for number in range(2000)), "too_many_fields"),
    ],
)
def test_a_body_that_is_no_clean_form_is_told_apart(body: bytes, expected: str) -> None:
    assert code(body) == expected


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/json", "multipart/form-data; boundary=x"]
)
def test_another_content_type_is_no_form(content_type: str | None) -> None:
    assert code(b"a=1", content_type) == "not_a_form"


def test_a_charset_beside_the_type_is_fine() -> None:
    assert forms.parse(URLENCODED + "; charset=UTF-8", b"a=%E4%B8%AD") == {"a": "中"}


def test_the_one_repeated_field_keeps_all_its_values() -> None:
    body = b"fire_locations=cabin&fire_locations=rear"
    assert forms.document(forms.parse(URLENCODED, body))["fire_locations"] == ["cabin", "rear"]


def test_a_filled_form_makes_a_report() -> None:
    fields = forms.parse(URLENCODED, urlencode(form_fields()).encode())
    document = forms.document(fields | {"enterprise_credit_code": "91990101MADEM00117"})
    assert isinstance(report_from_form(document, clock.now()), Report)


def test_blank_fields_are_missing_not_wrong() -> None:
    document = forms.document({"vehicles-0-vin": " ", "deaths": ""})
    assert "deaths" not in document
    assert document["vehicles"] == [{"battery": {}}]


def test_local_times_are_chinas() -> None:
    document = forms.document({"occurred_at": "2026-11-23T09:30", "learned_at": "2026-11-23T09:30Z"})
    assert document["occurred_at"] == "2026-11-23T09:30+08:00"
    assert document["learned_at"] == "2026-11-23T09:30Z"


def test_an_unknown_mileage_is_null_unless_one_is_given() -> None:
    unknown = {"vehicles-0-odometer_unknown": "true"}
    assert forms.document(unknown)["vehicles"][0]["odometer_km"] is None
    assert forms.document(unknown | {"vehicles-0-odometer_km": "5"})["vehicles"][0]["odometer_km"] == "5"


def test_a_vehicle_is_added_behind_and_taken_out_anywhere() -> None:
    fields = {
        "vehicles-0-vin": "A",
        "vehicles-1-vin": "B",
        "vehicles-1-battery-cell_maker": "b",
        "deaths": "0",
    }
    assert forms.vehicle_count(forms.with_vehicle(fields)) == 3
    assert forms.without_vehicle(fields, 0) == {
        "vehicles-0-vin": "B",
        "vehicles-0-battery-cell_maker": "b",
        "deaths": "0",
    }


def test_there_are_never_more_vehicles_than_allowed() -> None:
    fields = {"vehicles-99-vin": "A"}
    assert forms.vehicle_count(fields) == MAX_VEHICLES
    assert forms.vehicle_count(forms.with_vehicle(fields)) == MAX_VEHICLES

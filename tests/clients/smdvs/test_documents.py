"""Reports as documents: every rule broken once, each fault at its field with words of its own."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from clients.rp import clock
from clients.smdvs import labels, messages
from clients.smdvs.documents import MAX_FAULTS, Fault, NotJson, parse_json, report_from_form, report_from_json
from clients.smdvs.report import MAX_VEHICLES, Report
from tests.clients.documents import report_json, vehicle


def ago(**time: float) -> str:
    return (clock.now() - timedelta(**time)).isoformat()


def faults(**changes: Any) -> dict[str, str]:
    outcome = report_from_json(report_json(**changes), clock.now())
    assert isinstance(outcome, tuple), outcome
    return {fault.pointer: fault.code for fault in outcome}


def test_the_apis_own_example_is_accepted() -> None:
    assert isinstance(report_from_json(report_json(), clock.now()), Report)


def place(**changes: Any) -> dict[str, Any]:
    return {"province": "110000", "city": "示例区", "address": "示例路", **changes}


def battery(**changes: Any) -> dict[str, Any]:
    return {"cell_maker": "甲", "pack_maker": "乙", "battery_type": "lfp", **changes}


def cars(**changes: Any) -> dict[str, Any]:
    return {"vehicles": [vehicle(**changes)]}


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"enterprise_credit_code": None}, "/enterprise_credit_code", "missing"),
        ({"enterprise_credit_code": "91990101MADEM00118"}, "/enterprise_credit_code", "uscc_invalid"),
        ({"enterprise_credit_code": 5}, "/enterprise_credit_code", "string_type"),
        ({"reporter_phone": "12345678901"}, "/reporter_phone", "mobile_invalid"),
        ({"accident_type": "flood"}, "/accident_type", "enum"),
        ({"accident_type": "other"}, "/accident_type_note", "accident_type_note_missing"),
        ({"occurred_at": ago(hours=-1)}, "/occurred_at", "occurred_in_future"),
        ({"occurred_at": ago(days=4000)}, "/occurred_at", "occurred_too_long_ago"),
        ({"occurred_at": "2026-11-23T09:30:00"}, "/occurred_at", "timezone_aware"),
        ({"occurred_at": "yesterday"}, "/occurred_at", "datetime_parsing"),
        ({"occurred_at": 1_700_000_000}, "/occurred_at", "datetime_type"),
        ({"learned_at": ago(hours=9)}, "/learned_at", "learned_before_occurred"),
        ({"learned_at": ago(hours=-1)}, "/learned_at", "learned_in_future"),
        ({"place": place(province="990000")}, "/place/province", "enum"),
        ({"place": place(city=" ")}, "/place/city", "string_too_short"),
        ({"place": place(address="长" * 201)}, "/place/address", "string_too_long"),
        ({"place": place(address="一\n二")}, "/place/address", "text_one_line"),
        ({"place": place(latitude=39.9)}, "/place/longitude", "coordinates_incomplete"),
        ({"place": place(latitude=0, longitude=116)}, "/place/latitude", "greater_than_equal"),
        ({"place": "北京"}, "/place", "model_type"),
        ({"vehicle_state": 1}, "/vehicle_state", "enum"),
        ({"vehicles": []}, "/vehicles", "too_short"),
        ({"vehicles": [vehicle()] * (MAX_VEHICLES + 1)}, "/vehicles", "too_long"),
        ({"vehicles": [vehicle(), vehicle()]}, "/vehicles", "vin_twice"),
        ({"vehicles": {"0": vehicle()}}, "/vehicles", "tuple_type"),
        (cars(vin="LTEST00A1R1000001"), "/vehicles/0/vin", "vin_check_digit"),
        (cars(vin="LTEST00A0R100000"), "/vehicles/0/vin", "vin_form"),
        (cars(odometer_km=2_000_001), "/vehicles/0/odometer_km", "less_than_equal"),
        (cars(odometer_km=True), "/vehicles/0/odometer_km", "decimal_type"),
        (cars(energy_type="diesel"), "/vehicles/0/energy_type", "enum"),
        (cars(plate="京A12345"), "/vehicles/0/plate", "plate_invalid"),
        (cars(owner_phone="1"), "/vehicles/0/owner_phone", "mobile_invalid"),
        (cars(production_date="2024-02-30"), "/vehicles/0/production_date", "date_parsing"),
        (cars(production_date="2099-01-01"), "/vehicles", "vehicle_after_accident"),
        (
            cars(production_date="2024-02-02", sale_date="2024-02-01"),
            "/vehicles/0/sale_date",
            "sale_before_production",
        ),
        (cars(battery=battery(capacity_kwh=0)), "/vehicles/0/battery/capacity_kwh", "greater_than"),
        (
            cars(battery=battery(battery_code="x")),
            "/vehicles/0/battery/battery_code",
            "string_pattern_mismatch",
        ),
        (cars(battery=battery(cell_maker="")), "/vehicles/0/battery/cell_maker", "string_too_short"),
        ({"fire_locations": ["roof"]}, "/fire_locations/0", "enum"),
        ({"narrative": "短"}, "/narrative", "string_too_short"),
        ({"narrative": "长" * 5001}, "/narrative", "string_too_long"),
        ({"narrative": "看不见的\u202e字符" * 5}, "/narrative", "text_control_characters"),
        ({"narrative": "响铃\x07字符" * 5}, "/narrative", "text_control_characters"),
        ({"deaths": -1}, "/deaths", "greater_than_equal"),
        ({"deaths": "0"}, "/deaths", "int_type"),
        ({"deaths": 0.5}, "/deaths", "int_type"),
        ({"deaths": 10**30}, "/deaths", "less_than_equal"),
        ({"property_loss": 1.005}, "/property_loss", "decimal_max_places"),
        ({"property_loss": -1}, "/property_loss", "greater_than_equal"),
        ({"major_social_impact": "true"}, "/major_social_impact", "bool_type"),
        ({"major_social_impact": True}, "/major_social_impact_note", "major_social_impact_note_missing"),
        ({"preliminary_cause": None}, "/preliminary_cause", "missing"),
        ({"occurred_at": ago(hours=25), "learned_at": ago(hours=1)}, "/late_reason", "late_reason_missing"),
        (
            {"occurred_at": ago(hours=13), "learned_at": ago(hours=1), "deaths": 1},
            "/late_reason",
            "late_reason_missing",
        ),
        ({"admin": True}, "/admin", "extra_forbidden"),
        ({"a/b~c": 1}, "/a~1b~0c", "extra_forbidden"),
        ({"report_no": "SMDVS-20261123-0001"}, "/report_no", "extra_forbidden"),
    ],
)
def test_a_broken_rule_is_told_at_its_field_alone(changes: dict[str, Any], pointer: str, code: str) -> None:
    assert faults(**changes) == {pointer: code}


def test_faulty_vehicles_are_not_said_to_be_missing_too() -> None:
    assert faults(vehicles=[vehicle(vin="x"), vehicle(vin="y")]) == {
        "/vehicles/0/vin": "vin_form",
        "/vehicles/1/vin": "vin_form",
    }


def test_a_late_report_with_its_reason_is_accepted() -> None:
    late = report_json(occurred_at=ago(days=3), learned_at=ago(hours=1), late_reason="车辆在山区，今日才获知")
    assert isinstance(report_from_json(late, clock.now()), Report)


def test_codes_and_phones_are_brought_to_one_spelling() -> None:
    typed = report_json(
        enterprise_credit_code=" 91990101madem00117 ",
        reporter_phone="+86 199-0000-0001",
        vehicles=[vehicle(vin="ltest00a0r1000001", plate="京ad12345")],
        fire_locations=["cabin", "cabin"],
    )
    report = report_from_json(typed, clock.now())
    assert isinstance(report, Report)
    assert report.enterprise_credit_code == "91990101MADEM00117"
    assert report.reporter_phone == "19900000001"
    assert (report.vehicles[0].vin, report.vehicles[0].plate) == ("LTEST00A0R1000001", "京AD12345")
    assert len(report.fire_locations) == 1


def test_a_mileage_that_nobody_knows_is_null_but_not_left_out() -> None:
    assert isinstance(report_from_json(report_json(**cars(odometer_km=None)), clock.now()), Report)
    without = {name: value for name, value in vehicle().items() if name != "odometer_km"}
    assert faults(vehicles=[without]) == {"/vehicles/0/odometer_km": "missing"}


def test_forms_may_write_numbers_as_text() -> None:
    assert isinstance(report_from_form(report_json(deaths="0", property_loss="1.5"), clock.now()), Report)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"[]", "not_an_object"),
        (b'"x"', "not_an_object"),
        (b"null", "not_an_object"),
        (b"\xff{}", "not_utf8"),
        (b"\xef\xbb\xbf{}", "not_json"),
        ('{"a":"é"}'.encode("latin-1"), "not_utf8"),
        (b'{"a":"\x00"}', "nul_byte"),
        (b'{"a":"\\u0000"}', "nul_byte"),
        (b'{"a":"\\ud800"}', "not_utf8"),
        (b'{"\\udfff":1}', "not_utf8"),
        (b'{"a":1,"a":1}', "duplicate_member"),
        (b'{"a":{"b":1,"b":2}}', "duplicate_member"),
        (b'{"a":[{"b":1,"\\u0062":2}]}', "duplicate_member"),
        (b'{"a":NaN}', "not_json"),
        (b'{"a":-Infinity}', "not_json"),
        (b'{"a":' + b"9" * 5000 + b"}", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"a":' * 50_000, "not_json"),
    ],
)
def test_a_body_that_is_no_clean_json_object_is_told_apart(body: bytes, code: str) -> None:
    with pytest.raises(NotJson) as caught:
        parse_json(body)
    assert caught.value.code == code


def test_a_number_too_big_to_be_one_is_a_fault_not_a_crash() -> None:
    assert isinstance(report_from_json(parse_json(b'{"deaths":1e999}'), clock.now()), tuple)


def test_a_flood_of_faults_gets_a_short_answer() -> None:
    assert len(faults(**{f"x{number}": 1 for number in range(1000)})) == MAX_FAULTS


def test_every_fault_has_words() -> None:
    empty = report_from_form({}, clock.now())
    assert isinstance(empty, tuple)
    for fault in empty:
        assert messages.fault_text(fault) == "请填写此项"
        assert messages.field_label(fault)


def test_a_vehicles_fault_says_which_vehicle() -> None:
    assert messages.field_label(Fault(("vehicles", 1, "vin"), "vin_form", {})) == (
        "第 2 辆车 · 车辆识别代号（VIN）"
    )


def test_the_schema_names_every_field_in_chinese() -> None:
    text = json.dumps(Report.model_json_schema())
    names = {
        name for part in Report.model_json_schema()["$defs"].values() for name in part.get("properties", {})
    }
    assert names | set(Report.model_fields) <= set(labels.FIELDS), text

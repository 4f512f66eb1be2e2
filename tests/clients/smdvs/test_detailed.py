"""The whole report: what is required in which kind, what depends on what, and forms that lose nothing."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.rp import clock
from clients.smdvs import documents, forms
from clients.smdvs.deadlines import INITIAL, Due, Measure
from clients.smdvs.detailed import DetailedReport, FinalResult
from clients.smdvs.documents import Fault
from clients.smdvs.lifecycle import Act
from clients.smdvs.messages import fault_text, field_label
from clients.smdvs.parts import Part
from clients.smdvs.report import CHINA_TIME, Report
from clients.smdvs.requirements import MODELS, required_in
from tests.clients.documents import detailed_json, detailed_vehicle, report_json, result_json

NEVER_LATE = Measure(INITIAL.policy, None)
IN_TIME = Measure(INITIAL.policy, Due.DETAILED)

# domain: the report form's columns I and F, written out; what depends on another answer is tested below.
ALWAYS = {
    *("enterprise_credit_code", "reporter_phone", "accident_type", "occurred_at", "learned_at"),
    *("place-province", "place-city", "place-address", "vehicle_state", "narrative"),
    *("deaths", "injured_heavy", "injured_light", "property_loss", "major_social_impact"),
    "preliminary_cause",
    *("vehicles-vin", "vehicles-brand", "vehicles-model", "vehicles-vehicle_class"),
    *("vehicles-energy_type", "vehicles-odometer_km"),
    *("vehicles-battery-cell_maker", "vehicles-battery-pack_maker", "vehicles-battery-battery_type"),
}
IN_DETAIL = ALWAYS | {
    *("site_type", "police_attended", "fire_service_attended", "measures_taken", "same_batch_check"),
    "recall_intention",
    *("vehicles-production_date", "vehicles-vehicle_use", "vehicles-dealer"),
    *("vehicles-national_platform_connected", "vehicles-enterprise_platform_connected"),
    *("vehicles-battery-pack_model", "vehicles-battery-capacity_kwh", "vehicles-battery-battery_code"),
}
AT_THE_END = {"root_cause", "root_cause_note", "responsibility", "corrective_action", "recall_intention"}
REQUIRED = {
    Act.INITIAL: ALWAYS,
    Act.SUPPLEMENT: ALWAYS,
    Act.DETAILED: IN_DETAIL,
    Act.FINAL: AT_THE_END,
}
RIGHT = {
    Act.INITIAL: report_json,
    Act.SUPPLEMENT: report_json,
    Act.DETAILED: detailed_json,
    Act.FINAL: result_json,
}


def checked(act: Act, document: dict[str, Any]) -> Part | tuple[Fault, ...]:
    return documents.part_from_json(MODELS[act], document, clock.now(), NEVER_LATE)


def from_form(act: Act, fields: forms.Fields) -> Part | tuple[Fault, ...]:
    return documents.part_from_form(act, forms.document(fields, act), clock.now(), NEVER_LATE)


def places(outcome: object) -> dict[str, str]:
    """Fault codes by the names of their fields."""
    assert isinstance(outcome, tuple), outcome
    return {fault.name: fault.code for fault in outcome}


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The document without that member; vehicles by their first."""
    spoiled = copy.deepcopy(document)
    part: Any = spoiled
    *way, last = name.split("-")
    for step in way:
        part = part[step][0] if step == "vehicles" else part[step]
    del part[last]
    return spoiled


def numbered(name: str) -> str:
    return name.replace("vehicles-", "vehicles-0-", 1)


@pytest.mark.parametrize("act", list(REQUIRED))
def test_what_must_be_filled_in_is_what_the_domain_says(act: Act) -> None:
    assert required_in(act) == REQUIRED[act]


@pytest.mark.parametrize("act", list(REQUIRED))
def test_what_is_right_is_accepted_in_both_spellings(act: Act) -> None:
    document = RIGHT[act]()
    assert isinstance(checked(act, document), MODELS[act])
    assert isinstance(from_form(act, forms.fields_of(document)), MODELS[act])


@pytest.mark.parametrize(
    ("act", "name"), [(act, name) for act, names in REQUIRED.items() for name in sorted(names)]
)
def test_a_missing_field_is_told_at_its_place_in_json_and_form(act: Act, name: str) -> None:
    spoiled = without(RIGHT[act](), name)
    assert places(checked(act, spoiled))[numbered(name)] == "missing"
    outcome = from_form(act, forms.fields_of(spoiled))
    assert places(outcome)[numbered(name)] == "missing"
    assert isinstance(outcome, tuple)
    fault = next(fault for fault in outcome if fault.name == numbered(name))
    assert fault_text(fault) == "请填写此项"
    assert field_label(fault)


def moment(**ago: float) -> str:
    return (clock.now() - timedelta(**ago)).astimezone(CHINA_TIME).isoformat(timespec="seconds")


@pytest.mark.parametrize(
    ("changes", "place", "code"),
    [
        ({"narrative": "车辆充电时底部冒烟，随后起火。"}, "narrative", "string_too_short"),
        ({"charging": None}, "charging", "charging_missing"),
        ({"case_no": None}, "case_no", "case_no_missing"),
        ({"extinguished_at": None}, "extinguished_at", "extinguished_at_missing"),
        ({"fire_locations": []}, "fire_locations", "fire_locations_missing"),
        ({"accident_type": "smoke", "fire_locations": []}, "fire_locations", "fire_locations_missing"),
    ],
)
def test_what_an_answer_asks_for_is_told_at_its_place(changes: dict[str, Any], place: str, code: str) -> None:
    assert places(checked(Act.DETAILED, detailed_json(**changes))) == {place: code}


@pytest.mark.parametrize(
    "changes",
    [
        {"vehicle_state": "parked", "charging": None},
        {"police_attended": False, "case_no": None},
        {"accident_type": "smoke", "extinguished_at": None},
        {"accident_type": "collision", "extinguished_at": None, "fire_locations": []},
    ],
)
def test_what_no_answer_asks_for_may_be_left_out(changes: dict[str, Any]) -> None:
    assert isinstance(checked(Act.DETAILED, detailed_json(**changes)), DetailedReport)


@pytest.mark.parametrize("name", ["sale_date", "plate", "owner_name", "owner_phone"])
def test_a_registered_car_has_an_owner_and_a_plate_and_another_need_not(name: str) -> None:
    car = detailed_vehicle()
    del car[name]
    place = f"vehicles-0-{name}"
    assert places(checked(Act.DETAILED, detailed_json(vehicles=[car]))) == {place: "registration_missing"}
    free = {**car, "unregistered": True}
    assert isinstance(checked(Act.DETAILED, detailed_json(vehicles=[free])), DetailedReport)


@pytest.mark.parametrize(
    "name", ["soc_percent", "max_cell_temperature_c", "insulation_kohm", "recent_alarms"]
)
def test_battery_data_are_given_or_their_lack_is_explained(name: str) -> None:
    car = detailed_vehicle()
    del car[name]
    place = "vehicles-0-battery_data_missing_reason"
    assert places(checked(Act.DETAILED, detailed_json(vehicles=[car]))) == {place: "battery_data_missing"}
    explained = {**car, "battery_data_missing_reason": "电池包烧毁，数据无法读取"}
    assert isinstance(checked(Act.DETAILED, detailed_json(vehicles=[explained])), DetailedReport)


def test_a_connected_car_tells_when_its_last_data_came() -> None:
    car = detailed_vehicle(last_data_at=None)
    found = places(checked(Act.DETAILED, detailed_json(vehicles=[car])))
    assert found == {"vehicles-0-last_data_at": "last_data_missing"}
    alone = {**car, "national_platform_connected": False, "enterprise_platform_connected": False}
    assert isinstance(checked(Act.DETAILED, detailed_json(vehicles=[alone])), DetailedReport)


@pytest.mark.parametrize(
    ("changes", "place", "code"),
    [
        ({"extinguished_at": moment(days=1)}, "extinguished_at", "extinguished_before_occurred"),
        ({"extinguished_at": moment(hours=-1)}, "extinguished_at", "extinguished_in_future"),
        ({"police_attended": "true"}, "police_attended", "bool_type"),
        ({"recall_intention": "perhaps"}, "recall_intention", "enum"),
        ({"measures_taken": "措" * 501}, "measures_taken", "string_too_long"),
    ],
)
def test_a_wrong_answer_is_told_at_its_place(changes: dict[str, Any], place: str, code: str) -> None:
    assert places(checked(Act.INITIAL, report_json(**changes))) == {place: code}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("soc_percent", -0.1, "greater_than_equal"),
        ("soc_percent", 100.1, "less_than_equal"),
        ("max_cell_temperature_c", -60.1, "greater_than_equal"),
        ("max_cell_temperature_c", 1500.1, "less_than_equal"),
        ("insulation_kohm", -1, "greater_than_equal"),
        pytest.param("last_data_at", moment(hours=-1), "last_data_in_future", id="last_data_at"),
    ],
)
def test_a_measurement_out_of_its_range_is_told_at_its_place(name: str, value: object, code: str) -> None:
    car = {**report_json()["vehicles"][0], name: value}
    assert places(checked(Act.INITIAL, report_json(vehicles=[car]))) == {f"vehicles-0-{name}": code}


@pytest.mark.parametrize(
    ("changes", "place", "code"),
    [
        ({"ended_at": moment(hours=9)}, "charging-ended_at", "charging_ended_before_started"),
        (
            {"started_at": moment(hours=1), "ended_at": None},
            "charging",
            "charging_started_after_accident",
        ),
        ({"power_kw": -1}, "charging-power_kw", "greater_than_equal"),
        ({"charging_mode": "both"}, "charging-charging_mode", "enum"),
    ],
)
def test_charging_goes_before_the_accident_and_forward(
    changes: dict[str, Any], place: str, code: str
) -> None:
    charging = {**detailed_json()["charging"], **changes}
    assert places(checked(Act.DETAILED, detailed_json(charging=charging))) == {place: code}


def test_a_detailed_report_that_is_late_says_why() -> None:
    ago = {"occurred_at": moment(days=6), "learned_at": moment(days=6), "late_reason": None}
    charging = {**detailed_json()["charging"], "started_at": moment(days=6, hours=1), "ended_at": None}
    late = detailed_json(**ago, charging=charging, extinguished_at=moment(days=5))
    outcome = documents.part_from_json(DetailedReport, late, clock.now(), IN_TIME)
    assert places(outcome) == {"late_reason": "late_reason_missing"}
    explained = {**late, "late_reason": "事故鉴定尚未完成"}
    assert isinstance(
        documents.part_from_json(DetailedReport, explained, clock.now(), IN_TIME), DetailedReport
    )


def test_no_alarms_is_an_answer_of_its_own() -> None:
    fields = forms.fields_of(detailed_json(vehicles=[detailed_vehicle(recent_alarms=[])]))
    assert fields["vehicles-0-recent_alarms"] == "无"
    outcome = from_form(Act.DETAILED, fields)
    assert isinstance(outcome, DetailedReport)
    assert outcome.vehicles[0].recent_alarms == ()


WORDS = (
    st.text("示例事故处理abc 123，。\n", min_size=10, max_size=80).map(str.strip).filter(lambda s: len(s) > 9)
)
AGO = st.integers(0, 100_000_000).map(lambda micro: timedelta(microseconds=micro))


@given(
    words=WORDS,
    ago=AGO,
    odometer=st.none() | st.decimals(0, 2_000_000, places=1).map(float),
    alarms=st.none() | st.lists(st.sampled_from(["过热报警", "绝缘报警", "压差报警"]), max_size=3),
    flags=st.lists(st.none() | st.booleans(), min_size=5, max_size=5),
    soc=st.none() | st.decimals(0, 100, places=1).map(float),
    cars=st.integers(1, 3),
    coordinates=st.none() | st.tuples(st.decimals(4, 53, places=7), st.decimals(74, 135, places=7)),
)
def test_a_report_goes_through_its_form_unchanged(
    words: str,
    ago: timedelta,
    odometer: float | None,
    alarms: list[str] | None,
    flags: list[bool | None],
    soc: float | None,
    cars: int,
    coordinates: Any,
) -> None:
    """Prefilling a supplement or a draft with what is stored must not change what is stored."""
    now = clock.now()
    occurred = (now - timedelta(hours=1) - ago).astimezone(CHINA_TIME)
    vins = ("LTEST00A0R1000001", "LTEST00B4S1000002", "LTEST00C3T1000003")
    car = {
        **report_json()["vehicles"][0],
        "odometer_km": odometer,
        "recent_alarms": alarms,
        "soc_percent": soc,
        "unregistered": flags[0],
        "national_platform_connected": flags[1],
    }
    place = report_json()["place"]
    if coordinates is not None:
        place |= {"latitude": float(coordinates[0]), "longitude": float(coordinates[1])}
    document = report_json(
        narrative=words,
        occurred_at=occurred.isoformat(),
        learned_at=occurred.isoformat(),
        place=place,
        vehicles=[{**car, "vin": vin} for vin in vins[:cars]],
        police_attended=flags[2],
        fire_service_attended=flags[3],
    )
    report = checked(Act.INITIAL, document)
    assert isinstance(report, Report)
    again = from_form(Act.INITIAL, forms.fields_of(report.model_dump(mode="json")))
    assert again == report


@pytest.mark.parametrize(("act", "kind"), [(Act.DETAILED, DetailedReport), (Act.FINAL, FinalResult)])
def test_what_is_stored_of_a_later_act_goes_through_its_form_unchanged(act: Act, kind: type[Part]) -> None:
    made = checked(act, RIGHT[act]())
    assert isinstance(made, kind)
    assert from_form(act, forms.fields_of(made.model_dump(mode="json"))) == made

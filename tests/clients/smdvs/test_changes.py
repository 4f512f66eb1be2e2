"""What a version says differently, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from clients.smdvs.changes import Change, changes

CAR: dict[str, Any] = {
    "vin": "LTEST00A0R1000001",
    "brand": "示例",
    "battery": {"battery_type": "lfp"},
    "owner_name": "李示例",
}
OTHER: dict[str, Any] = {
    "vin": "LTEST00B4S1000002",
    "brand": "样板",
    "battery": {"battery_type": "ncm"},
    "owner_name": None,
}
BEFORE: dict[str, Any] = {
    "deaths": 0,
    "place": {"city": "示例区", "county": None},
    "vehicles": [CAR],
    "fire_locations": ["battery_pack"],
    "reporter_phone": "19900000001",
    "attachments": [],
}


def after(**members: Any) -> dict[str, Any]:
    return {**BEFORE, **members}


@pytest.mark.parametrize(
    ("newer", "found"),
    [
        (BEFORE, []),
        (after(deaths=1), [Change(("deaths",), 0, 1)]),
        (after(deaths=0.0), []),
        (after(cause="battery"), [Change(("cause",), None, "battery")]),
        (after(note="", list=[]), []),
        (
            after(place={"city": "示例市", "county": "示例县"}),
            [Change(("place", "city"), "示例区", "示例市"), Change(("place", "county"), None, "示例县")],
        ),
        (
            after(fire_locations=["battery_pack", "front"]),
            [Change(("fire_locations",), ["battery_pack"], ["battery_pack", "front"])],
        ),
        (
            after(vehicles=[{**CAR, "battery": {"battery_type": "ncm"}}]),
            [Change(("vehicles", 0, "battery", "battery_type"), "lfp", "ncm", CAR["vin"])],
        ),
        # A vehicle put before another leaves the other what it was.
        (after(vehicles=[OTHER, CAR]), [Change(("vehicles",), None, OTHER, OTHER["vin"])]),
        (after(vehicles=[]), [Change(("vehicles",), CAR, None, CAR["vin"])]),
        (
            after(attachments=[{"id": "a", "filename": "现场.jpg"}]),
            [Change(("attachments",), None, {"id": "a", "filename": "现场.jpg"}, "a")],
        ),
    ],
)
def test_each_difference_is_one_change_with_both_values(newer: dict[str, Any], found: list[Change]) -> None:
    assert list(changes(BEFORE, newer)) == found


def test_a_member_that_is_gone_is_a_change_too() -> None:
    newer = {name: value for name, value in BEFORE.items() if name != "deaths"}
    assert changes(BEFORE, newer) == (Change(("deaths",), 0, None),)


def test_what_is_about_people_says_so() -> None:
    found = changes(
        BEFORE, after(reporter_phone="19900000009", vehicles=[{**CAR, "owner_name": "王示例"}], deaths=2)
    )
    assert {change.name: change.is_personal for change in found} == {
        "reporter_phone": True,
        "owner_name": True,
        "deaths": False,
    }

"""Forms as browsers send them: read strictly, turned into the document that Report checks,
and back into fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from clients.smdvs.report import MAX_VEHICLES

Fields = dict[str, str]

MAX_FIELDS = 800
REPEATED = "fire_locations"
VEHICLE = re.compile(r"vehicles-([0-9]{1,2})-([a-z_-]+)")
LOCAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?")

TEXTS = (
    *("enterprise_credit_code", "reporter_phone", "accident_type", "accident_type_note", "site_type"),
    *("vehicle_state", "narrative", "deaths", "injured_heavy", "injured_light", "property_loss"),
    *("major_social_impact", "major_social_impact_note", "preliminary_cause", "preliminary_cause_note"),
    "late_reason",
)
TIMES = ("occurred_at", "learned_at")
PLACE = ("province", "city", "county", "address", "latitude", "longitude")
VEHICLE_TEXTS = (
    *("vin", "brand", "model", "vehicle_class", "energy_type", "odometer_km", "production_date", "sale_date"),
    *("plate", "vehicle_use", "dealer", "owner_name", "owner_phone"),
)
BATTERY = ("cell_maker", "pack_maker", "battery_type", "pack_model", "capacity_kwh", "battery_code")


class BadFormError(ValueError):
    """The body isn't a form we take; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse(content_type: str | None, body: bytes) -> Fields:
    """Field -> text, strictly UTF-8, no NUL, no field twice; the one repeated field is joined by spaces.

    Raises BadFormError.
    """
    if (content_type or "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise BadFormError("not_a_form")
    if b"%00" in body or b"\0" in body:
        raise BadFormError("nul_byte")
    return single(_pairs(body))


def document(fields: Fields) -> dict[str, Any]:
    """The report that these fields describe; blank fields are left out, so that they are
    missing, not wrong.
    """
    filled = {name: text for name, text in fields.items() if text.strip()}
    report: dict[str, Any] = {name: filled[name] for name in TEXTS if name in filled}
    report |= {name: _with_offset(filled[name]) for name in TIMES if name in filled}
    report["place"] = _part(filled, "place-", PLACE)
    report["vehicles"] = [_vehicle(filled, f"vehicles-{index}-") for index in range(vehicle_count(fields))]
    report[REPEATED] = filled.get(REPEATED, "").split()
    return report


def vehicle_count(fields: Fields) -> int:
    """How many vehicles the form has, at least one."""
    indexes = (int(match[1]) for match in map(VEHICLE.fullmatch, fields) if match)
    return min(MAX_VEHICLES, max(indexes, default=0) + 1)


def with_vehicle(fields: Fields) -> Fields:
    """The form with one more, empty vehicle."""
    return {**fields, f"vehicles-{min(vehicle_count(fields), MAX_VEHICLES - 1)}-vin": ""}


def without_vehicle(fields: Fields, removed: int) -> Fields:
    """The form without that vehicle; those behind it move up."""
    return {name: text for old, text in fields.items() if (name := _moved_up(old, removed)) is not None}


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode("utf-8")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except UnicodeDecodeError:
        raise BadFormError("not_utf8") from None
    except ValueError:
        raise BadFormError("too_many_fields") from None


def single(pairs: Iterable[tuple[str, str]]) -> Fields:
    """The fields of a form; raises BadFormError when one is there twice."""
    fields: Fields = {}
    for name, text in pairs:
        if name == REPEATED and name in fields:
            fields[name] += f" {text}"
        elif name in fields:
            raise BadFormError("duplicate_field")
        else:
            fields[name] = text.replace("\r\n", "\n")
    return fields


def _vehicle(filled: Fields, prefix: str) -> dict[str, Any]:
    vehicle: dict[str, Any] = _part(filled, prefix, VEHICLE_TEXTS)
    if "odometer_km" not in vehicle and prefix + "odometer_unknown" in filled:
        vehicle["odometer_km"] = None
    vehicle["battery"] = _part(filled, f"{prefix}battery-", BATTERY)
    return vehicle


def _part(filled: Fields, prefix: str, names: tuple[str, ...]) -> dict[str, str]:
    return {name: filled[prefix + name] for name in names if prefix + name in filled}


def _with_offset(text: str) -> str:
    """A form's local time is China's."""
    return f"{text.strip()}+08:00" if LOCAL_TIME.fullmatch(text.strip()) else text


def _moved_up(name: str, removed: int) -> str | None:
    match = VEHICLE.fullmatch(name)
    if match is None or int(match[1]) < removed:
        return name
    return None if int(match[1]) == removed else f"vehicles-{int(match[1]) - 1}-{match[2]}"

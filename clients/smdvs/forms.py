"""Forms as browsers send them: read strictly, turned into the document that Report checks,
and back into fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from clients.smdvs.lifecycle import Act
from clients.smdvs.report import CHINA_TIME, MAX_VEHICLES

Fields = dict[str, str]

MAX_FIELDS = 1200
REPEATED = "fire_locations"
ALARMS = "recent_alarms"
NO_ALARMS = "无"
VEHICLE = re.compile(r"vehicles-([0-9]{1,2})-([a-z_-]+)")
LOCAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?")

TEXTS = (
    *("enterprise_credit_code", "reporter_phone", "accident_type", "accident_type_note", "site_type"),
    *("vehicle_state", "narrative", "deaths", "injured_heavy", "injured_light", "property_loss"),
    *("major_social_impact", "major_social_impact_note", "preliminary_cause", "preliminary_cause_note"),
    *("police_attended", "fire_service_attended", "case_no", "measures_taken", "same_batch_check"),
    *("recall_intention", "late_reason"),
)
TIMES = ("occurred_at", "learned_at", "extinguished_at")
PLACE = ("province", "city", "county", "address", "latitude", "longitude")
CHARGING = ("charging_operator", "charging_mode", "power_kw")
CHARGING_TIMES = ("started_at", "ended_at")
VEHICLE_TEXTS = (
    *("vin", "brand", "model", "vehicle_class", "energy_type", "odometer_km", "unregistered"),
    *("production_date", "sale_date", "plate", "vehicle_use", "dealer", "owner_name", "owner_phone"),
    *("soc_percent", "max_cell_temperature_c", "insulation_kohm", "battery_data_missing_reason"),
    *("national_platform_connected", "enterprise_platform_connected"),
)
VEHICLE_TIMES = ("last_data_at",)
BATTERY = ("cell_maker", "pack_maker", "battery_type", "pack_model", "capacity_kwh", "battery_code")
RESULT = (
    *("root_cause", "root_cause_note", "responsibility", "responsibility_note", "corrective_action"),
    "recall_intention",
)


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


def document(fields: Fields, act: Act = Act.INITIAL) -> dict[str, Any]:
    """The document that these fields describe; blank fields are left out, so that they are
    missing, not wrong.
    """
    filled = {name: text for name, text in fields.items() if text.strip()}
    if act is Act.FINAL:
        return _part(filled, "", RESULT)
    report: dict[str, Any] = _part(filled, "", TEXTS) | _times(filled, "", TIMES)
    report["place"] = _part(filled, "place-", PLACE)
    report["vehicles"] = [_vehicle(filled, f"vehicles-{index}-") for index in range(vehicle_count(fields))]
    report[REPEATED] = filled.get(REPEATED, "").split()
    charging = _part(filled, "charging-", CHARGING) | _times(filled, "charging-", CHARGING_TIMES)
    return report | {"charging": charging} if charging else report


def fields_of(document: Mapping[str, Any]) -> Fields:
    """The form that describes this document: ``document`` makes the same of it again."""
    return dict(_flat(document, ""))


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
    vehicle: dict[str, Any] = _part(filled, prefix, VEHICLE_TEXTS) | _times(filled, prefix, VEHICLE_TIMES)
    if "odometer_km" not in vehicle and prefix + "odometer_unknown" in filled:
        vehicle["odometer_km"] = None
    if prefix + ALARMS in filled:
        vehicle[ALARMS] = _alarms(filled[prefix + ALARMS])
    vehicle["battery"] = _part(filled, f"{prefix}battery-", BATTERY)
    return vehicle


def _alarms(text: str) -> list[str]:
    """One alarm a line; the word for none is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [] if lines == [NO_ALARMS] else lines


def _part(filled: Fields, prefix: str, names: tuple[str, ...]) -> dict[str, str]:
    return {name: filled[prefix + name] for name in names if prefix + name in filled}


def _times(filled: Fields, prefix: str, names: tuple[str, ...]) -> dict[str, str]:
    return {name: _with_offset(text) for name, text in _part(filled, prefix, names).items()}


def _with_offset(text: str) -> str:
    """A form's local time is China's."""
    return f"{text.strip()}+08:00" if LOCAL_TIME.fullmatch(text.strip()) else text


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    own = name.rsplit("-", 1)[-1]
    if own in _WRITTEN:
        yield from _WRITTEN[own](name, value)
    elif isinstance(value, Mapping):
        for member, inner in value.items():
            yield from _flat(inner, f"{name}-{member}" if name else member)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{name}-{index}")
    elif value is not None:
        yield name, _written(own, value)


def _odometer(name: str, value: Any) -> Iterator[tuple[str, str]]:
    unknown = name.replace("odometer_km", "odometer_unknown")
    yield (unknown, "true") if value is None else (name, str(value))


def _alarm_lines(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is not None:
        yield name, "\n".join(value) or NO_ALARMS


def _codes(name: str, value: Any) -> Iterator[tuple[str, str]]:
    yield name, " ".join(value)


# What a form writes in a way of its own.
_WRITTEN: Mapping[str, Callable[[str, Any], Iterator[tuple[str, str]]]] = {
    "odometer_km": _odometer,
    ALARMS: _alarm_lines,
    REPEATED: _codes,
    "attachments": lambda _name, _value: iter(()),
}


def _written(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if name.endswith("_at"):
        return _local(str(value))
    return str(value)


def _local(moment: str) -> str:
    """A time as the form shows it: China's, seconds only where there are any."""
    local = datetime.fromisoformat(moment).astimezone(CHINA_TIME).replace(tzinfo=None)
    text = local.isoformat()
    return text.removesuffix(":00") if not (local.second or local.microsecond) else text


def _moved_up(name: str, removed: int) -> str | None:
    match = VEHICLE.fullmatch(name)
    if match is None or int(match[1]) < removed:
        return name
    return None if int(match[1]) == removed else f"vehicles-{int(match[1]) - 1}-{match[2]}"

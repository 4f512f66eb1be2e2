"""The initial report 快报: one declaration that checks the browser form and the JSON API and describes both.

Validate it with ``context={"now": datetime, "measure": Measure}``: some rules are about what has already
happened, and who is late says why.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from clients.smdvs import deadline_policies
from clients.smdvs.deadlines import INITIAL, Deadlines, Measure
from clients.smdvs.fields import (
    Address,
    BatteryCode,
    Capacity,
    Latitude,
    Line,
    Longitude,
    Mobile,
    Money,
    Narrative,
    Note,
    Odometer,
    People,
    Plate,
    Uscc,
    Vin,
    fault,
)
from clients.smdvs.vocabulary import (
    AccidentType,
    BatteryType,
    Cause,
    EnergyType,
    FireLocation,
    Province,
    SiteType,
    VehicleClass,
    VehicleState,
    VehicleUse,
)

CHINA_TIME = deadline_policies.CHINA_TIME
MAX_VEHICLES = 20
CLOCK_SKEW = timedelta(minutes=5)
OLDEST = timedelta(days=3650)
# What a deadline depends on.
MEASURED = frozenset({"occurred_at", "deaths", "injured_heavy", "injured_light", "major_social_impact"})


class Part(BaseModel):
    """What all parts of a report share: unknown members are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)


class Place(Part):
    """事故地点."""

    province: Province
    city: Line
    county: Line | None = None
    address: Address
    latitude: Latitude | None = None
    longitude: Longitude | None = None

    @field_validator("longitude")
    @classmethod
    def _both_coordinates(cls, value: Any, info: ValidationInfo) -> Any:
        if "latitude" in info.data and (value is None) != (info.data["latitude"] is None):
            raise fault("coordinates_incomplete")
        return value


class Battery(Part):
    """动力电池."""

    cell_maker: Line
    pack_maker: Line
    battery_type: BatteryType
    pack_model: Line | None = None
    capacity_kwh: Capacity | None = None
    battery_code: BatteryCode | None = None


class Vehicle(Part):
    """事故车辆. ``odometer_km`` is null when nobody knows it yet."""

    vin: Vin
    brand: Line
    model: Line
    vehicle_class: VehicleClass
    energy_type: EnergyType
    odometer_km: Odometer | None
    battery: Battery
    production_date: date | None = None
    sale_date: date | None = None
    plate: Plate | None = None
    vehicle_use: VehicleUse | None = None
    dealer: Line | None = None
    owner_name: Line | None = None
    owner_phone: Mobile | None = None

    @field_validator("sale_date")
    @classmethod
    def _made_before_sold(cls, value: date | None, info: ValidationInfo) -> date | None:
        made = info.data.get("production_date")
        if value is not None and made is not None and made > value:
            raise fault("sale_before_production")
        return value


class Report(Part):
    """新能源汽车事故快报. Times carry their offset; amounts are in yuan."""

    enterprise_credit_code: Uscc
    reporter_phone: Mobile
    accident_type: AccidentType
    accident_type_note: Note | None = None
    occurred_at: AwareDatetime
    learned_at: AwareDatetime
    place: Place
    site_type: SiteType | None = None
    vehicle_state: VehicleState
    vehicles: Annotated[tuple[Vehicle, ...], Field(min_length=1, max_length=MAX_VEHICLES)]
    fire_locations: Annotated[tuple[FireLocation, ...], Field(max_length=len(FireLocation))] = ()
    narrative: Narrative
    deaths: People
    injured_heavy: People
    injured_light: People
    property_loss: Money
    major_social_impact: bool
    major_social_impact_note: Note | None = None
    preliminary_cause: Cause
    preliminary_cause_note: Note | None = None
    late_reason: Note | None = None

    def deadlines(self, policy: str) -> Deadlines:
        """When reports on this accident are due, by a policy's name or ``name@version``."""
        injured = self.injured_heavy + self.injured_light
        return Measure(policy).deadlines(self.occurred_at, self.deaths, injured, self.major_social_impact)

    @field_validator("accident_type_note")
    @classmethod
    def _other_needs_words(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("accident_type") is AccidentType.OTHER:
            raise fault("accident_type_note_missing")
        return value

    @field_validator("occurred_at")
    @classmethod
    def _in_the_past(cls, value: datetime, info: ValidationInfo) -> datetime:
        now = _now(info)
        if value > now + CLOCK_SKEW:
            raise fault("occurred_in_future")
        if value < now - OLDEST:
            raise fault("occurred_too_long_ago")
        return value

    @field_validator("learned_at")
    @classmethod
    def _after_the_accident(cls, value: datetime, info: ValidationInfo) -> datetime:
        if value > _now(info) + CLOCK_SKEW:
            raise fault("learned_in_future")
        if "occurred_at" in info.data and value < info.data["occurred_at"]:
            raise fault("learned_before_occurred")
        return value

    @field_validator("vehicles")
    @classmethod
    def _each_once(cls, value: tuple[Vehicle, ...], info: ValidationInfo) -> tuple[Vehicle, ...]:
        if len({vehicle.vin for vehicle in value}) != len(value):
            raise fault("vin_twice")
        occurred_at = info.data.get("occurred_at")
        if occurred_at is not None and any(_newer(vehicle, occurred_at) for vehicle in value):
            raise fault("vehicle_after_accident")
        return value

    @field_validator("fire_locations")
    @classmethod
    def _no_repetition(cls, value: tuple[FireLocation, ...]) -> tuple[FireLocation, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("major_social_impact_note")
    @classmethod
    def _impact_needs_words(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("major_social_impact"):
            raise fault("major_social_impact_note_missing")
        return value

    @field_validator("late_reason")
    @classmethod
    def _late_needs_a_reason(cls, value: str | None, info: ValidationInfo) -> str | None:
        known, measure = info.data, _measure(info)
        if value is not None or measure.due is None or not known.keys() >= MEASURED:
            return value
        injured = known["injured_heavy"] + known["injured_light"]
        due = measure.deadlines(known["occurred_at"], known["deaths"], injured, known["major_social_impact"])
        if due.missed_at(_now(info), measure.due):
            raise fault("late_reason_missing")
        return value


def _now(info: ValidationInfo) -> datetime:
    now: datetime = (info.context or {})["now"]
    return now


def _measure(info: ValidationInfo) -> Measure:
    measure: Measure = (info.context or {}).get("measure", INITIAL)
    return measure


def _newer(vehicle: Vehicle, occurred_at: datetime) -> bool:
    day = occurred_at.astimezone(CHINA_TIME).date()
    return any(known is not None and known > day for known in (vehicle.production_date, vehicle.sale_date))

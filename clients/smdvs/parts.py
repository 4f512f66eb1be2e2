"""The parts of a report 事故上报: place, vehicles with their batteries, charging."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from clients.smdvs.deadline_policies import CHINA_TIME
from clients.smdvs.fields import (
    Address,
    BatteryCode,
    Capacity,
    Celsius,
    Kiloohm,
    Kilowatt,
    Latitude,
    Line,
    Longitude,
    Mobile,
    Note,
    Odometer,
    Percent,
    Plate,
    Vin,
    fault,
)
from clients.smdvs.vocabulary import (
    BatteryType,
    ChargingMode,
    EnergyType,
    Province,
    VehicleClass,
    VehicleUse,
)

CLOCK_SKEW = timedelta(minutes=5)
MAX_ALARMS = 50


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
    """事故车辆. ``odometer_km`` is null when nobody knows it yet; ``recent_alarms`` is empty when there were
    none in the 72 hours before, null when nobody has looked.
    """

    vin: Vin
    brand: Line
    model: Line
    vehicle_class: VehicleClass
    energy_type: EnergyType
    odometer_km: Odometer | None
    battery: Battery
    unregistered: bool | None = None
    production_date: date | None = None
    sale_date: date | None = None
    plate: Plate | None = None
    vehicle_use: VehicleUse | None = None
    dealer: Line | None = None
    owner_name: Line | None = None
    owner_phone: Mobile | None = None
    soc_percent: Percent | None = None
    max_cell_temperature_c: Celsius | None = None
    insulation_kohm: Kiloohm | None = None
    recent_alarms: Annotated[tuple[Line, ...], Field(max_length=MAX_ALARMS)] | None = None
    battery_data_missing_reason: Note | None = None
    national_platform_connected: bool | None = None
    enterprise_platform_connected: bool | None = None
    last_data_at: AwareDatetime | None = None

    @field_validator("last_data_at")
    @classmethod
    def _data_in_the_past(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        if value is not None and value > now_of(info) + CLOCK_SKEW:
            raise fault("last_data_in_future")
        return value

    @field_validator("sale_date")
    @classmethod
    def _made_before_sold(cls, value: date | None, info: ValidationInfo) -> date | None:
        made = info.data.get("production_date")
        if value is not None and made is not None and made > value:
            raise fault("sale_before_production")
        return value


class Charging(Part):
    """充电情况, of a vehicle that was being charged."""

    charging_operator: Line
    charging_mode: ChargingMode
    power_kw: Kilowatt
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None

    @field_validator("ended_at")
    @classmethod
    def _after_its_start(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        if value is not None and "started_at" in info.data and value < info.data["started_at"]:
            raise fault("charging_ended_before_started")
        return value


def now_of(info: ValidationInfo) -> datetime:
    """The moment that the document is checked at."""
    now: datetime = (info.context or {})["now"]
    return now


def is_newer(vehicle: Vehicle, occurred_at: datetime) -> bool:
    """Whether the vehicle was made or sold after that day of China."""
    day = occurred_at.astimezone(CHINA_TIME).date()
    return any(known is not None and known > day for known in (vehicle.production_date, vehicle.sale_date))

"""What is asked for beyond the initial report: the detailed report 详报 and the result of the investigation.

The detailed report is the same declaration with fewer fields left open; a rule that depends on another answer
is a validator of the field that would have to be filled in.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from clients.smdvs.fields import BatteryCode, Capacity, FullNarrative, Line, Narrative, Note, Odometer, fault
from clients.smdvs.parts import Battery, Charging, Part, Vehicle
from clients.smdvs.report import MAX_VEHICLES, Report
from clients.smdvs.vocabulary import (
    AccidentType,
    FireLocation,
    RecallIntention,
    Responsibility,
    RootCause,
    SiteType,
    VehicleState,
    VehicleUse,
)

# What burns or smokes has a place where it began; what burns is put out at some time.
BURNING = frozenset({AccidentType.FIRE, AccidentType.COLLISION_FIRE})
SMOKING = BURNING | {AccidentType.SMOKE, AccidentType.EXPLOSION}
BATTERY_DATA = ("soc_percent", "max_cell_temperature_c", "insulation_kohm", "recent_alarms")


class DetailedBattery(Battery):
    """动力电池, in full."""

    pack_model: Line
    capacity_kwh: Capacity
    battery_code: BatteryCode


class DetailedVehicle(Vehicle):
    """事故车辆, in full. An ``unregistered`` one has neither plate nor owner; battery data that can't be had
    are explained.
    """

    odometer_km: Odometer
    battery: DetailedBattery
    unregistered: bool = False
    production_date: date
    vehicle_use: VehicleUse
    dealer: Line
    national_platform_connected: bool
    enterprise_platform_connected: bool

    @field_validator("sale_date", "plate", "owner_name", "owner_phone")
    @classmethod
    def _registered_or_not(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None and info.data.get("unregistered") is False:
            raise fault("registration_missing")
        return value

    @field_validator("battery_data_missing_reason")
    @classmethod
    def _data_or_a_reason(cls, value: str | None, info: ValidationInfo) -> str | None:
        missing = any(name in info.data and info.data[name] is None for name in BATTERY_DATA)
        if value is None and missing:
            raise fault("battery_data_missing")
        return value

    @field_validator("last_data_at")
    @classmethod
    def _data_of_a_connected_car(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        connected = ("national_platform_connected", "enterprise_platform_connected")
        if value is None and any(info.data.get(name) for name in connected):
            raise fault("last_data_missing")
        return value


class DetailedReport(Report):
    """新能源汽车事故详报."""

    site_type: SiteType
    vehicles: Annotated[tuple[DetailedVehicle, ...], Field(min_length=1, max_length=MAX_VEHICLES)]
    narrative: FullNarrative
    police_attended: bool
    fire_service_attended: bool
    measures_taken: Note
    same_batch_check: Note
    recall_intention: RecallIntention

    @field_validator("fire_locations")
    @classmethod
    def _where_it_began(
        cls, value: tuple[FireLocation, ...], info: ValidationInfo
    ) -> tuple[FireLocation, ...]:
        if not value and info.data.get("accident_type") in SMOKING:
            raise fault("fire_locations_missing")
        return value

    @field_validator("charging")
    @classmethod
    def _charging_is_told(cls, value: Charging | None, info: ValidationInfo) -> Charging | None:
        if value is None and info.data.get("vehicle_state") is VehicleState.CHARGING:
            raise fault("charging_missing")
        return value

    @field_validator("case_no")
    @classmethod
    def _police_give_a_number(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("police_attended"):
            raise fault("case_no_missing")
        return value

    @field_validator("extinguished_at")
    @classmethod
    def _a_fire_is_put_out(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        if value is None and info.data.get("accident_type") in BURNING:
            raise fault("extinguished_at_missing")
        return value


class FinalResult(Part):
    """调查结果: what the investigation found, without which a report is not closed."""

    root_cause: RootCause
    root_cause_note: FullNarrative
    responsibility: Responsibility
    responsibility_note: Note | None = None
    corrective_action: Narrative
    recall_intention: RecallIntention

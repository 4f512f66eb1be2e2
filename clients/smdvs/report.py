"""What a report says: one declaration that checks the browser form and the JSON API and describes both.

``Report`` is the initial report 快报 and the supplement 续报; detailed.py has what a detailed one 详报 needs.
Validate with ``context={"now": datetime, "measure": Measure}``: some rules are about what has already
happened, and who is late says why.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, Field, ValidationInfo, field_validator

from clients.smdvs import deadline_policies
from clients.smdvs.deadlines import INITIAL, Deadlines, Measure
from clients.smdvs.fields import Line, Mobile, Money, Narrative, Note, People, Uscc, fault
from clients.smdvs.parts import CLOCK_SKEW, Charging, Part, Place, Vehicle, is_newer, now_of
from clients.smdvs.vocabulary import (
    AccidentType,
    Cause,
    FireLocation,
    RecallIntention,
    SiteType,
    VehicleState,
)

__all__ = ["CHINA_TIME", "CLOCK_SKEW", "MAX_VEHICLES", "OLDEST", "Part", "Report", "Vehicle"]

CHINA_TIME = deadline_policies.CHINA_TIME
MAX_VEHICLES = 20
OLDEST = timedelta(days=3650)
# What a deadline depends on.
MEASURED = frozenset({"occurred_at", "deaths", "injured_heavy", "injured_light", "major_social_impact"})


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
    charging: Charging | None = None
    police_attended: bool | None = None
    fire_service_attended: bool | None = None
    case_no: Line | None = None
    extinguished_at: AwareDatetime | None = None
    measures_taken: Note | None = None
    same_batch_check: Note | None = None
    recall_intention: RecallIntention | None = None
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
        now = now_of(info)
        if value > now + CLOCK_SKEW:
            raise fault("occurred_in_future")
        if value < now - OLDEST:
            raise fault("occurred_too_long_ago")
        return value

    @field_validator("learned_at")
    @classmethod
    def _after_the_accident(cls, value: datetime, info: ValidationInfo) -> datetime:
        if value > now_of(info) + CLOCK_SKEW:
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
        if occurred_at is not None and any(is_newer(vehicle, occurred_at) for vehicle in value):
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

    @field_validator("charging")
    @classmethod
    def _charged_before_the_accident(cls, value: Charging | None, info: ValidationInfo) -> Charging | None:
        occurred_at = info.data.get("occurred_at")
        if value is not None and occurred_at is not None and value.started_at > occurred_at:
            raise fault("charging_started_after_accident")
        return value

    @field_validator("extinguished_at")
    @classmethod
    def _put_out_after_the_accident(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        if value is None:
            return None
        if value > now_of(info) + CLOCK_SKEW:
            raise fault("extinguished_in_future")
        if "occurred_at" in info.data and value < info.data["occurred_at"]:
            raise fault("extinguished_before_occurred")
        return value

    @field_validator("late_reason")
    @classmethod
    def _late_needs_a_reason(cls, value: str | None, info: ValidationInfo) -> str | None:
        known, measure = info.data, _measure(info)
        if value is not None or measure.due is None or not known.keys() >= MEASURED:
            return value
        injured = known["injured_heavy"] + known["injured_light"]
        due = measure.deadlines(known["occurred_at"], known["deaths"], injured, known["major_social_impact"])
        if due.missed_at(now_of(info), measure.due):
            raise fault("late_reason_missing")
        return value


def _measure(info: ValidationInfo) -> Measure:
    measure: Measure = (info.context or {}).get("measure", INITIAL)
    return measure

"""What a list of reports can be narrowed by: one declaration for the pages, the export and the API.

The values are read from a query string, so everything is text, and a parameter may stand there several times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from clients.smdvs import messages
from clients.smdvs.documents import Fault
from clients.smdvs.fields import Line, fault
from clients.smdvs.vocabulary import (
    AccidentType,
    BatteryType,
    Cause,
    EnergyType,
    Province,
    Status,
    VehicleClass,
    VehicleState,
)

FIRST_YEAR, LAST_YEAR = 2000, 2100
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Overdue(StrEnum):
    """逾期: the initial report came late; the detailed one came late, or is due by now and hasn't come."""

    INITIAL = "initial"
    DETAILED = "detailed"


def _day(value: Any) -> Any:
    """A day as 2026-11-23 and nothing else: pydantic alone would also take seconds since 1970."""
    if isinstance(value, str) and not _DAY.fullmatch(value.strip()):
        raise fault("date_form")
    return value.strip() if isinstance(value, str) else value


def _of_our_time(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise fault("date_out_of_range")
    return day


def _each_once(codes: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(codes))


Day = Annotated[date, BeforeValidator(_day), AfterValidator(_of_our_time)]


class Filters(BaseModel):
    """Each filter narrows the list further; several values of one filter widen that filter.

    ``q`` is looked for in number, VIN, enterprise and city. The days are of the accident, in China, both
    included. ``severe``: someone died, or the deadline class says so; ``casualties``: someone was hurt.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    q: Line | None = None
    status: Annotated[tuple[Status, ...], AfterValidator(_each_once)] = ()
    accident_type: Annotated[tuple[AccidentType, ...], AfterValidator(_each_once)] = ()
    province: Province | None = None
    vehicle_state: Annotated[tuple[VehicleState, ...], AfterValidator(_each_once)] = ()
    vehicle_class: Annotated[tuple[VehicleClass, ...], AfterValidator(_each_once)] = ()
    cause: Annotated[tuple[Cause, ...], AfterValidator(_each_once)] = ()
    battery_type: Annotated[tuple[BatteryType, ...], AfterValidator(_each_once)] = ()
    energy_type: Annotated[tuple[EnergyType, ...], AfterValidator(_each_once)] = ()
    first_day: Annotated[Day | None, Field(alias="from")] = None
    last_day: Annotated[Day | None, Field(alias="to")] = None
    severe: bool = False
    overdue: Annotated[tuple[Overdue, ...], AfterValidator(_each_once)] = ()
    casualties: bool = False

    @field_validator("last_day")
    @classmethod
    def _not_before_the_first(cls, value: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("first_day")
        if value is not None and first is not None and value < first:
            raise fault("last_day_before_first")
        return value

    @property
    def given(self) -> bool:
        """Whether the list is narrowed at all."""
        return bool(self.parameters())

    def parameters(self) -> list[tuple[str, str]]:
        """Name and value of each filter that is set, as a query string has them."""
        document = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return [(name, text) for name, value in document.items() for text in _texts(value)]

    def query(self, **others: object) -> str:
        """The query string of these filters and other parameters, beginning with ``?`` if there is any."""
        query = urlencode([*self.parameters(), *((name, str(value)) for name, value in others.items())])
        return f"?{query}" if query else ""

    def changed(self, **changes: Any) -> Filters:
        """These filters with some set anew, by their names in a query string."""
        return type(self).model_validate({**self.model_dump(by_alias=True), **changes})


SEVERAL = frozenset(
    field.alias or name for name, field in Filters.model_fields.items() if field.get_default() == ()
)
# What the form shows at once.
PLAIN = frozenset({"q", "status", "province", "from", "to"})
NAMES = tuple(field.alias or name for name, field in Filters.model_fields.items())


@dataclass(frozen=True)
class Asked:
    """What a query string asked for: the filters that are right, the faults of the others, and all as it was
    typed.
    """

    filters: Filters
    faults: tuple[Fault, ...] = ()
    typed: Mapping[str, tuple[str, ...]] | None = None

    @property
    def errors(self) -> dict[str, str]:
        """The sentence for each field at fault."""
        return {fault.name: messages.fault_text(fault) for fault in reversed(self.faults)}

    @property
    def names_more(self) -> bool:
        """Whether a filter is set that the form shows only to those who ask for more."""
        return any(name in self.errors or self.text(name) for name in NAMES if name not in PLAIN)

    def text(self, name: str) -> str:
        """What was typed into a field with one value."""
        return (self.typed or {}).get(name, ("",))[0]

    def has(self, name: str, code: str) -> bool:
        """Whether that value of a filter was chosen."""
        return code in (self.typed or {}).get(name, ())


def read(values_of: Callable[[str], Sequence[str]]) -> Asked:
    """Read the filters; ``values_of`` gives all values of a parameter, as ``request.args.getlist`` does.

    Never raises: a filter that is wrong is left out and has a fault; the others count.
    """
    typed = {name: found for name in NAMES if (found := _filled(values_of(name)))}
    values: dict[str, Any] = {name: found if name in SEVERAL else found[0] for name, found in typed.items()}
    faults: list[Fault] = []
    while True:
        try:
            return Asked(Filters.model_validate(values), tuple(faults), typed)
        except ValidationError as error:
            faults += _faults(error)
            values = {name: value for name, value in values.items() if name not in {f.name for f in faults}}


def _faults(error: ValidationError) -> list[Fault]:
    """One fault for each field, whichever of its values is wrong."""
    found = {
        entry["loc"][0]: entry for entry in reversed(error.errors(include_url=False, include_input=False))
    }
    return [Fault((name,), entry["type"], entry.get("ctx", {})) for name, entry in reversed(found.items())]


def _filled(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(value for value in values if value.strip())


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return ["true"] if value is True else [str(value)]

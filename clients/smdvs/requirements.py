"""What each kind of submission is checked by, and which of its fields must be filled in: read from the one
declaration, so that the form's marks can't differ from the check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from clients.smdvs.detailed import DetailedReport, FinalResult
from clients.smdvs.lifecycle import Act
from clients.smdvs.parts import Part
from clients.smdvs.report import Report

MODELS: Mapping[Act, type[Part]] = {
    Act.INITIAL: Report,
    Act.SUPPLEMENT: Report,
    Act.DETAILED: DetailedReport,
    Act.FINAL: FinalResult,
}


@cache
def required_in(act: Act) -> frozenset[str]:
    """The names of the form's fields that must be filled in whatever else is answered; those of vehicles
    without a number (``vehicles-battery-cell_maker``).
    """
    return frozenset(_required(MODELS[act], ""))


def _required(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        part = _part(field.annotation)
        if part is not None and field.is_required():
            yield from _required(part, f"{prefix}{name}-")
        elif field.is_required():
            yield prefix + name


def _part(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation, be it the thing itself or what a tuple holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((part for inner in get_args(annotation) if (part := _part(inner)) is not None), None)

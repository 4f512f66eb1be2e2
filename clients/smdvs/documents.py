"""From bytes or form fields to a checked Report, or to faults that name their field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from clients.smdvs.deadlines import INITIAL, Measure
from clients.smdvs.lifecycle import Act
from clients.smdvs.parts import Part
from clients.smdvs.report import Report
from clients.smdvs.requirements import MODELS

P = TypeVar("P", bound=Part)

# An answer is for reading: more faults than a person can correct at once aren't listed.
MAX_FAULTS = 100


@dataclass(frozen=True)
class Fault:
    """One broken rule: where (member names and indexes), which, and the rule's own numbers."""

    location: tuple[str | int, ...]
    code: str
    detail: Mapping[str, Any]

    @property
    def pointer(self) -> str:
        """RFC 6901 JSON pointer."""
        return "".join(f"/{_escaped(str(part))}" for part in self.location)

    @property
    def name(self) -> str:
        """The name of the form's field."""
        return "-".join(str(part) for part in self.location)


class NotJson(ValueError):
    """The body isn't a JSON object we take; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_json(body: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8 without duplicate members (RFC 7493); raises NotJson."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise NotJson("not_utf8") from None
    if "\0" in text or "\\u0000" in text:
        raise NotJson("nul_byte")
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except NotJson:
        raise
    except (ValueError, RecursionError):
        raise NotJson("not_json") from None
    if not isinstance(document, dict):
        raise NotJson("not_an_object")
    _refuse_surrogates(document)
    return document


def part_from_json(
    model: type[P], document: Mapping[str, Any], now: datetime, measure: Measure
) -> P | tuple[Fault, ...]:
    """Check a parsed JSON document by the strict rules, as what ``model`` declares."""
    return _checked(model, document, now, measure, strict=True)


def report_from_json(
    document: Mapping[str, Any], now: datetime, measure: Measure = INITIAL
) -> Report | tuple[Fault, ...]:
    """Check a parsed JSON document by the strict rules: a number in quotes is not a number."""
    return _checked(Report, document, now, measure, strict=True)


def part_from_form(
    act: Act, document: Mapping[str, Any], now: datetime, measure: Measure
) -> Part | tuple[Fault, ...]:
    """Check a document made of form fields, where everything is text, as what that act must bring."""
    return _checked(MODELS[act], document, now, measure, strict=False)


def report_from_form(
    document: Mapping[str, Any], now: datetime, measure: Measure = INITIAL
) -> Report | tuple[Fault, ...]:
    """The same for a first report."""
    return _checked(Report, document, now, measure, strict=False)


def _checked(
    model: type[P], document: Mapping[str, Any], now: datetime, measure: Measure, *, strict: bool
) -> P | tuple[Fault, ...]:
    try:
        # Through JSON, because only there strictness knows that dates and codes are written as strings.
        text = json.dumps(document, ensure_ascii=True)
        return model.model_validate_json(text, strict=strict, context={"now": now, "measure": measure})
    except ValidationError as error:
        return _most_precise(
            [
                Fault(tuple(entry["loc"]), entry["type"], entry.get("ctx", {}))
                for entry in error.errors(include_url=False, include_input=False)[:MAX_FAULTS]
            ]
        )


def _most_precise(faults: list[Fault]) -> tuple[Fault, ...]:
    """Without "too few items" where items are there but faulty: pydantic counts only the good ones."""
    return tuple(
        fault
        for fault in faults
        if fault.code != "too_short" or not any(_is_inside(other, fault) for other in faults)
    )


def _is_inside(inner: Fault, outer: Fault) -> bool:
    size = len(outer.location)
    return len(inner.location) > size and inner.location[:size] == outer.location


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotJson("duplicate_member")
    return members


def _refuse_surrogates(document: dict[str, Any]) -> None:
    """A lone surrogate (U+D800 escaped) is valid in JSON's grammar and in no encoding of text."""
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise NotJson("not_utf8") from None


def _no_constant(name: str) -> NoReturn:
    raise NotJson("not_json")


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")

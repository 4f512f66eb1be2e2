"""Errors as values: what was wrong, by a code, and at which field."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong: a lower_snake ``code``, the form's ``field`` (None: all of it), numbers for the text."""

    code: str
    field: str | None = None
    detail: Mapping[str, object] = dataclasses.field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a rule or a use case answers instead of its result; nothing was changed."""

    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, code: str, field: str | None = None, **detail: object) -> Refusal:
        """A refusal with one problem."""
        return cls((Problem(code, field, MappingProxyType(detail)),))

    @property
    def code(self) -> str:
        """The code of the first problem."""
        return self.problems[0].code

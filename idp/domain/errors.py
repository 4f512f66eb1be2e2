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

    @property
    def retry_after(self) -> int | None:
        """The seconds after which the same is worth another try, where the detail tells."""
        seconds, minutes = self.detail.get("seconds"), self.detail.get("minutes")
        if isinstance(seconds, int):
            return seconds
        return minutes * 60 if isinstance(minutes, int) else None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a rule or a use case answers instead of its result; nothing was changed."""

    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, code: str, field: str | None = None, **detail: object) -> Refusal:
        """A refusal with one problem."""
        return cls((Problem(code, field, MappingProxyType(detail)),))

    @property
    def retry_after(self) -> int | None:
        """The longest wait among the problems, in seconds; None when waiting helps nothing."""
        return max((wait for p in self.problems if (wait := p.retry_after) is not None), default=None)

    @property
    def code(self) -> str:
        """The code of the first problem."""
        return self.problems[0].code

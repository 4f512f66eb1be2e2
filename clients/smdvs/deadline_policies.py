"""The rules on deadlines: versioned data in ``deadline_policies.toml``, read and checked once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from clients.smdvs.vocabulary import DeadlineClass

FILE = Path(__file__).with_name("deadline_policies.toml")
DEFAULT_POLICY = "eidc-2025"
CHINA_TIME = timezone(timedelta(hours=8))

Hours = Annotated[int, Field(gt=0, le=8760)]
Words = Annotated[str, Field(min_length=1, max_length=200)]


class PolicyError(ValueError):
    """The policies can't be used, or there is none of that name; the text names file and field."""


class Ground(StrEnum):
    """What makes an accident severe."""

    DEATHS = "deaths"
    INJURED = "injured"
    MAJOR_SOCIAL_IMPACT = "major_social_impact"


class Policy(BaseModel):
    """One version of a rule on deadlines: hours from the accident.

    ``secondary_source``: the rule itself was not seen, only what others wrote of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    version: Annotated[int, Field(ge=1)]
    title: Words
    source: Words
    secondary_source: bool
    effective_from: date
    initial_hours: Hours
    severe_hours: Hours
    detailed_hours: Hours
    severe: Annotated[list[Annotated[Ground, Field(strict=False)]], Field(min_length=1)]
    severe_title: Words

    @model_validator(mode="after")
    def _in_order(self) -> Policy:
        if not self.severe_hours <= self.initial_hours <= self.detailed_hours:
            raise ValueError("severe_hours, initial_hours and detailed_hours must not fall")
        return self

    @property
    def reference(self) -> str:
        """What a report keeps: ``eidc-2025@1``."""
        return f"{self.name}@{self.version}"

    def class_of(self, deaths: int, injured: int, major_social_impact: bool) -> DeadlineClass:
        """Which class such an accident is in; ``injured`` counts the heavily and the lightly injured."""
        facts = {
            Ground.DEATHS: deaths > 0,
            Ground.INJURED: injured > 0,
            Ground.MAJOR_SOCIAL_IMPACT: major_social_impact,
        }
        severe = any(facts[ground] for ground in self.severe)
        return DeadlineClass.SEVERE if severe else DeadlineClass.ORDINARY

    def initial_hours_of(self, deadline_class: DeadlineClass) -> int:
        """Hours from the accident to the initial report."""
        return self.severe_hours if deadline_class is DeadlineClass.SEVERE else self.initial_hours


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    policies: Annotated[list[Policy], Field(min_length=1)]

    @model_validator(mode="after")
    def _versions_in_order(self) -> _File:
        for name in {policy.name for policy in self.policies}:
            _check_versions([policy for policy in self.policies if policy.name == name])
        return self


def load(path: Path) -> tuple[Policy, ...]:
    """The policies of a file, the oldest version of a name first; raises PolicyError."""
    try:
        return tuple(_File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).policies)
    except ValidationError as error:
        raise PolicyError(f"{path.name}: {'; '.join(_faults(error))}") from None
    except (OSError, ValueError) as error:  # not there, not UTF-8, not TOML
        raise PolicyError(f"{path.name}: can't be read: {error}") from None


def policy_of(name: str) -> Policy:
    """The newest version of a policy, or with ``name@version`` exactly that one; raises PolicyError."""
    found = [policy for policy in POLICIES if name in (policy.name, policy.reference)]
    if not found:
        known = ", ".join(policy.reference for policy in POLICIES)
        raise PolicyError(f"{FILE.name}: there is no policy {name!r}, only {known}")
    return found[-1]


def policy_at(name: str, occurred_at: datetime) -> Policy:
    """By which version an accident is measured: the newest that was in effect on its day (of China), the
    first for one before that. ``name@version`` is exactly that one. Raises PolicyError.
    """
    newest = policy_of(name)
    if "@" in name:
        return newest
    day = occurred_at.astimezone(CHINA_TIME).date()
    versions = [policy for policy in POLICIES if policy.name == name]
    return next((policy for policy in reversed(versions) if policy.effective_from <= day), versions[0])


def _check_versions(versions: list[Policy]) -> None:
    for earlier, later in pairwise(versions):
        if later.version <= earlier.version or later.effective_from <= earlier.effective_from:
            raise ValueError(f"version and effective_from of {later.name} must rise from entry to entry")


def _faults(error: ValidationError) -> Iterable[str]:
    for fault in error.errors(include_url=False, include_input=False):
        yield f"{'.'.join(str(part) for part in fault['loc']) or 'policies'}: {fault['msg']}"


POLICIES = load(FILE)

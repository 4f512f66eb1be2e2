"""Deadlines as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from clients.smdvs.deadline_policies import CHINA_TIME, Policy, policy_of
from clients.smdvs.deadlines import Deadlines, Due, Measure
from clients.smdvs.forms import Fields
from clients.smdvs.labels import label
from clients.smdvs.report import CLOCK_SKEW, OLDEST
from clients.smdvs.vocabulary import DeadlineClass


class Measured(Protocol):
    """Something that keeps its policy's reference and its class, as a report does."""

    @property
    def deadline_policy(self) -> str:
        """``name@version``."""

    @property
    def deadline_class(self) -> str:
        """A code of DeadlineClass."""


def class_words(row: Measured) -> str:
    """``严重事故：有人员死亡或重大社会影响，12 小时内快报``, by the report's own policy."""
    return explained(policy_of(row.deadline_policy), DeadlineClass(row.deadline_class))


def explained(policy: Policy, deadline_class: DeadlineClass) -> str:
    """Which class, why, and how many hours there are."""
    why = f"：{policy.severe_title}" if deadline_class is DeadlineClass.SEVERE else ""
    hours = policy.initial_hours_of(deadline_class)
    return f"{label('deadline_class', deadline_class)}{why}，事故发生后 {hours} 小时内快报"


@dataclass(frozen=True)
class Hint:
    """The deadline of a form as far as it is filled in: until when, why, and whether that is over."""

    deadlines: Deadlines
    due: Due
    late: bool

    @property
    def due_at(self) -> datetime:
        """When what the form reports is due."""
        return self.deadlines.due_at(self.due)

    @property
    def why(self) -> str:
        """The class that the casualties make, and the hours there are."""
        if self.due is Due.DETAILED:
            return f"事故发生后 {self.deadlines.policy.detailed_hours} 小时内详报"
        return explained(self.deadlines.policy, self.deadlines.deadline_class)


def hint(fields: Fields, measure: Measure, now: datetime) -> Hint | None:
    """The deadline of a form, once it says when the accident happened; what isn't filled in yet or isn't a
    number counts as nobody hurt. None also for what has no deadline.
    """
    occurred_at = occurred_at_of(fields, now)
    if occurred_at is None or measure.due is None:
        return None
    injured = _people(fields, "injured_heavy") + _people(fields, "injured_light")
    impact = fields.get("major_social_impact") == "true"
    deadlines = measure.deadlines(occurred_at, _people(fields, "deaths"), injured, impact)
    return Hint(deadlines, measure.due, deadlines.missed_at(now, measure.due))


def occurred_at_of(fields: Fields, now: datetime) -> datetime | None:
    """When the accident was, as far as the form says so and it can be."""
    try:
        written = datetime.fromisoformat(fields.get("occurred_at", "").strip())
    except ValueError:
        return None
    moment = written.replace(tzinfo=CHINA_TIME) if written.tzinfo is None else written
    return moment if now - OLDEST <= moment <= now + CLOCK_SKEW else None


def _people(fields: Fields, name: str) -> int:
    text = fields.get(name, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0

"""Until when a report is due, and whether it was late: pure functions on a policy.

The clock starts at the accident. A late report is taken all the same; being late is a mark on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from clients.smdvs.deadline_policies import DEFAULT_POLICY, Policy, PolicyError, policy_at, policy_of
from clients.smdvs.vocabulary import DeadlineClass

__all__ = [
    "DEFAULT_POLICY",
    "INITIAL",
    "Deadlines",
    "Due",
    "Measure",
    "Policy",
    "PolicyError",
    "Standing",
    "deadlines_of",
    "measured",
    "policy_at",
    "policy_of",
    "remeasured",
]


class Due(StrEnum):
    """What is due at a time of its own."""

    INITIAL = "initial"
    DETAILED = "detailed"


@dataclass(frozen=True)
class Deadlines:
    """Which class an accident is in by a policy, and when its reports are due; the last moment is in time."""

    policy: Policy
    deadline_class: DeadlineClass
    initial_due_at: datetime
    detailed_due_at: datetime

    def due_at(self, due: Due) -> datetime:
        """When that is due."""
        return self.initial_due_at if due is Due.INITIAL else self.detailed_due_at

    def missed_at(self, received_at: datetime, due: Due = Due.INITIAL) -> bool:
        """Whether what is received then is late."""
        return received_at > self.due_at(due)


@dataclass(frozen=True)
class Measure:
    """What a submission is measured by: the policy's name, or ``name@version`` for a report that has one, and
    which of its due times; None where it can't be late, so that no reason is asked for.
    """

    policy: str
    due: Due | None = None

    def deadlines(
        self, occurred_at: datetime, deaths: int, injured: int, major_social_impact: bool
    ) -> Deadlines:
        """The deadlines of such an accident."""
        policy = policy_at(self.policy, occurred_at)
        return deadlines_of(policy, occurred_at, deaths, injured, major_social_impact)


INITIAL = Measure(DEFAULT_POLICY, Due.INITIAL)


@dataclass(frozen=True)
class Standing:
    """How a report stands to its deadlines: what it is measured by now, and what is marked late.

    ``detailed_received_at`` is when the first detailed report came, None until then.
    """

    deadlines: Deadlines
    initial_received_at: datetime
    initial_overdue: bool
    detailed_received_at: datetime | None = None
    detailed_overdue: bool = False

    @property
    def late_in_hindsight(self) -> bool:
        """In time by what was known when it came, late by what is known now; regulators are told."""
        return not self.initial_overdue and self.deadlines.missed_at(self.initial_received_at)

    def detailed_late_at(self, now: datetime) -> bool:
        """Whether the detailed report was late or is missing after its time; no job has to run for it."""
        if self.detailed_received_at is None:
            return self.deadlines.missed_at(now, Due.DETAILED)
        return self.detailed_overdue


def deadlines_of(
    policy: Policy, occurred_at: datetime, deaths: int, injured: int, major_social_impact: bool
) -> Deadlines:
    """The deadlines of an accident, counted from it."""
    deadline_class = policy.class_of(deaths, injured, major_social_impact)
    initial = timedelta(hours=policy.initial_hours_of(deadline_class))
    detailed = timedelta(hours=policy.detailed_hours)
    return Deadlines(policy, deadline_class, occurred_at + initial, occurred_at + detailed)


def measured(deadlines: Deadlines, received_at: datetime) -> Standing:
    """How an initial report stands when it is received."""
    return Standing(deadlines, received_at, deadlines.missed_at(received_at))


def remeasured(standing: Standing, newest: Deadlines, received_at: datetime, *, detailed: bool) -> Standing:
    """How a report stands after a later version with content; ``newest`` is what that version says, by the
    report's own policy.

    Class and due times follow the newest content, marks are never taken back, and no version argues itself
    into time: it is late by the time that stood before it or by its own (docs/adr/0022).
    """
    if not detailed or standing.detailed_received_at is not None:
        return replace(standing, deadlines=newest)
    late = any(each.missed_at(received_at, Due.DETAILED) for each in (standing.deadlines, newest))
    return replace(standing, deadlines=newest, detailed_received_at=received_at, detailed_overdue=late)

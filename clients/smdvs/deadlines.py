"""Until when an initial report is due: a versioned policy, and pure functions on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.smdvs.vocabulary import DeadlineClass


@dataclass(frozen=True)
class Policy:
    """Hours from the accident to the initial report, by class."""

    name: str
    ordinary: timedelta
    severe: timedelta


# The rule of the reporting platform itself: a day, half a day when someone died or the public is alarmed.
POLICY = Policy("eidc-2025", ordinary=timedelta(hours=24), severe=timedelta(hours=12))


@dataclass(frozen=True)
class Deadline:
    """Which class an accident falls in and when its initial report is due."""

    policy: str
    deadline_class: DeadlineClass
    due_at: datetime

    def missed_at(self, received_at: datetime) -> bool:
        """Whether a report received then was late."""
        return received_at > self.due_at


def deadline(occurred_at: datetime, deaths: int, major_social_impact: bool) -> Deadline:
    """The deadline of an initial report; the clock starts at the accident, not when the maker hears of it."""
    if deaths > 0 or major_social_impact:
        return Deadline(POLICY.name, DeadlineClass.SEVERE, occurred_at + POLICY.severe)
    return Deadline(POLICY.name, DeadlineClass.ORDINARY, occurred_at + POLICY.ordinary)

"""Deadlines as people read them."""

from __future__ import annotations

from typing import Protocol

from clients.smdvs.deadline_policies import Policy, policy_of
from clients.smdvs.labels import label
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

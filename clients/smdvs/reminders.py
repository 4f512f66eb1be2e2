"""Which reminder a report or a draft is due for at a moment: pure, and each only once by its key.

Of several whose time has come only the latest is sent: who couldn't be reached for a day is told how it
stands now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.smdvs.deadline_policies import CHINA_TIME, POLICIES
from clients.smdvs.deadlines import Deadlines
from clients.smdvs.vocabulary import Status

# A reminder that could not be made for so long is not made any more.
STALE = timedelta(days=7)
# No reminder of a detailed report comes earlier before its time than this.
AHEAD = timedelta(hours=max(policy.detailed_hours for policy in POLICIES)) / 2
# After an accident a draft of its initial report is reminded of for no longer than this.
DRAFT_SPAN = timedelta(hours=max(policy.initial_hours for policy in POLICIES)) + STALE
WAITS_FOR_DETAILED = frozenset({Status.INITIAL_SUBMITTED, Status.SUPPLEMENTED})


@dataclass(frozen=True)
class Reminder:
    """One reminder: its ``kind`` (of sms.text), what it is about, and the parameters of its text."""

    kind: str
    subject: str
    parameters: Mapping[str, str]

    @property
    def dedupe_key(self) -> str:
        """Two reminders of the same key are the same."""
        return f"{self.subject}:{self.kind}"


@dataclass(frozen=True)
class ReportFacts:
    """What reminders need of a report. ``version`` is its newest act; ``updated_at`` when that came."""

    report_no: str
    status: Status
    version: int
    occurred_at: datetime
    received_at: datetime
    updated_at: datetime
    detailed_due_at: datetime
    detailed_received_at: datetime | None


@dataclass(frozen=True)
class DraftFacts:
    """What reminders need of a draft of an initial report that says when the accident happened."""

    draft_id: str
    deadlines: Deadlines


@dataclass(frozen=True)
class _Milestone:
    kind: str
    at: datetime


def of_report(facts: ReportFacts, now: datetime) -> Reminder | None:
    """The reminder that a report is due for; none when it is closed, voided, or has what is asked for."""
    if facts.status is Status.RETURNED:
        return _returned(facts, now)
    if facts.status not in WAITS_FOR_DETAILED or facts.detailed_received_at is not None:
        return None
    # What was over when the report came was said to its face.
    ahead = [each for each in _ahead_of_detailed(facts) if each.at > facts.received_at]
    kind = _latest([*ahead, _Milestone("detailed_overdue", facts.detailed_due_at)], now)
    parameters = {"report_no": facts.report_no, "due": _moment(facts.detailed_due_at)}
    return None if kind is None else Reminder(kind, f"report:{facts.report_no}", parameters)


def of_draft(facts: DraftFacts, now: datetime) -> Reminder | None:
    """The reminder that a draft is due for."""
    due_at = facts.deadlines.initial_due_at
    milestones = [
        _Milestone("draft_4h", due_at - timedelta(hours=4)),
        _Milestone("draft_1h", due_at - timedelta(hours=1)),
        _Milestone("draft_overdue", due_at),
    ]
    kind = _latest(milestones, now)
    return None if kind is None else Reminder(kind, f"draft:{facts.draft_id}", {"due": _moment(due_at)})


def _returned(facts: ReportFacts, now: datetime) -> Reminder | None:
    """Each return is told of once."""
    if _latest([_Milestone("returned", facts.updated_at)], now) is None:
        return None
    subject = f"report:{facts.report_no}:{facts.version}"
    return Reminder("returned", subject, {"report_no": facts.report_no})


def _ahead_of_detailed(facts: ReportFacts) -> Iterable[_Milestone]:
    due_at = facts.detailed_due_at
    return (
        _Milestone("detailed_half", facts.occurred_at + (due_at - facts.occurred_at) / 2),
        _Milestone("detailed_24h", due_at - timedelta(hours=24)),
        _Milestone("detailed_4h", due_at - timedelta(hours=4)),
    )


def _latest(milestones: Iterable[_Milestone], now: datetime) -> str | None:
    """The last that has been reached (of two at once the later in the list), unless it is stale."""
    reached = [each for each in milestones if each.at <= now]
    latest = max(enumerate(reached), key=lambda pair: (pair[1].at, pair[0]), default=None)
    return None if latest is None or now >= latest[1].at + STALE else latest[1].kind


def _moment(value: datetime) -> str:
    """``11月28日09:30``, in China."""
    local = value.astimezone(CHINA_TIME)
    return f"{local.month}月{local.day}日{local:%H:%M}"

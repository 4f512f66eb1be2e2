"""What is late of a stored report, by its marks and by the clock."""

from __future__ import annotations

from datetime import datetime

from clients.smdvs import summaries
from clients.smdvs.reminders import WAITS_FOR_DETAILED
from clients.smdvs.storage.reports import ReportRow
from clients.smdvs.vocabulary import Status


def detailed(row: ReportRow, now: datetime) -> bool:
    """Whether the detailed report was late, or is still waited for after its time."""
    if Status(row.status) in WAITS_FOR_DETAILED:
        return summaries.standing_of(row).detailed_late_at(now)
    return bool(row.detailed_overdue)


def in_hindsight(row: ReportRow) -> bool:
    """Whether the initial report was in time by what it said, and late by what is known now."""
    return summaries.standing_of(row).late_in_hindsight

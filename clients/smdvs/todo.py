"""待办: what is due next of reports and drafts, for an enterprise; what is late, for a regulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clients.rp.entitlement import Reader
from clients.smdvs import deadline_words, drafts
from clients.smdvs.deadlines import Due, Measure
from clients.smdvs.filters import Filters, Overdue
from clients.smdvs.lifecycle import Act
from clients.smdvs.reminders import WAITS_FOR_DETAILED
from clients.smdvs.storage import search, todo
from clients.smdvs.storage.reports import ReportRow
from clients.smdvs.system import System
from clients.smdvs.tickets import Owner
from clients.smdvs.vocabulary import Status

MOST = 5
MOST_COUNTED = 1000


@dataclass(frozen=True)
class Item:
    """One thing to do: what, where, and until when (None: at once, without a time in the rules)."""

    words: str
    link: str
    due_at: datetime | None


@dataclass(frozen=True)
class Late:
    """How many reports are late, and where they are listed."""

    words: str
    link: str
    total: int


def of_enterprise(system: System, reader: Reader, now: datetime) -> Sequence[Item]:
    """The most pressing things of an enterprise, the earliest first; what was returned comes before all."""
    if reader.enterprise_credit_code is None:
        return ()
    with system.database.reading() as session:
        rows = todo.list_due(
            session, reader.enterprise_credit_code, WAITS_FOR_DETAILED, Status.RETURNED, MOST
        )
    items = [*map(_of_report, rows), *_of_drafts(system, reader, now)]
    return sorted(items, key=lambda item: (item.due_at is not None, item.due_at or now))[:MOST]


def of_regulator(system: System, reader: Reader, now: datetime) -> Sequence[Late]:
    """How many initial and detailed reports are late by now: by the clock, whether or not they ever came."""
    if reader.enterprise_credit_code is not None:
        return ()
    kinds = {"快报迟报": Overdue.INITIAL, "详报逾期（含未提交）": Overdue.DETAILED}
    with system.database.reading() as session:
        counted = [
            (words, filters, search.count(session, search.conditions(filters, None, now), MOST_COUNTED))
            for words, kind in kinds.items()
            for filters in (Filters(overdue=(kind,)),)
        ]
    return [Late(words, f"/smdvs/reports{filters.query()}", total) for words, filters, total in counted]


def _of_report(row: ReportRow) -> Item:
    link = f"/smdvs/reports/{row.report_no}"
    if row.status == Status.RETURNED:
        return Item(f"补正详报 {row.report_no}", link, None)
    return Item(f"提交详报 {row.report_no}", link, row.detailed_due_at)


def _of_drafts(system: System, reader: Reader, now: datetime) -> Sequence[Item]:
    """Drafts of initial reports that say when the accident was."""
    measure = Measure(system.settings.deadline_policy, Due.INITIAL)
    owner = Owner(reader.sub, reader.enterprise_credit_code or "")
    found = []
    for draft in drafts.list_of(system, owner):
        hint = (
            deadline_words.hint(draft.fields or {}, measure, now) if draft.row.kind == Act.INITIAL else None
        )
        if hint is not None:
            found.append(Item("提交快报草稿", f"/smdvs/reports/new?draft={draft.row.id}", hint.due_at))
    return found

"""A report as one person is shown it: the newest first, names and phones by persons.py. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clients.smdvs import persons
from clients.smdvs.chain import Broken
from clients.smdvs.changes import Change, changes
from clients.smdvs.contents import Document, joined
from clients.smdvs.detailed import FinalResult
from clients.smdvs.labels import FIELDS
from clients.smdvs.lifecycle import CONTENT, Act
from clients.smdvs.messages import location_label
from clients.smdvs.persons import Clearance, Viewer
from clients.smdvs.reports import Entry, ReportView
from clients.smdvs.storage.accesses import Access
from clients.smdvs.storage.reports import ReportRow, ReportVersion
from clients.smdvs.value_words import value_words

_ORDER = {name: place for place, name in enumerate(FIELDS)}


@dataclass(frozen=True)
class ShownEntry:
    """One act, its author (a name, a mask or nothing) and what it says, as the viewer may see it."""

    version: ReportVersion
    act: Act
    author: str
    document: Document

    @property
    def findings(self) -> list[tuple[str, Any]]:
        """The members of a result that are filled in, as its form has them: stored documents are sorted."""
        names = [name for name in FinalResult.model_fields if self.document.get(name) is not None]
        return [(name, self.document[name]) for name in names]

    @property
    def has_content(self) -> bool:
        """Whether it says what happened."""
        return self.act in CONTENT


@dataclass(frozen=True)
class ShownReport:
    """A report with its history, newest first; ``content`` is what it says now, ``result`` the newest result
    of the investigation.
    """

    row: ReportRow
    entries: Sequence[ShownEntry]
    content: ShownEntry
    result: ShownEntry | None
    return_reason: str | None
    broken: Broken | None

    @property
    def passed(self) -> frozenset[Act]:
        """Every act of its history."""
        return frozenset(entry.act for entry in self.entries)

    def entry(self, number: int) -> ShownEntry | None:
        """The act of that version."""
        return next((entry for entry in self.entries if entry.version.version == number), None)


@dataclass(frozen=True)
class ShownChange:
    """One field in words: its name, and what it was and is."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Moment:
    """One line of the time line: an act, or a look at the people behind the report."""

    at: datetime
    entry: ShownEntry | None = None
    access: Access | None = None


def shown(view: ReportView, viewer: Viewer) -> ShownReport:
    """The report as this viewer is shown it."""
    entries = [_entry(entry, viewer) for entry in reversed(view.history)]
    return ShownReport(
        row=view.row,
        entries=entries,
        content=next(entry for entry in entries if entry.has_content),
        result=next((entry for entry in entries if entry.act is Act.FINAL), None),
        return_reason=view.return_reason,
        broken=view.broken,
    )


def shown_changes(
    view: ReportView, viewer: Viewer, number: int
) -> tuple[int, tuple[ShownChange, ...]] | None:
    """The version that this one follows in kind, and what it says differently; None for the first of its kind
    and for an act without content.
    """
    newer = next(entry for entry in view.history if entry.version.version == number)
    older = _before(view.history, newer)
    if older is None:
        return None
    allowed = (_clearance(older, viewer), _clearance(newer, viewer))
    differing = sorted(changes(older.whole, newer.whole), key=_place)
    found = [(change, _change(change, *allowed)) for change in differing]
    # Seconds that nobody typed are no change to read; two names or phones may share a mask.
    read = (said for change, said in found if change.is_personal or said.before != said.after)
    return older.version.version, tuple(read)


def timeline(entries: Sequence[ShownEntry], accesses: Sequence[Access]) -> list[Moment]:
    """Acts and looks together, newest first."""
    moments = [Moment(entry.version.received_at, entry=entry) for entry in entries]
    moments += [Moment(access.at, access=access) for access in reversed(accesses)]
    return sorted(moments, key=lambda moment: moment.at, reverse=True)


def kinds_behind(view: ReportView) -> tuple[str, ...]:
    """Which data about people the enterprise's acts of a report hold."""
    of_enterprise = (entry for entry in view.history if entry.version.account_type != persons.REGULATOR)
    kinds = (kind for entry in of_enterprise for kind in persons.kinds_of(entry.personal))
    return tuple(dict.fromkeys(kinds))


def _entry(entry: Entry, viewer: Viewer) -> ShownEntry:
    allowed = _clearance(entry, viewer)
    document = joined(entry.document, persons.shown_people(entry.personal, allowed))
    author = persons.shown_name(entry.personal["reporter_name"], allowed)
    return ShownEntry(entry.version, entry.act, author, document)


def _clearance(entry: Entry, viewer: Viewer) -> Clearance:
    return persons.clearance(viewer, entry.version.sub, entry.version.account_type)


def _before(history: Sequence[Entry], newer: Entry) -> Entry | None:
    """The one before that says the same kind of thing: content follows content, a result a result."""
    kinds = next((kinds for kinds in (CONTENT, frozenset({Act.FINAL})) if newer.act in kinds), None)
    if kinds is None:
        return None
    earlier = (entry for entry in reversed(history) if entry.version.version < newer.version.version)
    return next((entry for entry in earlier if entry.act in kinds), None)


def _place(change: Change) -> tuple[int, ...]:
    """Where people look for a field: in the order of the form, vehicle by vehicle."""
    part, number = str(change.location[0]), next((at for at in change.location if isinstance(at, int)), 0)
    return _ORDER.get(part, len(_ORDER)), number, _ORDER.get(change.name, len(_ORDER))


def _change(change: Change, before: Clearance, after: Clearance) -> ShownChange:
    subject = f"（{change.subject}）" if change.subject and len(change.location) > 1 else ""
    return ShownChange(
        location_label(change.location) + subject,
        _words(change, change.before, before),
        _words(change, change.after, after),
    )


def _words(change: Change, value: object, allowed: Clearance) -> str:
    if change.is_personal and value is not None and not allowed.people:
        return persons.mask(change.name, str(value))
    return value_words(change.name, value)

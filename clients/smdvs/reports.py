"""Giving reports out. Who may read is decided in access; here it is a Reader."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from clients.rp.entitlement import Reader
from clients.rp.sealed import SealBroken
from clients.smdvs import chain, masking
from clients.smdvs.chain import Broken
from clients.smdvs.contents import Document, joined, open_personal
from clients.smdvs.lifecycle import CONTENT, Act
from clients.smdvs.storage import reports as rows
from clients.smdvs.storage.reports import ReportRow, ReportVersion
from clients.smdvs.system import System


@dataclass(frozen=True)
class Entry:
    """One act of a report's history: its row, what it says without the people, and the people, in clear.

    Whom the people may be shown to is decided by whoever shows them.
    """

    version: ReportVersion
    document: Document
    personal: Document

    @property
    def act(self) -> Act:
        """What was done."""
        return Act(self.version.kind)

    @property
    def reporter_name(self) -> str:
        """Who did it, masked."""
        return masking.name(self.personal["reporter_name"])

    @property
    def whole(self) -> Document:
        """What it says, people included."""
        return joined(self.document, self.personal)

    @property
    def masked(self) -> Document:
        """What it says, people masked."""
        return joined(self.document, _masked(self.personal))


@dataclass(frozen=True)
class ReportView:
    """A report with its history, oldest first, and where its chain is broken, if it is."""

    row: ReportRow
    history: Sequence[Entry]
    broken: Broken | None

    @property
    def content(self) -> Entry:
        """The newest act that says what happened."""
        return next(entry for entry in reversed(self.history) if entry.act in CONTENT)

    @property
    def document(self) -> Document:
        """The newest content, people masked."""
        return self.content.masked

    @property
    def result(self) -> Document | None:
        """The newest result of the investigation."""
        finals = (entry.document for entry in reversed(self.history) if entry.act is Act.FINAL)
        return next(finals, None)

    @property
    def return_reason(self) -> str | None:
        """Why the regulator wants it corrected, while that is so."""
        last = self.history[-1]
        return last.version.reason if last.act is Act.RETURN else None


@dataclass(frozen=True)
class Page:
    """One page of a list, and how many there are in all."""

    rows: Sequence[ReportRow]
    total: int
    number: int
    size: int

    @property
    def count(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))


def list_page(system: System, reader: Reader, number: int, size: int) -> Page:
    """A page of what this person may read, newest first; ``number`` counts from 1."""
    with system.database.reading() as session:
        total = rows.count_reports(session, reader.enterprise_credit_code)
        found = rows.list_reports(session, reader.enterprise_credit_code, (number - 1) * size, size)
    return Page(found, total, number, size)


def find(system: System, reader: Reader, report_no: str) -> ReportView | None:
    """A report that this person may read; for one of another enterprise the answer is the same
    as for none.
    """
    with system.database.reading() as session:
        row = rows.find_report(session, report_no, reader.enterprise_credit_code)
        return None if row is None else _view(system, session, row)


def find_row(system: System, enterprise: str, report_no: str) -> ReportRow | None:
    """The row of an enterprise's own report."""
    with system.database.reading() as session:
        return rows.find_report(session, report_no, enterprise)


def _view(system: System, session: Session, row: ReportRow) -> ReportView:
    versions = rows.list_versions(session, row.id)
    history = [_entry(system, row, version) for version in versions]
    return ReportView(row, history, chain.verify(system, row, versions))


def _entry(system: System, row: ReportRow, version: ReportVersion) -> Entry:
    document = json.loads(version.document)
    try:
        personal = open_personal(system.fields, version.personal_sealed, row.report_no, version.version)
    except SealBroken:  # the chain says so: what can still be read is shown
        nobody = {"owner_name": None, "owner_phone": None}
        personal = {"reporter_name": "", "owners": [dict(nobody) for _ in document.get("vehicles", ())]}
    return Entry(version, document, personal)


def _masked(personal: Document) -> Document:
    masked = dict(personal)
    if "reporter_phone" in personal:
        masked["reporter_phone"] = masking.phone(personal["reporter_phone"])
    if "owners" in personal:
        masked["owners"] = [_masked_owner(owner) for owner in personal["owners"]]
    return masked


def _masked_owner(owner: dict[str, Any]) -> dict[str, Any]:
    return {
        "owner_name": masking.name(owner["owner_name"] or "") or None,
        "owner_phone": masking.phone(owner["owner_phone"] or "") or None,
    }

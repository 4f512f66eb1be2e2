"""Reports as they are read: the list, one report with its life, one version of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from clients.rp import clock
from clients.rp.entitlement import Reader
from clients.smdvs import (
    accesses,
    doors,
    messages,
    next_steps,
    pages,
    queues,
    reports,
    search,
    shown_reports,
    todo,
)
from clients.smdvs.cookies import system
from clients.smdvs.lifecycle import Act, Side
from clients.smdvs.next_steps import NextStep
from clients.smdvs.persons import Viewer
from clients.smdvs.reports import ReportView
from clients.smdvs.storage.reports import ReportRow
from clients.smdvs.storage.sessions import BrowserSession
from clients.smdvs.vocabulary import Status

blueprint = Blueprint("report_pages", __name__, url_prefix="/smdvs")


@dataclass(frozen=True)
class Seen:
    """A report that somebody signed in is looking at."""

    session: BrowserSession
    viewer: Viewer
    view: ReportView

    @property
    def side(self) -> Side:
        """On which side of the report the viewer stands."""
        return Side.REGULATOR if self.viewer.is_regulator else Side.ENTERPRISE


@blueprint.get("/reports")
def list_reports() -> Response:
    """The reports that this person may read."""
    row = doors.session_or_login("")
    reader = doors.reader(row)
    asked = search.read(request.args.getlist)
    number = min(max(request.args.get("page", 1, type=int), 1), search.LAST_PAGE)
    page = search.find_page(system(), reader, asked.filters, number)
    status = 422 if asked.faults else 200
    side = Side.REGULATOR if reader.enterprise_credit_code is None else Side.ENTERPRISE
    return pages.render(
        "reports.html",
        status,
        session=row,
        page=page,
        reader=reader,
        asked=asked,
        todo=todo.of_enterprise(system(), reader, clock.now()),
        late=todo.of_regulator(system(), reader, clock.now()),
        queues=queues.queues(system(), reader, asked.filters, clock.now()),
        step_of=lambda found: _step(found, side),
    )


@blueprint.get("/reports/<report_no>")
def show_report(report_no: str) -> Response:
    """One report with its history and what to do next."""
    row = doors.session_or_login(report_no)
    seen = find(row, doors.reader(row), report_no)
    if seen is None:
        return absent()
    return detail(seen, new="submitted" in request.args, done=messages.DONE.get(request.args.get("done", "")))


@blueprint.get("/reports/<report_no>/versions/<int:number>")
def show_version(report_no: str, number: int) -> Response:
    """One act of a report: what it says, and what it says differently."""
    row = doors.session_or_login(report_no)
    seen = find(row, doors.reader(row), report_no)
    report = shown_reports.shown(seen.view, seen.viewer) if seen is not None else None
    entry = report.entry(number) if report is not None else None
    if seen is None or report is None or entry is None:
        return absent()
    compared = shown_reports.shown_changes(seen.view, seen.viewer, number)
    return pages.render("version.html", session=row, report=report, entry=entry, compared=compared)


def _step(row: ReportRow, side: Side) -> NextStep:
    """What that side does next to a report."""
    return next_steps.next_step(Status(row.status), side, has_final=row.final_received_at is not None)


def find(row: BrowserSession, reader: Reader, report_no: str, *, disclosed: bool = False) -> Seen | None:
    """The report, if this person may read it."""
    view = reports.find(system(), reader, report_no)
    viewer = Viewer(reader.sub, row.account_type, reader.enterprise_credit_code, disclosed)
    return None if view is None else Seen(row, viewer, view)


def absent() -> Response:
    """No such report, or none that this person may know of: nobody can tell which."""
    return pages.message("没有这份上报", "上报编号不存在，或不属于您当前代表的企业。", 404)


def detail(seen: Seen, status: int = 200, **values: Any) -> Response:
    """The page of one report; ``values`` are what a form on it was answered with."""
    report = shown_reports.shown(seen.view, seen.viewer)
    stands, has_final = Status(report.row.status), report.row.final_received_at is not None
    looks = accesses.of_report(system(), report.row.id) if seen.viewer.is_regulator else []
    return pages.render(
        "report.html",
        status,
        **{"fields": {}, "errors": {}, "act": None} | values,
        session=seen.session,
        viewer=seen.viewer,
        report=report,
        step=_step(report.row, seen.side),
        stages=next_steps.stages(stands, report.passed),
        button=lambda act: next_steps.button(Act(act), stands, has_final=has_final),
        timeline=shown_reports.timeline(report.entries, looks),
    )

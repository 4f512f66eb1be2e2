"""``/smdvs/reports/<report_no>/print``: one report for paper, people as the viewer may see them."""

from __future__ import annotations

from flask import Blueprint, Response

from clients.rp import clock
from clients.smdvs import doors, pages, report_pages, shown_reports

blueprint = Blueprint("print_pages", __name__, url_prefix="/smdvs")


@blueprint.get("/reports/<report_no>/print")
def print_report(report_no: str) -> Response:
    """What the report says now, its history with the digests, and lines to sign on."""
    row = doors.session_or_login(report_no)
    seen = report_pages.find(row, doors.reader(row), report_no)
    if seen is None:
        return report_pages.absent()
    report = shown_reports.shown(seen.view, seen.viewer)
    return pages.render("print.html", session=row, report=report, printed_at=clock.now())

"""Reports as they are read: the list, and one report with its history."""

from __future__ import annotations

from flask import Blueprint, Response, request

from clients.smdvs import doors, pages, reports, search
from clients.smdvs.cookies import system

blueprint = Blueprint("report_pages", __name__, url_prefix="/smdvs")


@blueprint.get("/reports")
def list_reports() -> Response:
    """The reports that this person may read."""
    row = doors.session_or_login("")
    reader = doors.reader(row)
    asked = search.read(request.args.getlist)
    number = min(max(request.args.get("page", 1, type=int), 1), search.LAST_PAGE)
    page = search.find_page(system(), reader, asked.filters, number)
    status = 422 if asked.faults else 200
    return pages.render("reports.html", status, session=row, page=page, reader=reader, asked=asked)


@blueprint.get("/reports/<report_no>")
def show_report(report_no: str) -> Response:
    """One report with its history."""
    row = doors.session_or_login(report_no)
    view = reports.find(system(), doors.reader(row), report_no)
    if view is None:
        return pages.message("没有这份上报", "上报编号不存在，或不属于您当前代表的企业。", 404)
    return pages.render("report.html", session=row, view=view, new="submitted" in request.args)

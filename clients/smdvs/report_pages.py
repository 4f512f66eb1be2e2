"""Reports as they are read: the list, and one report with its history."""

from __future__ import annotations

from flask import Blueprint, Response, request

from clients.smdvs import doors, pages, reports
from clients.smdvs.cookies import system

blueprint = Blueprint("report_pages", __name__, url_prefix="/smdvs")

PAGE_SIZE = 20
MAX_PAGE = 100_000


@blueprint.get("/reports")
def list_reports() -> Response:
    """The reports that this person may read."""
    row = doors.session_or_login("")
    reader = doors.reader(row)
    number = request.args.get("page", 1, type=int)
    page = reports.list_page(system(), reader, min(max(number, 1), MAX_PAGE), PAGE_SIZE)
    return pages.render("reports.html", session=row, page=page, reader=reader)


@blueprint.get("/reports/<report_no>")
def show_report(report_no: str) -> Response:
    """One report with its history."""
    row = doors.session_or_login(report_no)
    view = reports.find(system(), doors.reader(row), report_no)
    if view is None:
        return pages.message("没有这份上报", "上报编号不存在，或不属于您当前代表的企业。", 404)
    return pages.render("report.html", session=row, view=view, new="submitted" in request.args)

"""``/smdvs/reports/export``: the list as a file, with the same filters, for those who may read it."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, request, send_file

from clients.rp import clock
from clients.smdvs import doors, export, pages, search
from clients.smdvs.cookies import system
from clients.smdvs.export import Format
from clients.smdvs.labels import FIELDS
from clients.smdvs.report import CHINA_TIME
from clients.smdvs.search import Asked

blueprint = Blueprint("export_pages", __name__, url_prefix="/smdvs")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/reports/export")
def export_reports() -> Response:
    """The reports that this person may read and the filters leave; ``format`` is ``xlsx`` or ``csv``."""
    reader, now = doors.reader(doors.session_or_login("")), clock.now()
    asked, name = search.read(request.args.getlist), request.args.get("format", Format.XLSX)
    if name not in set(Format):
        return pages.message("没有这种格式", "可以导出 XLSX 或 CSV。", 400)
    if asked.faults:
        return _faulty(asked)
    kind = Format(name)
    reports = export.count(system(), reader, kind, asked.filters, now)
    if reports > export.MOST[kind]:
        return _too_many(kind)
    export.record(system(), reader, kind, asked.filters, reports, now)
    found = export.lines(system(), reader, asked.filters, now)
    if kind is Format.CSV:
        return _private(Response(export.csv_chunks(found), mimetype="text/csv"), kind, now)
    return _private(send_file(export.xlsx_file(found), mimetype=XLSX), kind, now)


def _faulty(asked: Asked) -> Response:
    """A file must not hold more than was asked for: nothing is exported until every filter is right."""
    faults = "；".join(f"{FIELDS[name]}：{text}" for name, text in asked.errors.items())
    return pages.message("筛选条件有误，没有导出", f"{faults}。请返回列表修改后再导出。", 422)


def _too_many(kind: Format) -> Response:
    other = "，或改为导出 CSV" if kind is Format.XLSX else ""
    text = f"{kind.upper()} 一次最多导出 {export.MOST[kind]} 份，请缩小范围后再导出{other}。"
    return pages.message("导出的内容过多", text, 422)


def _private(response: Response, kind: Format, now: datetime) -> Response:
    name = f"smdvs-reports-{now.astimezone(CHINA_TIME):%Y%m%d}.{kind}"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response

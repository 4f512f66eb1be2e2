"""Reading by the JSON API: lists, reports, their versions."""

from __future__ import annotations

from flask import Response, abort

from clients.smdvs import answers, callers, conditions, problems, receipts, reports, search
from clients.smdvs.access import READ_SCOPE
from clients.smdvs.answers import HistoryEntry, ReportList, VersionAnswer, VersionList, WholeReport
from clients.smdvs.conditions import IF_NONE_MATCH, Paging
from clients.smdvs.cookies import system
from clients.smdvs.filters import Filters
from clients.smdvs.lifecycle import CONTENT
from clients.smdvs.operations import operation
from clients.smdvs.reports import Entry, ReportView


@operation(
    "GET",
    "/reports",
    summary="本企业（监管人员：全部）的上报，新的在前",
    description="筛选条件可以组合，同一条件可给出多个值；翻页地址见 Link 响应头（RFC 8288）。",
    scope=READ_SCOPE,
    query=(Filters, Paging),
    answer=ReportList,
    answer_headers=("Link",),
    refusals=(400, 401, 403, 503),
)
def list_reports() -> Response:
    """A page of the reports that the token opens."""
    reader = callers.reader()
    narrowed, wanted = conditions.asked_filters(), conditions.paging()
    page = search.find_page(system(), reader, narrowed, wanted.page, wanted.per_page)
    listed = ReportList(
        reports=tuple(receipts.summary(row) for row in page.rows),
        page=page.number,
        per_page=page.size,
        total=page.total,
        more=page.more,
    )
    base = f"{system().settings.resource}/reports"
    link = conditions.links(base, narrowed, wanted, page.count, more=page.more and bool(page.rows))
    return answers.private(listed, headers={"Link": link})


@operation(
    "GET",
    "/reports/{report_no}",
    summary="一份上报及其历史",
    description="ETag 是上报的版本，修改时放入 If-Match。",
    scope=READ_SCOPE,
    answer=WholeReport,
    request_headers=(IF_NONE_MATCH,),
    answer_headers=("ETag",),
    not_modified=True,
    refusals=(401, 403, 404, 503),
)
def show_report(report_no: str) -> Response:
    """One report with its content and history."""
    view = _view(report_no)
    unchanged = conditions.not_modified(view.row.version)
    if unchanged is not None:
        return unchanged
    return answers.private(_whole(view), headers={"ETag": answers.etag(view.row.version)})


@operation(
    "GET",
    "/reports/{report_no}/versions",
    summary="一份上报的全部版本",
    scope=READ_SCOPE,
    answer=VersionList,
    answer_headers=("ETag",),
    refusals=(401, 403, 404, 503),
)
def list_versions(report_no: str) -> Response:
    """Every act of a report, without what was said."""
    view = _view(report_no)
    listed = VersionList(report_no=report_no, versions=tuple(_entry(entry) for entry in view.history))
    return answers.private(listed, headers={"ETag": answers.etag(view.row.version)})


@operation(
    "GET",
    "/reports/{report_no}/versions/{version}",
    summary="一份上报的一个版本",
    scope=READ_SCOPE,
    answer=VersionAnswer,
    refusals=(401, 403, 404, 503),
)
def show_version(report_no: str, version: str) -> Response:
    """One act of a report with what was said, people masked."""
    found = next((entry for entry in _view(report_no).history if str(entry.version.version) == version), None)
    if found is None:
        return problems.not_found()
    document = found.masked if found.act in CONTENT else found.document
    said = VersionAnswer(report_no=report_no, document=document, **_entry(found).model_dump())
    return answers.private(said)


def _view(report_no: str) -> ReportView:
    """The report; answers with the problem when there is none for this caller."""
    view = reports.find(system(), callers.reader(), report_no)
    return view or abort(problems.not_found())


def _whole(view: ReportView) -> WholeReport:
    return WholeReport(
        **dict(receipts.summary(view.row)),
        report=view.document,
        result=view.result,
        history=tuple(_entry(entry) for entry in view.history),
        chain_intact=view.broken is None,
    )


def _entry(entry: Entry) -> HistoryEntry:
    act = entry.version
    return HistoryEntry(
        version=act.version,
        kind=entry.act,
        channel=act.channel,
        client_id=act.client_id,
        submitted_by=act.sub,
        account_type=act.account_type,
        enterprise_credit_code=act.enterprise_credit_code,
        handler_authorization_id=act.handler_authorization_id,
        received_at=act.received_at,
        reason=act.reason,
        digest=act.digest,
        previous_digest=act.previous_digest,
    )

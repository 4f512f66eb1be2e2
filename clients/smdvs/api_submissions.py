"""Submitting by the JSON API: the first report, later versions, a withdrawal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from flask import Response, abort
from pydantic import Field

from clients.rp import clock
from clients.rp.entitlement import Reporter
from clients.smdvs import (
    answers,
    callers,
    conditions,
    documents,
    messages,
    problems,
    receipts,
    reports,
    submissions,
)
from clients.smdvs.access import SUBMIT_SCOPE
from clients.smdvs.answers import Receipt
from clients.smdvs.attachment_kinds import MAX_A_REPORT
from clients.smdvs.conditions import IDEMPOTENCY_KEY, IF_MATCH
from clients.smdvs.cookies import system
from clients.smdvs.deadlines import Due, Measure
from clients.smdvs.detailed import DetailedReport, FinalResult
from clients.smdvs.documents import Fault
from clients.smdvs.fields import Note
from clients.smdvs.lifecycle import Act, NotNow, Side, possible
from clients.smdvs.operations import Body, operation
from clients.smdvs.report import Part, Report
from clients.smdvs.storage.reports import ReportRow
from clients.smdvs.submissions import Accepted, Changed, KeyReused, NotFound, Refused, Unattached
from clients.smdvs.versions import Origin

ORIGIN = Origin("api")
REFUSALS = (400, 401, 403, 413, 415, 422, 503)
LATER_REFUSALS = (400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 503)
SAME_KEY = "同一 Idempotency-Key 与同一内容总得到同一答复，另一内容是 422。"

P = TypeVar("P", bound=Part)


Attachments = Annotated[
    tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=MAX_A_REPORT, exclude=True)
]


class InitialRequest(Report):
    """快报, with the ids of files that were uploaded for it."""

    attachment_ids: Attachments = ()


class SupplementRequest(Part):
    """续报: the whole report, as it is known now."""

    kind: Literal["supplement"]
    report: Report
    attachment_ids: Attachments = ()

    @property
    def content(self) -> Part:
        """What the version says."""
        return self.report


class DetailedRequest(Part):
    """详报, also the correction after it was returned."""

    kind: Literal["detailed"]
    report: DetailedReport
    attachment_ids: Attachments = ()

    @property
    def content(self) -> Part:
        """What the version says."""
        return self.report


class FinalRequest(Part):
    """调查结果: without it a report is not closed."""

    kind: Literal["final"]
    result: FinalResult
    attachment_ids: Attachments = ()

    @property
    def content(self) -> Part:
        """What the version says."""
        return self.result


class VoidRequest(Part):
    """作废, for a reason."""

    reason: Note


VersionRequest = SupplementRequest | DetailedRequest | FinalRequest
VERSIONS: Mapping[str, tuple[type[VersionRequest], Due | None]] = {
    Act.SUPPLEMENT: (SupplementRequest, None),
    Act.DETAILED: (DetailedRequest, Due.DETAILED),
    Act.FINAL: (FinalRequest, None),
}


@operation(
    "POST",
    "/reports",
    summary="提交事故快报",
    description=f"企业须与访问令牌中的企业一致。{SAME_KEY}",
    scope=SUBMIT_SCOPE,
    body=Body((InitialRequest,)),
    status=201,
    answer=Receipt,
    request_headers=(IDEMPOTENCY_KEY,),
    answer_headers=("Location", "ETag"),
    refusals=REFUSALS,
)
def submit_report() -> Response:
    """Take in an initial report."""
    now = clock.now()
    known = callers.caller(now)
    key, body = conditions.idempotency_key(), conditions.json_body()
    who = callers.reporter(known, _enterprise(body), "/enterprise_credit_code")
    report = _checked(
        InitialRequest, body, who, key, Measure(system().settings.deadline_policy, Due.INITIAL), now
    )
    return _answered(_submitted(who, report, key, now))


@operation(
    "POST",
    "/reports/{report_no}/versions",
    summary="提交续报、详报、调查结果",
    description=f"kind 决定内容；If-Match 是您所依据的版本。{SAME_KEY}",
    scope=SUBMIT_SCOPE,
    body=Body(tuple(model for model, _ in VERSIONS.values())),
    status=201,
    answer=Receipt,
    request_headers=(IDEMPOTENCY_KEY, IF_MATCH),
    answer_headers=("Location", "ETag"),
    refusals=LATER_REFUSALS,
)
def submit_version(report_no: str) -> Response:
    """Take in a later version of a report."""
    now = clock.now()
    known = callers.caller(now)
    key, body = conditions.idempotency_key(), conditions.json_body()
    who = callers.reporter(known, _enterprise(body.get("report")), "/report/enterprise_credit_code")
    row = _own(who, report_no)
    expected = conditions.known_version(row.version)
    model, due = _kind(body)
    asked = _checked(model, body, who, key, Measure(row.deadline_policy, due), now)
    outcome = submissions.submit_version(
        system(),
        who,
        report_no,
        Act(asked.kind),
        asked.content,
        ORIGIN,
        key,
        expected,
        now,
        asked.attachment_ids,
    )
    return _answered(outcome)


@operation(
    "POST",
    "/reports/{report_no}/void",
    summary="审核开始前作废一份上报",
    description=f"If-Match 是您所依据的版本。{SAME_KEY}",
    scope=SUBMIT_SCOPE,
    body=Body((VoidRequest,)),
    status=201,
    answer=Receipt,
    request_headers=(IDEMPOTENCY_KEY, IF_MATCH),
    answer_headers=("Location", "ETag"),
    refusals=LATER_REFUSALS,
)
def void_report(report_no: str) -> Response:
    """Withdraw a report before its review."""
    now = clock.now()
    known = callers.caller(now)
    key, body = conditions.idempotency_key(), conditions.json_body()
    who = callers.reporter(known)
    row = _own(who, report_no)
    expected = conditions.known_version(row.version)
    asked = _checked(VoidRequest, body, who, key, Measure(row.deadline_policy), now)
    outcome = submissions.void(system(), who, report_no, asked.reason, ORIGIN, key, expected, now)
    return _answered(outcome)


def _submitted(
    who: Reporter, report: InitialRequest, key: str | None, now: datetime
) -> Accepted | KeyReused | Unattached:
    files = report.attachment_ids
    return submissions.submit_initial(system(), who, report, ORIGIN, key, now, files)


def _enterprise(document: Any) -> str | None:
    """The enterprise that a document names, as far as it is one."""
    named = document.get("enterprise_credit_code") if isinstance(document, dict) else None
    return named.strip().upper() if isinstance(named, str) else None


def _own(who: Reporter, report_no: str) -> ReportRow:
    """The enterprise's own report; answers with the problem when it has none of that number."""
    row = reports.find_row(system(), who.enterprise_credit_code, report_no)
    return row or abort(problems.not_found())


def _kind(body: Mapping[str, Any]) -> tuple[type[VersionRequest], Due | None]:
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in VERSIONS:
        abort(problems.invalid_report((Fault(("kind",), "missing" if kind is None else "enum", {}),)))
    return VERSIONS[kind]


def _checked(
    model: type[P], body: dict[str, Any], who: Reporter, key: str | None, measure: Measure, now: datetime
) -> P:
    """The body as its model; answers with the problem otherwise. What has been accepted under this key is
    checked as of then: sent again after its deadline, it is not late.
    """
    checked = documents.part_from_json(model, body, now, measure)
    if isinstance(checked, tuple) and (before := submissions.first_sent_at(system(), who, key)):
        checked = documents.part_from_json(model, body, before, measure)
    if isinstance(checked, tuple):
        abort(problems.invalid_report(checked))
    return checked


def _answered(outcome: Accepted | Refused) -> Response:
    if isinstance(outcome, Accepted):
        return _receipt(outcome)
    if isinstance(outcome, KeyReused):
        detail = "这个 Idempotency-Key 已用于另一份内容"
        return problems.problem(422, "idempotency_key_reused", detail, field=IDEMPOTENCY_KEY)
    if isinstance(outcome, NotFound):
        return problems.not_found()
    if isinstance(outcome, Unattached):
        return _unattached(outcome)
    return _stale(outcome) if isinstance(outcome, Changed) else _not_now(outcome)


def _receipt(accepted: Accepted) -> Response:
    where = f"{system().settings.resource}/reports/{accepted.report_no}"
    if accepted.version > 1:
        where += f"/versions/{accepted.version}"
    headers = {"Location": where, "ETag": answers.etag(accepted.version)}
    return answers.private(receipts.receipt(system(), accepted.report_no, accepted.version), 201, headers)


def _unattached(outcome: Unattached) -> Response:
    detail = messages.fault_text(outcome.faults[0])
    return problems.problem(422, outcome.faults[0].code, detail, field="/attachment_ids")


def _stale(changed: Changed) -> Response:
    detail = f"这份上报已有第 {changed.version} 版，请重新查询后再提交"
    response = problems.problem(
        412, "precondition_failed", detail, field=IF_MATCH, current_version=changed.version
    )
    response.headers["ETag"] = answers.etag(changed.version)
    return response


def _not_now(not_now: NotNow) -> Response:
    now_possible = possible(not_now.status, Side.ENTERPRISE)
    return problems.problem(
        409,
        not_now.code,
        "这份上报当前的状态不允许这样办理",
        report_status=not_now.status,
        possible=now_possible,
    )

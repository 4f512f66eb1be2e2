"""The JSON API under ``/smdvs/api/v1``, for programs with an access token (Bearer or DPoP)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from clients.rp import clock, dpop
from clients.rp.entitlement import Reader
from clients.rp.errors import Refusal
from clients.smdvs import access, documents, openapi, problems, reports, submissions
from clients.smdvs.cookies import system
from clients.smdvs.deadlines import Due, Measure
from clients.smdvs.messages import BODY_FAULTS
from clients.smdvs.report import Report
from clients.smdvs.reports import ReportView
from clients.smdvs.storage import seen
from clients.smdvs.storage.reports import ReportRow
from clients.smdvs.submissions import KeyReused
from clients.smdvs.versions import Origin

blueprint = Blueprint("api", __name__, url_prefix="/smdvs/api/v1")

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
MAX_PAGE = 100_000
MAX_KEY = 255


@dataclass(frozen=True)
class Presented:
    """The access token of a request, and its claims by signature and clock."""

    token: str
    claims: Mapping[str, Any]


@blueprint.get("/openapi.json")
def describe() -> Response:
    """The OpenAPI 3.1 document of this API."""
    return jsonify(openapi.document(system().settings, clock.now()))


@blueprint.post("/reports")
def submit() -> Response:
    """Take in an initial report."""
    now = clock.now()
    presented = _presented(now)
    key, body = _idempotency_key(), _json_body()
    named = body.get("enterprise_credit_code")
    enterprise = named.strip().upper() if isinstance(named, str) else None
    reporter = access.reporter_from(system(), presented.token, presented.claims, enterprise)
    if isinstance(reporter, Refusal):
        return problems.refused(reporter)
    measure = Measure(system().settings.deadline_policy, Due.INITIAL)
    report = documents.report_from_json(body, now, measure)
    if not isinstance(report, Report):
        return problems.invalid_report(report)
    stored = submissions.submit_initial(system(), reporter, report, Origin("api"), key, now)
    if isinstance(stored, KeyReused):
        detail = "这个 Idempotency-Key 已用于另一份内容"
        return problems.problem(422, "idempotency_key_reused", detail, field="Idempotency-Key")
    return _created(stored.report_no)


@blueprint.get("/reports")
def list_reports() -> Response:
    """A page of the reports that the token opens."""
    reader = _reader()
    number, size = _number("page", 1, MAX_PAGE), _number("per_page", PAGE_SIZE, MAX_PAGE_SIZE)
    page = reports.list_page(system(), reader, number, size)
    summaries = [_summary(row) for row in page.rows]
    return _private({"reports": summaries, "page": page.number, "per_page": page.size, "total": page.total})


@blueprint.get("/reports/<report_no>")
def show_report(report_no: str) -> Response:
    """One report with its document and history."""
    view = reports.find(system(), _reader(), report_no)
    if view is None:
        return problems.problem(404, "not_found", "没有这份上报，或它不属于您的企业")
    return _private(_whole(view))


def _presented(now: datetime) -> Presented:
    """The token, checked as far as its signature goes; answers with the problem otherwise."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "dpop") or not token.strip():
        abort(problems.unauthenticated())
    token = token.strip()
    proof = _proof(token, now) if scheme.lower() == "dpop" else None
    claims = access.claims_from(system(), token, now, proof.key_thumbprint if proof else None)
    if isinstance(claims, Refusal):
        abort(problems.refused(claims))
    # Last, so that nobody without a good token makes us remember anything.
    if proof is not None and not _first_use(proof, now):
        abort(problems.bad_proof())
    return Presented(token, claims)


def _proof(token: str, now: datetime) -> dpop.Proof:
    proofs = request.headers.getlist("DPoP")
    # The address that people use, not the one that a proxy made of it.
    url = system().settings.public_url + request.path
    proof = dpop.process_proof(proofs[0], request.method, url, token, now) if len(proofs) == 1 else None
    return proof or abort(problems.bad_proof())


def _first_use(proof: dpop.Proof, now: datetime) -> bool:
    identifier = hashlib.sha256(f"{proof.key_thumbprint}\0{proof.jti}".encode()).hexdigest()
    with system().database.transaction(durable=False) as session:
        return seen.claim(session, "dpop", identifier, now, proof.expires_at)


def _reader() -> Reader:
    presented = _presented(clock.now())
    reader = access.reader_from(system(), presented.token, presented.claims)
    if isinstance(reader, Refusal):
        abort(problems.refused(reader))
    return reader


def _idempotency_key() -> str | None:
    keys = request.headers.getlist("Idempotency-Key")
    if not keys:
        return None
    if len(keys) > 1 or not 0 < len(keys[0]) <= MAX_KEY or not keys[0].isascii() or not keys[0].isprintable():
        detail = f"Idempotency-Key 应为 1 至 {MAX_KEY} 个可见 ASCII 字符"
        abort(problems.problem(400, "invalid_idempotency_key", detail, field="Idempotency-Key"))
    return keys[0]


def _json_body() -> dict[str, Any]:
    if request.mimetype != "application/json":
        abort(problems.problem(415, "unsupported_media_type", "请求内容应为 application/json"))
    try:
        return documents.parse_json(request.get_data())
    except documents.NotJson as error:
        abort(problems.problem(400, error.code, BODY_FAULTS[error.code]))


def _number(name: str, default: int, most: int) -> int:
    text = request.args.get(name, str(default))
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    if not 1 <= number <= most:
        detail = f"{name} 应为 1 至 {most} 的整数"
        abort(problems.problem(400, "invalid_parameter", detail, field=name))
    return number


def _created(report_no: str) -> Response:
    response = _private(_summary(reports.get_row(system(), report_no)))
    response.status_code = 201
    response.headers["Location"] = f"{system().settings.resource}/reports/{report_no}"
    return response


def _private(body: dict[str, Any]) -> Response:
    response = jsonify(body)
    response.headers["Cache-Control"] = "no-store"
    return response


def _summary(row: ReportRow) -> dict[str, Any]:
    return {
        "report_no": row.report_no,
        "status": row.status,
        "enterprise_credit_code": row.enterprise_credit_code,
        "accident_type": row.accident_type,
        "vins": row.vins.split(),
        "occurred_at": row.occurred_at.isoformat(),
        "received_at": row.received_at.isoformat(),
        "deadline": {
            "policy": row.deadline_policy,
            "class": row.deadline_class,
            "due_at": row.due_at.isoformat(),
            "overdue": row.initial_overdue,
        },
    }


def _whole(view: ReportView) -> dict[str, Any]:
    history = [
        {
            "version": entry.version.version,
            "kind": entry.version.kind,
            "channel": entry.version.channel,
            "client_id": entry.version.client_id,
            "submitted_by": entry.version.sub,
            "account_type": entry.version.account_type,
            "enterprise_credit_code": entry.version.enterprise_credit_code,
            "handler_authorization_id": entry.version.handler_authorization_id,
            "received_at": entry.version.received_at.isoformat(),
            "digest": entry.version.digest,
        }
        for entry in view.history
    ]
    return {**_summary(view.row), "report": view.document, "history": history}

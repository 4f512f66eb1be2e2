"""The pages of smdvs: home, list, form, detail."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, request

from clients.rp import clock
from clients.rp.entitlement import Reader, Reporter
from clients.rp.errors import ProviderUnavailable, Refusal
from clients.smdvs import (
    access,
    cookies,
    deadline_words,
    documents,
    forms,
    messages,
    pages,
    reports,
    sessions,
    submissions,
)
from clients.smdvs.cookies import system
from clients.smdvs.deadlines import Due, Measure
from clients.smdvs.documents import Fault
from clients.smdvs.forms import Fields
from clients.smdvs.report import CHINA_TIME, MAX_VEHICLES, Report
from clients.smdvs.sessions import SessionEnded
from clients.smdvs.storage.database import DatabaseUnavailable
from clients.smdvs.storage.sessions import BrowserSession
from clients.smdvs.submissions import KeyReused
from clients.smdvs.versions import Origin

blueprint = Blueprint("browser", __name__, url_prefix="/smdvs")

PAGE_SIZE = 20
MAX_PAGE = 100_000


@blueprint.get("/")
def home() -> Response:
    """首页: what this is, how to get in."""
    row = _find_session()
    return pages.render("home.html", session=row, signed_out=row is None and "state" in request.args)


@blueprint.get("/reports")
def list_reports() -> Response:
    """The reports that this person may read."""
    row = _session_or_login("")
    reader = _reader(row)
    number = request.args.get("page", 1, type=int)
    page = reports.list_page(system(), reader, min(max(number, 1), MAX_PAGE), PAGE_SIZE)
    return pages.render("reports.html", session=row, page=page, reader=reader)


@blueprint.get("/reports/<report_no>")
def show_report(report_no: str) -> Response:
    """One report with its history."""
    row = _session_or_login(report_no)
    view = reports.find(system(), _reader(row), report_no)
    if view is None:
        return pages.message("没有这份上报", "上报编号不存在，或不属于您当前代表的企业。", 404)
    return pages.render("report.html", session=row, view=view, new="submitted" in request.args)


@blueprint.get("/reports/new")
def new_report() -> Response:
    """An empty form, with what is known filled in."""
    row = _session_or_login("new")
    reporter = _entitled(row)
    if isinstance(reporter, Refusal):
        return _shut(row, reporter)
    return _form(row, _prefilled(row))


@blueprint.post("/reports/new")
def submit_report() -> Response:
    """Take the form in. Whatever goes wrong, the answer still holds what was typed, and nothing is stored."""
    fields = forms.parse(request.content_type, request.get_data())
    row = _find_session()
    if not cookies.csrf_valid(fields.get("csrf_token", "")):
        return _form(row, fields, 400, notice=messages.BODY_FAULTS["csrf"])
    action = fields.get("action", "submit")
    if action != "submit":
        return _form(row, _changed(fields, action))
    if row is None:
        return _form(None, fields, 401, notice=messages.SESSION_ENDED, ended=True)
    try:
        return _submit(row, fields)
    except ProviderUnavailable:
        return _form(row, fields, 503, notice=messages.UNAVAILABLE)
    except DatabaseUnavailable:
        return _form(row, fields, 503, notice=messages.BUSY)


def _submit(row: BrowserSession, fields: Fields) -> Response:
    reporter = _entitled(row, fields.get("enterprise_credit_code"))
    if isinstance(reporter, Refusal):
        return _refused_form(row, fields, reporter)
    now = clock.now()
    measure = Measure(system().settings.deadline_policy, Due.INITIAL)
    report = documents.report_from_form(forms.document(fields), now, measure)
    if not isinstance(report, Report):
        return _form(row, fields, 422, faults=report)
    origin = Origin("browser", sessions.person(system(), row).name, row.enterprise_name or "")
    key = fields.get("submission_key") or None
    stored = submissions.submit_initial(system(), reporter, report, origin, key, now)
    if isinstance(stored, KeyReused):
        fields = {**fields, "submission_key": _submission_key()}
        notice = "这份表单已经提交过一次，随后又有改动。如确需再次上报，请核对后重新提交。"
        return _form(row, fields, 409, notice=notice)
    return make_response(redirect(f"{pages.HOME}reports/{stored.report_no}?submitted", 303))


def _entitled(row: BrowserSession, enterprise: str | None = None) -> Reporter | Refusal:
    token = sessions.access_token(system(), row)
    if isinstance(token, SessionEnded):
        return access.REVOKED
    claims = access.claims_from(system(), token, clock.now(), system().client.key_thumbprint)
    return (
        claims if isinstance(claims, Refusal) else access.reporter_from(system(), token, claims, enterprise)
    )


def _reader(row: BrowserSession) -> Reader:
    """Who reads; answers with the refusal page otherwise."""
    token = sessions.access_token(system(), row)
    if isinstance(token, SessionEnded):
        abort(_shut(row, access.REVOKED))
    claims = access.claims_from(system(), token, clock.now(), system().client.key_thumbprint)
    reader = claims if isinstance(claims, Refusal) else access.reader_from(system(), token, claims)
    if isinstance(reader, Refusal):
        abort(_shut(row, reader))
    return reader


def _shut(row: BrowserSession, refusal: Refusal) -> Response:
    """The refusal page; a token that is no good ends the session that holds it."""
    if refusal.status == 401:
        sessions.end(system(), row)
        response = pages.refused(refusal)
        cookies.drop(response, cookies.SESSION)
        return response
    return pages.refused(refusal, session=row)


def _refused_form(row: BrowserSession, fields: Fields, refusal: Refusal) -> Response:
    notice, ended = messages.reason_text(refusal.reason), refusal.status == 401
    if ended:
        sessions.end(system(), row)
    return _form(None if ended else row, fields, refusal.status, notice=notice, ended=ended)


def _form(row: BrowserSession | None, fields: Fields, status: int = 200, **values: Any) -> Response:
    faults: tuple[Fault, ...] = values.pop("faults", ())
    measure = Measure(system().settings.deadline_policy, Due.INITIAL)
    return pages.render(
        "report_form.html",
        status,
        session=row,
        fields=fields,
        vehicles=range(forms.vehicle_count(fields)),
        max_vehicles=MAX_VEHICLES,
        faults=faults,
        deadline=deadline_words.hint(fields, measure, clock.now()),
        errors={fault.name: messages.fault_text(fault) for fault in reversed(faults)},
        **values,
    )


def _prefilled(row: BrowserSession) -> Fields:
    return {
        "submission_key": _submission_key(),
        "enterprise_credit_code": row.enterprise_credit_code or "",
        "reporter_phone": sessions.person(system(), row).phone,
        "learned_at": f"{clock.now().astimezone(CHINA_TIME):%Y-%m-%dT%H:%M}",
        **dict.fromkeys(("deaths", "injured_heavy", "injured_light", "property_loss"), "0"),
        "major_social_impact": "false",
        "preliminary_cause": "under_investigation",
    }


def _changed(fields: Fields, action: str) -> Fields:
    """The buttons that change the form instead of sending it."""
    if action == "add_vehicle":
        return forms.with_vehicle(fields)
    index = action.removeprefix("remove_vehicle_")
    return forms.without_vehicle(fields, int(index)) if index.isdecimal() and len(index) < 3 else fields


def _submission_key() -> str:
    return secrets.token_urlsafe(16)


def _find_session() -> BrowserSession | None:
    return sessions.find(system(), request.cookies.get(cookies.SESSION), clock.now())


def _session_or_login(then: str) -> BrowserSession:
    """The session; answers with the way to sign in otherwise."""
    row = _find_session()
    if row is None:
        abort(make_response(redirect(f"{pages.HOME}login?then={then}", 303)))
    return row

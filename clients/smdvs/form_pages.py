"""The form of a report: empty, refused with what was typed, submitted."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, make_response, redirect

from clients.rp import clock
from clients.rp.errors import ProviderUnavailable, Refusal
from clients.smdvs import (
    attachment_forms,
    cookies,
    deadline_words,
    documents,
    doors,
    forms,
    messages,
    pages,
    sessions,
    submissions,
    uploads,
)
from clients.smdvs.attachments import Upload
from clients.smdvs.cookies import system
from clients.smdvs.deadlines import Due, Measure
from clients.smdvs.documents import Fault
from clients.smdvs.forms import Fields
from clients.smdvs.report import CHINA_TIME, MAX_VEHICLES, Report
from clients.smdvs.storage.database import DatabaseUnavailable
from clients.smdvs.storage.sessions import BrowserSession
from clients.smdvs.submissions import KeyReused, Unattached
from clients.smdvs.versions import Origin

blueprint = Blueprint("form_pages", __name__, url_prefix="/smdvs")


@blueprint.get("/reports/new")
def new_report() -> Response:
    """An empty form, with what is known filled in."""
    row = doors.session_or_login("new")
    reporter = doors.entitled(row)
    if isinstance(reporter, Refusal):
        return doors.shut(row, reporter)
    return _form(row, _prefilled(row))


@blueprint.post("/reports/new")
def submit_report() -> Response:
    """Take the form in. Whatever goes wrong, the answer still holds what was typed, and nothing is stored."""
    fields, upload = uploads.form()
    row = doors.find_session()
    if not cookies.csrf_valid(fields.get("csrf_token", "")):
        return _form(row, fields, 400, notice=messages.BODY_FAULTS["csrf"])
    action = fields.get("action", "submit")
    if action != "submit":
        return _pressed(row, fields, upload, action)
    if row is None:
        return _form(None, fields, 401, notice=messages.SESSION_ENDED, ended=True)
    try:
        return _submit(row, fields)
    except ProviderUnavailable:
        return _form(row, fields, 503, notice=messages.UNAVAILABLE)
    except DatabaseUnavailable:
        return _form(row, fields, 503, notice=messages.BUSY)


def _submit(row: BrowserSession, fields: Fields) -> Response:
    reporter = doors.entitled(row, fields.get("enterprise_credit_code"))
    if isinstance(reporter, Refusal):
        return _refused_form(row, fields, reporter)
    now = clock.now()
    measure = Measure(system().settings.deadline_policy, Due.INITIAL)
    report = documents.report_from_form(forms.document(fields), now, measure)
    if not isinstance(report, Report):
        return _form(row, fields, 422, faults=report)
    origin = Origin("browser", sessions.person(system(), row).name, row.enterprise_name or "")
    key = fields.get("submission_key") or None
    files = attachment_forms.ids_in(row, key)
    stored = submissions.submit_initial(system(), reporter, report, origin, key, now, files)
    if isinstance(stored, Unattached):
        return _form(row, fields, 409, faults=stored.faults)
    if isinstance(stored, KeyReused):
        fields = {**fields, "submission_key": _submission_key()}
        notice = "这份表单已经提交过一次，随后又有改动。如确需再次上报，请核对后重新提交。"
        return _form(row, fields, 409, notice=notice)
    return make_response(redirect(f"{pages.HOME}reports/{stored.report_no}?submitted", 303))


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


def _pressed(row: BrowserSession | None, fields: Fields, upload: Upload | None, action: str) -> Response:
    if attachment_forms.is_about_files(action):
        return attachment_forms.change(row, fields, upload, action, _form)
    return _form(row, _changed(fields, action))


def _changed(fields: Fields, action: str) -> Fields:
    """The buttons that change the form instead of sending it."""
    if action == "add_vehicle":
        return forms.with_vehicle(fields)
    index = action.removeprefix("remove_vehicle_")
    return forms.without_vehicle(fields, int(index)) if index.isdecimal() and len(index) < 3 else fields


def _submission_key() -> str:
    return secrets.token_urlsafe(16)

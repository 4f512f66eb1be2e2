"""The forms of an enterprise: empty or as a draft has them, given back with what was typed, submitted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, redirect, request

from clients.rp import clock
from clients.rp.entitlement import Reader, Reporter
from clients.rp.errors import ProviderUnavailable, Refusal
from clients.smdvs import (
    accesses,
    attachment_forms,
    cookies,
    documents,
    doors,
    drafts,
    form_answers,
    forms,
    messages,
    pages,
    papers,
    report_pages,
    reports,
    sessions,
    submissions,
    uploads,
)
from clients.smdvs.attachments import Upload
from clients.smdvs.cookies import system
from clients.smdvs.forms import Fields
from clients.smdvs.lifecycle import Act, NotNow, Side, next_status
from clients.smdvs.papers import Paper
from clients.smdvs.persons import Viewer
from clients.smdvs.report import CHINA_TIME, Part, Report
from clients.smdvs.reports import ReportView
from clients.smdvs.storage.database import DatabaseUnavailable
from clients.smdvs.storage.sessions import BrowserSession
from clients.smdvs.submissions import Accepted, Changed, KeyReused, NotFound, Unattached
from clients.smdvs.tickets import FIRST, Owner, Sheet
from clients.smdvs.versions import Origin
from clients.smdvs.vocabulary import Status

blueprint = Blueprint("form_pages", __name__, url_prefix="/smdvs")

LATER = "<any(supplement, detailed, final):kind>"


@blueprint.get("/reports/new")
def new_report() -> Response:
    """An empty form, with what is known filled in; with ``draft`` that draft."""
    row, owner = _owner("new")
    draft_id = request.args.get("draft")
    if draft_id is not None:
        return _reopened(row, owner, FIRST, draft_id)
    return form_answers.show(row, papers.blank(FIRST, owner, _first_fields(row)))


@blueprint.get(f"/reports/<report_no>/{LATER}")
def later_report(report_no: str, kind: str) -> Response:
    """A form with what the report says now, to be gone on with; with ``draft`` that draft."""
    row, owner = _owner(report_no)
    sheet, draft_id = Sheet(Act(kind), report_no), request.args.get("draft")
    view = reports.find(system(), Reader(owner.sub, owner.enterprise_credit_code), report_no)
    if view is None:
        return report_pages.absent()
    fault = _not_now(view, sheet)
    if draft_id is not None:
        return _reopened(row, owner, sheet, draft_id, fault)
    if fault is not None:
        return pages.message("现在不能填报", fault + "。", 409)
    if sheet.kind is not Act.FINAL:
        viewer = Viewer(owner.sub, row.account_type, owner.enterprise_credit_code)
        accesses.record_continuing(system(), viewer, view, clock.now())
    return form_answers.show(row, papers.blank(sheet, owner, _newest_fields(row, view, sheet)))


@blueprint.post("/reports/new")
def submit_report() -> Response:
    """Take the form in. Whatever goes wrong, the answer still holds what was typed, and nothing is stored but
    a draft.
    """
    return _take_in(FIRST)


@blueprint.post(f"/reports/<report_no>/{LATER}")
def submit_later(report_no: str, kind: str) -> Response:
    """The same for a later act on a report."""
    return _take_in(Sheet(Act(kind), report_no))


def _owner(then: str) -> tuple[BrowserSession, Owner]:
    """Who may fill in a form; answers with the way to sign in, or the refusal, otherwise."""
    draft_id = request.args.get("draft", "")
    row = doors.session_or_login(f"draft-{draft_id}" if drafts.DRAFT_ID.fullmatch(draft_id) else then)
    reporter = doors.entitled_or_shut(row)
    return row, Owner(reporter.sub, reporter.enterprise_credit_code)


def _reopened(
    row: BrowserSession, owner: Owner, sheet: Sheet, draft_id: str, notice: str | None = None
) -> Response:
    draft = drafts.find(system(), owner, draft_id)
    if draft is None or draft.fields is None or draft.sheet != sheet:
        return make_response(redirect(f"{pages.HOME}drafts/{draft_id}", 303))
    paper = papers.reopened(draft, owner, draft.fields)
    return form_answers.show(row, paper, restored=draft.row.updated_at, notice=notice)


def _take_in(sheet: Sheet) -> Response:
    fields, upload = uploads.form()
    row: BrowserSession | None = None
    paper = papers.received(system(), sheet, fields, None, clock.now())
    try:
        row = doors.find_session()
        paper = papers.received(system(), sheet, fields, row, clock.now())
        if not cookies.csrf_valid(fields.get("csrf_token", "")):
            return form_answers.show(row, paper, 400, notice=messages.BODY_FAULTS["csrf"])
        action = fields.get("action", "submit")
        if attachment_forms.is_about_files(action):
            return _change_files(row, paper, fields, upload, action)
        return _answer(row, paper, action)
    except DatabaseUnavailable:
        return form_answers.show(row, paper, 503, notice=messages.BUSY)


def _answer(row: BrowserSession | None, paper: Paper, action: str) -> Response:
    if row is not None and paper.owner is not None and paper.owner.sub != row.sub:
        return form_answers.kept(row, paper, 403, notice=messages.ANOTHER_ACCOUNT, ended=True)
    if action != "submit":
        saved = action == "save"
        return form_answers.kept(row, replace(paper, fields=_changed(paper.fields, action)), saved=saved)
    if row is None:
        return form_answers.kept(None, paper, 401, notice=messages.SESSION_ENDED, ended=True)
    if paper.owner is not None and drafts.is_outdated(system(), paper.owner, paper.draft_id, paper.seen):
        return form_answers.kept(row, paper, 409)
    try:
        return _submit(row, paper)
    except ProviderUnavailable:
        return form_answers.kept(row, paper, 503, notice=messages.UNAVAILABLE)


def _change_files(
    row: BrowserSession | None, paper: Paper, fields: Fields, upload: Upload | None, action: str
) -> Response:
    def show(session: BrowserSession | None, _fields: Fields, status: int, **values: Any) -> Response:
        return form_answers.kept(session, paper, status, **values)

    return attachment_forms.change(row, fields, upload, action, show)


def _submit(row: BrowserSession, paper: Paper) -> Response:
    reporter = doors.entitled(row, paper.fields.get("enterprise_credit_code"))
    if isinstance(reporter, Refusal):
        return _refused(row, paper, reporter)
    if _is_absent(reporter, paper.sheet):
        return report_pages.absent()
    now = clock.now()
    kind = paper.sheet.kind
    document = documents.part_from_form(
        kind, forms.document(paper.fields, kind), now, form_answers.measure_of(paper)
    )
    if isinstance(document, tuple):
        return form_answers.kept(row, paper, 422, faults=document)
    outcome = _send(row, paper, reporter, document, now)
    if isinstance(outcome, Accepted):
        return make_response(redirect(f"{pages.HOME}reports/{outcome.report_no}?submitted", 303))
    return _not_accepted(row, paper, outcome)


def _is_absent(reporter: Reporter, sheet: Sheet) -> bool:
    """Whether the form is of a report that isn't there, or is another enterprise's."""
    if sheet.report_no is None:
        return False
    return reports.find_row(system(), reporter.enterprise_credit_code, sheet.report_no) is None


def _send(
    row: BrowserSession, paper: Paper, reporter: Reporter, document: Part, now: datetime
) -> Accepted | submissions.Refused:
    origin = Origin("browser", sessions.person(system(), row).name, row.enterprise_name or "")
    files = attachment_forms.ids_in(row, paper.draft_id)
    if paper.sheet.report_no is None and isinstance(document, Report):
        return submissions.submit_initial(system(), reporter, document, origin, paper.draft_id, now, files)
    if paper.sheet.report_no is None:
        raise TypeError("a report begins with a report")
    return submissions.submit_version(
        system(),
        reporter,
        paper.sheet.report_no,
        paper.sheet.kind,
        document,
        origin,
        paper.draft_id,
        paper.base_version,
        now,
        files,
    )


def _not_accepted(row: BrowserSession, paper: Paper, outcome: submissions.Refused) -> Response:
    """Why not, and the form again, ready for another try where that can help."""
    if isinstance(outcome, Unattached):
        return form_answers.kept(row, paper, 422, faults=outcome.faults)
    if isinstance(outcome, KeyReused):
        return form_answers.kept(row, paper.anew(), 409, notice=messages.FORM_REUSED)
    if isinstance(outcome, NotFound):
        return form_answers.kept(row, paper, 404, notice=messages.REPORT_ABSENT)
    if isinstance(outcome, Changed):
        newest = replace(paper, fields={**paper.fields, "base_version": str(outcome.version)})
        return form_answers.kept(row, newest, 409, newer_version=outcome.version)
    return form_answers.kept(row, paper, 409, notice=messages.NOT_NOW[outcome.code])


def _refused(row: BrowserSession, paper: Paper, refusal: Refusal) -> Response:
    notice, ended = messages.reason_text(refusal.reason), refusal.status == 401
    if ended:
        sessions.end(system(), row)
    return form_answers.kept(None if ended else row, paper, refusal.status, notice=notice, ended=ended)


def _not_now(view: ReportView, sheet: Sheet) -> str | None:
    """Why the report can't be gone on with like this."""
    outcome = next_status(Status(view.row.status), sheet.kind, Side.ENTERPRISE)
    return messages.NOT_NOW[outcome.code] if isinstance(outcome, NotNow) else None


def _first_fields(row: BrowserSession) -> Fields:
    return {
        "enterprise_credit_code": row.enterprise_credit_code or "",
        "reporter_phone": sessions.person(system(), row).phone,
        "learned_at": f"{clock.now().astimezone(CHINA_TIME):%Y-%m-%dT%H:%M}",
        **dict.fromkeys(("deaths", "injured_heavy", "injured_light", "property_loss"), "0"),
        "major_social_impact": "false",
        "preliminary_cause": "under_investigation",
    }


def _newest_fields(row: BrowserSession, view: ReportView, sheet: Sheet) -> Fields:
    """What the report says now; who goes on with it is the one to be called."""
    phone = sessions.person(system(), row).phone
    said = view.result or {} if sheet.kind is Act.FINAL else view.content.whole
    fields = {**forms.fields_of(said), "base_version": str(view.row.version)}
    if sheet.kind is Act.FINAL:
        return {**fields, "enterprise_credit_code": view.row.enterprise_credit_code}
    return {**fields, "reporter_phone": phone}


def _changed(fields: Fields, action: str) -> Fields:
    """The buttons that change the form instead of sending it."""
    if action == "add_vehicle":
        return forms.with_vehicle(fields)
    index = action.removeprefix("remove_vehicle_")
    return forms.without_vehicle(fields, int(index)) if index.isdecimal() and len(index) < 3 else fields

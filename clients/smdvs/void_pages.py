"""作废: an enterprise withdraws a report before its review, on a page of its own, for a reason."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, make_response, redirect

from clients.rp import clock
from clients.rp.entitlement import Reader, Reporter
from clients.rp.errors import Refusal
from clients.smdvs import doors, messages, pages, posted_forms, report_pages, sessions, submissions
from clients.smdvs.cookies import system
from clients.smdvs.documents import Fault
from clients.smdvs.lifecycle import Act, NotNow, Side, possible
from clients.smdvs.posted_forms import Posted
from clients.smdvs.report_pages import Seen
from clients.smdvs.submissions import Accepted, Changed, NotFound
from clients.smdvs.versions import Origin
from clients.smdvs.vocabulary import Status

blueprint = Blueprint("void_pages", __name__, url_prefix="/smdvs")


@blueprint.get("/reports/<report_no>/void")
def ask(report_no: str) -> Response:
    """Ask why, and whether it is meant."""
    row = doors.session_or_login(report_no)
    reporter = doors.entitled(row)
    if isinstance(reporter, Refusal):
        return doors.shut(row, reporter)
    seen = report_pages.find(row, _reader(reporter), report_no)
    if seen is None:
        return report_pages.absent()
    return _form(
        seen, fields={"version": str(seen.view.row.version), "submission_key": secrets.token_urlsafe(16)}
    )


@blueprint.post("/reports/<report_no>/void")
def void(report_no: str) -> Response:
    """Withdraw it."""
    return posted_forms.take(report_no, "void", _void)


def _void(posted: Posted) -> Response:
    reporter = doors.entitled(posted.session)
    if isinstance(reporter, Refusal):
        return posted.refused(reporter)
    seen = report_pages.find(posted.session, _reader(reporter), posted.report_no)
    if seen is None:
        return report_pages.absent()
    if posted.version is None:
        return posted_forms.incomplete()
    reason = posted_forms.note_from(posted.fields.get("reason", ""))
    errors = _errors(reason, posted)
    if errors or not isinstance(reason, str):
        return _form(seen, 422, fields=posted.fields, errors=errors)
    origin = Origin(
        "browser",
        sessions.person(system(), posted.session).name,
        posted.session.enterprise_name or "",
    )
    key = posted.fields.get("submission_key") or None
    outcome = submissions.void(
        system(), reporter, posted.report_no, reason, origin, key, posted.version, clock.now()
    )
    return _answer(posted, reporter, outcome)


def _answer(posted: Posted, reporter: Reporter, outcome: Accepted | submissions.Refused) -> Response:
    if isinstance(outcome, Accepted):
        return make_response(redirect(f"{pages.HOME}reports/{posted.report_no}?done={Act.VOID}", 303))
    seen = report_pages.find(posted.session, _reader(reporter), posted.report_no)
    if isinstance(outcome, NotFound) or seen is None:
        return report_pages.absent()
    if isinstance(outcome, Changed):
        fields = {**posted.fields, "version": str(outcome.version)}
        return _form(seen, 409, fields=fields, notice=messages.changed_text(outcome.version))
    code = outcome.code if isinstance(outcome, NotNow) else "key_reused"
    return _form(seen, 409, fields=posted.fields, notice=messages.NOT_NOW[code])


def _form(seen: Seen, status: int = 200, **values: Any) -> Response:
    row = seen.view.row
    if Act.VOID not in possible(Status(row.status), Side.ENTERPRISE):
        return report_pages.detail(seen, 409, notice=messages.NOT_NOW["act_not_possible"])
    return pages.render("void.html", status, **{"errors": {}} | values, session=seen.session, row=row)


def _errors(reason: str | Fault | None, posted: Posted) -> dict[str, str]:
    errors = {}
    if isinstance(reason, Fault):
        errors["reason"] = messages.fault_text(reason)
    elif reason is None:
        errors["reason"] = messages.NOT_NOW["reason_missing"]
    if posted.fields.get("confirm") != "yes":
        errors["confirm"] = "请勾选，确认要作废这份上报"
    return errors


def _reader(reporter: Reporter) -> Reader:
    """Whoever acts for an enterprise sees that one's reports here, whatever else they may read."""
    return Reader(reporter.sub, reporter.enterprise_credit_code)

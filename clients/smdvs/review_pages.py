"""What the regulator does on a report's page: the acts of the review, and the look at its people."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect

from clients.rp import clock
from clients.rp.entitlement import Reader
from clients.rp.errors import Refusal
from clients.smdvs import accesses, doors, messages, pages, posted_forms, report_pages, reviews, sessions
from clients.smdvs import shown_reports as shown
from clients.smdvs.access import Reviewer
from clients.smdvs.accesses import Look, NoReason
from clients.smdvs.cookies import system
from clients.smdvs.documents import Fault
from clients.smdvs.lifecycle import Act, NotNow
from clients.smdvs.posted_forms import Posted
from clients.smdvs.submissions import Accepted, Changed, NotFound

blueprint = Blueprint("review_pages", __name__, url_prefix="/smdvs")

_ACTS = (Act.REVIEW, Act.ACCEPT, Act.RETURN, Act.INVESTIGATE, Act.CLOSE, Act.VOID)
DECISIONS = {act.value: act for act in _ACTS}


@blueprint.post("/reports/<report_no>/review")
def review(report_no: str) -> Response:
    """One act of the regulator, on the version that was read."""
    return posted_forms.take(report_no, "review", _review)


@blueprint.post("/reports/<report_no>/persons")
def show_persons(report_no: str) -> Response:
    """The report with its people in full, after the look is in the log."""
    return posted_forms.take(report_no, "persons", _show_persons)


def _review(posted: Posted) -> Response:
    reviewer = doors.reviewer(posted.session)
    if isinstance(reviewer, Refusal):
        return posted.refused(reviewer)
    act, version = DECISIONS.get(posted.fields.get("decision", "")), posted.version
    if act is None or version is None:
        return posted_forms.incomplete()
    reason = posted_forms.note_from(posted.fields.get("reason", ""))
    if isinstance(reason, Fault):
        return _back(posted, reviewer, 422, act, errors={"reason": messages.fault_text(reason)})
    name = sessions.person(system(), posted.session).name
    outcome = reviews.carry_out(system(), reviewer, name, posted.report_no, act, reason, version, clock.now())
    return _answer(posted, reviewer, act, outcome)


def _answer(
    posted: Posted, reviewer: Reviewer, act: Act, outcome: Accepted | NotFound | Changed | NotNow
) -> Response:
    if isinstance(outcome, Accepted):
        return make_response(redirect(f"{pages.HOME}reports/{posted.report_no}?done={act}", 303))
    if isinstance(outcome, NotFound):
        return report_pages.absent()
    if isinstance(outcome, Changed):
        return _back(posted, reviewer, 409, act, notice=messages.changed_text(outcome.version))
    text = messages.NOT_NOW[outcome.code]
    if outcome.code == "reason_missing":
        return _back(posted, reviewer, 422, act, errors={"reason": text})
    return _back(posted, reviewer, 409, act, notice=text)


def _show_persons(posted: Posted) -> Response:
    reviewer = doors.reviewer(posted.session)
    if isinstance(reviewer, Refusal):
        return posted.refused(reviewer)
    reader = Reader(reviewer.sub, None)
    seen = report_pages.find(posted.session, reader, posted.report_no, disclosed=True)
    if seen is None:
        return report_pages.absent()
    reason = accesses.check_reason(posted.fields.get("reason", ""))
    if isinstance(reason, NoReason):
        return _back(posted, reviewer, 422, None, errors={"persons": messages.NO_REASON[reason.code]})
    kinds = shown.kinds_behind(seen.view)
    accesses.record(system(), seen.viewer, seen.view.row.id, Look.SHOW_CONTACTS, reason, kinds, clock.now())
    return report_pages.detail(seen)


def _back(posted: Posted, reviewer: Reviewer, status: int, act: Act | None, **values: Any) -> Response:
    """The page as it is now, with what was typed and what is wrong with it."""
    seen = report_pages.find(posted.session, Reader(reviewer.sub, None), posted.report_no)
    if seen is None:
        return report_pages.absent()
    return report_pages.detail(seen, status, fields=posted.fields, act=act, **values)

"""Files in a form that is not sent yet: put in and taken out by its buttons, without a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Response

from clients.rp import clock
from clients.rp.errors import ProviderUnavailable, Refusal
from clients.smdvs import attachments, doors, messages, sessions
from clients.smdvs.attachment_kinds import MEGABYTE, fault
from clients.smdvs.attachments import Kept, Upload
from clients.smdvs.cookies import system
from clients.smdvs.documents import Fault
from clients.smdvs.drafts import DRAFT_ID
from clients.smdvs.forms import Fields
from clients.smdvs.storage.sessions import BrowserSession
from clients.smdvs.tickets import Owner

ATTACH, DETACH = "attach", "detach_"
KILOBYTE = 1024


def is_about_files(action: str) -> bool:
    """Whether the button that was pressed is one of ours."""
    return action == ATTACH or action.startswith(DETACH)


def change(
    row: BrowserSession | None,
    fields: Fields,
    upload: Upload | None,
    action: str,
    show: Callable[..., Response],
) -> Response:
    """Put the file in or take one out; ``show`` gives the form back with what was typed."""
    if row is None:
        return show(None, fields, 401, notice=messages.SESSION_ENDED, ended=True)
    try:
        faults = _changed(row, fields, upload, action)
    except ProviderUnavailable:
        return show(row, fields, 503, notice=messages.UNAVAILABLE)
    if isinstance(faults, Refusal):
        ended, notice = faults.status == 401, messages.reason_text(faults.reason)
        if ended:
            sessions.end(system(), row)
        return show(None if ended else row, fields, faults.status, notice=notice, ended=ended)
    return show(row, fields, 422 if faults else 200, faults=faults)


def put(owner: Owner, draft_id: str, upload: Upload | None, kind: str) -> Kept | Fault:
    """Put a file into a form."""
    if not DRAFT_ID.fullmatch(draft_id):
        return fault("attachment_form_unknown")
    if upload is None:
        return fault("attachment_missing")
    return attachments.keep_upload(system(), owner, draft_id, upload, kind, clock.now())


def files_in(row: BrowserSession | None, draft_id: str | None) -> Sequence[Kept]:
    """What the person of this session has put into that form."""
    if row is None or row.enterprise_credit_code is None or not draft_id:
        return ()
    owner = Owner(row.sub, row.enterprise_credit_code)
    return attachments.of_draft(system(), owner, draft_id, clock.now())


def ids_in(row: BrowserSession | None, draft_id: str | None) -> tuple[str, ...]:
    """The same as a submission names them."""
    return tuple(kept.id for kept in files_in(row, draft_id))


def files_of(report_id: int) -> Sequence[Kept]:
    """The files of a report that is shown."""
    return attachments.of_report(system(), report_id)


def size_words(size: int) -> str:
    """A size as people read it."""
    if size >= MEGABYTE:
        return f"{size / MEGABYTE:.1f} MB"
    return f"{max(1, round(size / KILOBYTE))} KB"


def _changed(
    row: BrowserSession, fields: Fields, upload: Upload | None, action: str
) -> tuple[Fault, ...] | Refusal:
    reporter = doors.entitled(row, fields.get("enterprise_credit_code"))
    if isinstance(reporter, Refusal):
        return reporter
    owner = Owner(reporter.sub, reporter.enterprise_credit_code)
    if action != ATTACH:
        attachments.remove(system(), owner, action.removeprefix(DETACH), clock.now())
        return ()
    outcome = put(owner, fields.get("draft", ""), upload, fields.get("attachment_kind", ""))
    return (outcome,) if isinstance(outcome, Fault) else ()

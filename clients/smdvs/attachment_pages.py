"""Files for browsers: put into a form by the form's script, given out to those who may read them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from flask import Blueprint, Response, abort, jsonify, request

from clients.rp import clock
from clients.rp.errors import ProviderUnavailable, Refusal
from clients.smdvs import attachment_forms, attachments, cookies, doors, messages, pages, uploads
from clients.smdvs.attachment_kinds import PICTURES
from clients.smdvs.attachments import Damaged, Kept
from clients.smdvs.cookies import system
from clients.smdvs.documents import Fault
from clients.smdvs.labels import label
from clients.smdvs.storage.sessions import BrowserSession
from clients.smdvs.tickets import Owner

blueprint = Blueprint("attachment_pages", __name__, url_prefix="/smdvs")

STATUS = {
    "attachment_no_space": 507,
    "attachment_busy": 503,
    "attachment_too_large": 413,
    "attachment_too_many": 409,
}
# Whatever is in a file, it does nothing in anybody's browser.
SANDBOX = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox"


@blueprint.post("/drafts/<draft_id>/attachments")
def attach(draft_id: str) -> Response:
    """Take a file into a form, for its script: 201 with what was stored, or a text that says why not."""
    row = doors.find_session()
    if row is None:
        return _refusal(401, "session_ended", messages.SESSION_ENDED)
    fields, upload = uploads.form()
    if not cookies.csrf_valid(fields.get("csrf_token", "")):
        return _refusal(400, "csrf", "页面已过期，请刷新后重试")
    try:
        owner = _owner(row, fields.get("enterprise_credit_code"))
    except ProviderUnavailable:
        return _refusal(503, "provider_unavailable", messages.UNAVAILABLE)
    if isinstance(owner, Refusal):
        return _refusal(owner.status, owner.reason, messages.reason_text(owner.reason))
    outcome = attachment_forms.put(owner, draft_id, upload, fields.get("attachment_kind", ""))
    if isinstance(outcome, Fault):
        return _refusal(STATUS.get(outcome.code, 422), outcome.code, messages.fault_text(outcome))
    return _answer(201, **outcome.entry, **_words(outcome))


@blueprint.get("/drafts/<draft_id>/attachments/<attachment_id>")
def show_of_draft(draft_id: str, attachment_id: str) -> Response:
    """A file that its owner has put into a form."""
    row = doors.session_or_login("")
    owner = _owner(row, None)
    if isinstance(owner, Refusal):
        return doors.shut(row, owner)
    found = attachments.of_draft(system(), owner, draft_id, clock.now())
    return given(next((kept for kept in found if kept.id == attachment_id), None)) or _absent()


@blueprint.get("/reports/<report_no>/attachments/<attachment_id>")
def show_of_report(report_no: str, attachment_id: str) -> Response:
    """A file of a report, for those who may read it."""
    row = doors.session_or_login(report_no)
    reader = doors.reader(row)
    found = attachments.find_in_report(system(), reader, report_no, attachment_id)
    return given(found) or _absent()


def given(kept: Kept | None) -> Response | None:
    """The file as a download, or a photo to look at; None for none. Answers 500 when what is stored has been
    tampered with; what only shows later breaks the download off.
    """
    if kept is None:
        return None
    pieces = attachments.content(system(), kept)
    try:
        first = next(pieces)
    except Damaged:
        abort(500)
    response = Response(_after(first, pieces), mimetype=kept.content_type, direct_passthrough=True)
    response.headers["Content-Type"] = kept.content_type
    response.content_length = kept.size
    inline = kept.content_type in PICTURES and "inline" in request.args
    response.headers["Content-Disposition"] = _disposition(kept.filename, inline=inline)
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Cache-Control"] = "no-store"
    return response


def _after(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _disposition(filename: str, *, inline: bool) -> str:
    """RFC 6266 with the name as RFC 8187 writes it, and a plain one for whoever reads only that."""
    plain = "attachment." + filename.rpartition(".")[2] if filename.isprintable() else "attachment"
    plain = plain if plain.isascii() and '"' not in plain and "\\" not in plain else "attachment"
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _owner(row: BrowserSession, enterprise: str | None) -> Owner | Refusal:
    reporter = doors.entitled(row, enterprise)
    return reporter if isinstance(reporter, Refusal) else Owner(reporter.sub, reporter.enterprise_credit_code)


def _absent() -> Response:
    return pages.message("没有这个附件", "附件不存在，或不属于您当前代表的企业。", 404)


def _words(kept: Kept) -> dict[str, str]:
    """What the form's script shows."""
    words = {"kind_words": label("attachment_kind", kept.kind)}
    return {**words, "size_words": attachment_forms.size_words(kept.size)}


def _refusal(status: int, code: str, text: str) -> Response:
    return _answer(status, code=code, text=text)


def _answer(status: int, **members: object) -> Response:
    response = jsonify(members)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response

"""Files by the JSON API: uploaded first, then named by a report (``attachment_ids``), read with it."""

from __future__ import annotations

from flask import Response, abort, request
from pydantic import BaseModel

from clients.rp import clock
from clients.smdvs import (
    answers,
    attachment_pages,
    attachments,
    callers,
    conditions,
    messages,
    problems,
    uploads,
)
from clients.smdvs.access import READ_SCOPE, SUBMIT_SCOPE
from clients.smdvs.answers import Answer
from clients.smdvs.attachment_kinds import AttachmentKind
from clients.smdvs.attachments import Kept, Upload
from clients.smdvs.conditions import IDEMPOTENCY_KEY
from clients.smdvs.cookies import system
from clients.smdvs.documents import Fault
from clients.smdvs.forms import BadFormError, Fields
from clients.smdvs.operations import Body, operation
from clients.smdvs.tickets import Owner


class UploadForm(BaseModel):
    """The form of an upload, as it is described; uploads.form reads it."""

    file: bytes
    kind: AttachmentKind


class AttachmentAnswer(Answer):
    """一个附件: what it is by its content, and the SHA-256 of it."""

    id: str
    kind: AttachmentKind
    filename: str
    content_type: str
    size: int
    sha256: str


@operation(
    "POST",
    "/attachments",
    summary="上传附件",
    description="表单字段 file 与 kind；在上报内容的 attachment_ids 中引用，30 天内未引用的自动删除。",
    scope=SUBMIT_SCOPE,
    body=Body((UploadForm,), uploads.MULTIPART),
    status=201,
    answer=AttachmentAnswer,
    request_headers=(IDEMPOTENCY_KEY,),
    refusals=(400, 401, 403, 409, 413, 415, 422, 503, 507),
)
def upload_attachment() -> Response:
    """Take a file in, for a report that will name it."""
    now = clock.now()
    who = callers.reporter(callers.caller(now))
    key = conditions.idempotency_key()
    fields, upload = _body()
    owner = Owner(who.sub, who.enterprise_credit_code)
    name = None if key is None else f"{who.client_id}\0{key}"
    outcome = attachments.keep_upload(system(), owner, None, upload, fields.get("kind", ""), now, name)
    return _refused(outcome) if isinstance(outcome, Fault) else _stored(outcome)


@operation(
    "GET",
    "/reports/{report_no}/attachments/{attachment_id}",
    summary="下载一份上报的附件",
    scope=READ_SCOPE,
    answer=None,
    media_type="application/octet-stream",
    refusals=(401, 403, 404, 503),
)
def show_attachment(report_no: str, attachment_id: str) -> Response:
    """A file of a report, byte for byte."""
    found = attachments.find_in_report(system(), callers.reader(), report_no, attachment_id)
    return attachment_pages.given(found) or problems.not_found()


def _body() -> tuple[Fields, Upload]:
    """The form's fields and its file; answers with the problem otherwise."""
    if request.mimetype != uploads.MULTIPART:
        abort(problems.problem(415, "unsupported_media_type", f"请求内容应为 {uploads.MULTIPART}"))
    try:
        fields, upload = uploads.form()
    except BadFormError as error:
        abort(problems.problem(400, error.code, messages.BODY_FAULTS[error.code]))
    return fields, upload or abort(problems.invalid_report((Fault(("file",), "missing", {}),)))


def _stored(kept: Kept) -> Response:
    return answers.private(AttachmentAnswer(**kept.entry), 201)


def _refused(fault: Fault) -> Response:
    if fault.code == "idempotency_key_reused":
        detail = "这个 Idempotency-Key 已用于另一个文件"
        return problems.problem(422, fault.code, detail, field=IDEMPOTENCY_KEY)
    field = "/kind" if fault.code == "attachment_kind_missing" else "/file"
    status = attachment_pages.STATUS.get(fault.code, 422)
    return problems.problem(status, fault.code, messages.fault_text(fault), field=field)

"""A small form on a report's page, posted: checked, carried out, or given back with what was typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, request
from pydantic import TypeAdapter, ValidationError

from clients.rp.errors import ProviderUnavailable, Refusal
from clients.smdvs import cookies, doors, forms, messages, pages, sessions
from clients.smdvs.cookies import system
from clients.smdvs.documents import Fault
from clients.smdvs.fields import Note
from clients.smdvs.forms import Fields
from clients.smdvs.storage.database import DatabaseUnavailable
from clients.smdvs.storage.sessions import BrowserSession

MAX_VERSION_DIGITS = 6
EXPIRED = "页面已过期，尚未办理"
KEPT = ("reason", "version", "decision", "submission_key", "confirm")

_NOTE: TypeAdapter[str] = TypeAdapter(Note)


@dataclass(frozen=True)
class Posted:
    """A form of somebody signed in: on which report, its name in the address, and what was typed."""

    session: BrowserSession
    report_no: str
    name: str
    fields: Fields

    def again(self, notice: str, status: int) -> Response:
        """Give it back."""
        return _again(self.session, self.report_no, self.name, self.fields, notice, status)

    def refused(self, refusal: Refusal) -> Response:
        """The door is shut: a page says so; who has to sign in again keeps what was typed."""
        if refusal.status == 403:
            return doors.shut(self.session, refusal)
        sessions.end(system(), self.session)
        notice = messages.reason_text(refusal.reason)
        return _again(None, self.report_no, self.name, self.fields, notice, 401)

    @property
    def version(self) -> int | None:
        """The version that was read; None when the form doesn't say."""
        text = self.fields.get("version", "")
        plain = text.isascii() and text.isdecimal() and len(text) <= MAX_VERSION_DIGITS
        return int(text) if plain else None


def take(report_no: str, name: str, carry_out: Callable[[Posted], Response]) -> Response:
    """Carry the posted form out, or give it back: whatever goes wrong, nothing has happened."""
    fields = forms.parse(request.content_type, request.get_data())
    row = doors.find_session()
    if not cookies.csrf_valid(fields.get("csrf_token", "")):
        return _again(row, report_no, name, fields, EXPIRED, 400)
    if row is None:
        return _again(None, report_no, name, fields, messages.SESSION_ENDED, 401)
    posted = Posted(row, report_no, name, fields)
    try:
        return carry_out(posted)
    except ProviderUnavailable:
        return posted.again(messages.UNAVAILABLE, 503)
    except DatabaseUnavailable:
        return posted.again(messages.BUSY, 503)


def note_from(text: str) -> str | Fault | None:
    """A reason as it is kept; None when there is none, a Fault when it can't be taken."""
    if not text.strip():
        return None
    try:
        return _NOTE.validate_python(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return Fault(("reason",), first["type"], first.get("ctx", {}))


def incomplete() -> Response:
    """A form that our pages don't make."""
    return pages.message("没有办理", "提交的内容不完整，请返回上报详情页，按页面上的按钮操作。", 400)


def _again(
    row: BrowserSession | None, report_no: str, name: str, fields: Fields, notice: str, status: int
) -> Response:
    kept = {field: fields[field] for field in KEPT if field in fields}
    return pages.render(
        "again.html", status, session=row, report_no=report_no, name=name, fields=kept, notice=notice
    )

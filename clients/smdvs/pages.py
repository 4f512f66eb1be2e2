"""Pages that any part of smdvs may have to show: a message, a refusal, a provider that doesn't answer."""

from __future__ import annotations

from flask import Response, make_response, render_template

from clients.rp.errors import Refusal
from clients.smdvs import messages

HOME = "/smdvs/"


def render(template: str, status: int = 200, **values: object) -> Response:
    """A page that nobody may keep."""
    response = make_response(render_template(template, **values), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def message(title: str, text: str, status: int) -> Response:
    """A page that says one thing and leads home."""
    return render("message.html", status, title=title, text=text)


def unavailable() -> Response:
    """The provider can't be asked, so nothing may be shown or stored."""
    return render(
        "message.html", 503, title="暂时无法核验授权", text=messages.UNAVAILABLE + "。您可以稍后刷新本页。"
    )


def refused(refusal: Refusal, **values: object) -> Response:
    """The door stays shut, why, and what to do next."""
    return render(
        "refused.html",
        refusal.status,
        reason=refusal.reason,
        text=messages.reason_text(refusal.reason),
        **values,
    )

"""/dev/outbox: the SMS messages of a development installation, as a page and as JSON."""

from __future__ import annotations

from flask import abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from idp.services import outbox
from idp.web.pages import pages
from idp.web.session import platform

blueprint = pages("dev", __name__, "/dev")


@blueprint.before_request
def _only_in_development() -> None:
    if not platform().settings.development:
        abort(404)


@blueprint.get("/outbox")
def outbox_page() -> ResponseReturnValue:
    """What was sent, newest first; JSON names only messages that carry a code."""
    messages = outbox.list_recent_sms(platform())
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) != "application/json":
        return render_template("dev/outbox.html", messages=messages)
    response = jsonify(
        [
            {
                "phone": message.phone,
                "purpose": message.purpose,
                "code": message.code,
                "sent_at": message.sent_at.isoformat(),
            }
            for message in messages
            if message.code
        ]
    )
    response.headers["Cache-Control"] = "no-store"
    return response

"""/admin/deliveries: 未送达通知, what the outbox could not deliver; trying again, and giving up."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.services import deliveries
from idp.web.admin.console import admin_pages
from idp.web.admin.paging import page_number
from idp.web.messages import notify, notify_refusal
from idp.web.session import origin, platform, require_administrator

LARGEST_ID = 2**31 - 1
DONE = {"retry": "delivery_retried", "discard": "delivery_discarded"}

blueprint = admin_pages("deliveries", __name__, "/admin/deliveries")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Given up or tried again later, the newest first."""
    page = page_number()
    found = deliveries.list_undelivered(platform(), page)
    return render_template(
        "admin/deliveries.html", deliveries=found, page=page, page_size=deliveries.PAGE_SIZE
    )


@blueprint.post("")
def act() -> ResponseReturnValue:
    """``action`` is ``retry`` or ``discard``, of one ``message``."""
    actor = require_administrator().account_id
    action = "discard" if request.form.get("action") == "discard" else "retry"
    use_case = deliveries.discard if action == "discard" else deliveries.retry
    refusal = use_case(platform(), _message_id(), origin(), actor)
    if refusal is None:
        notify(DONE[action])
    else:
        notify_refusal(refusal)
    return redirect(url_for("deliveries.index", page=page_number()), 303)


def _message_id() -> int:
    """The id in the form; 0, which no message has, for anything else."""
    text = request.form.get("message", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID)) else 0
    return number if number <= LARGEST_ID else 0

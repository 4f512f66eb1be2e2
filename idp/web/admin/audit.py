"""/admin/audit: the trail, newest first."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from idp.services import audit
from idp.web.admin.console import admin_pages
from idp.web.messages import names
from idp.web.session import platform

PAGE_SIZE = 50
LARGEST_ID = 2**31

blueprint = admin_pages("audit", __name__, "/admin/audit")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Events, of one area (``area``) or one account (``account``) if asked for, older than ``before``."""
    area, account_id = request.args.get("area", ""), request.args.get("account", "")
    entries = audit.list_events(
        platform(),
        account_id=account_id or None,
        area=area if area in names.AUDIT_AREAS else None,
        before_id=_before(),
        limit=PAGE_SIZE,
    )
    return render_template(
        "admin/audit.html", entries=entries, area=area, account_id=account_id, page_size=PAGE_SIZE
    )


def _before() -> int | None:
    text = request.args.get("before", "")
    return min(int(text), LARGEST_ID) if text.isascii() and text.isdigit() and len(text) <= 10 else None

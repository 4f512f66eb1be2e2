"""/admin/audit: the trail, newest first."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from idp.services import audit
from idp.web.admin.console import admin_pages
from idp.web.admin.paging import page_number
from idp.web.messages import names
from idp.web.session import platform

blueprint = admin_pages("audit", __name__, "/admin/audit")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Events, of one area (``area``) or one account (``account``) if asked for."""
    area, account_id, page = request.args.get("area", ""), request.args.get("account", ""), page_number()
    known = area if area in names.AUDIT_AREAS else None
    entries = audit.list_entries(platform(), known, account_id or None, page)
    return render_template(
        "admin/audit.html",
        entries=entries,
        area=area,
        account_id=account_id,
        page=page,
        page_size=audit.PAGE_SIZE,
    )

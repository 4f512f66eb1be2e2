"""An enterprise closed, opened again or in other hands, by an administrator, from its account's page."""

from __future__ import annotations

from typing import Final

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.services import accounts, enterprise_status
from idp.services.handler_steps import Actor
from idp.web.admin.console import admin_pages
from idp.web.messages import notify, notify_refusal
from idp.web.session import origin, platform, require_administrator
from idp.web.step_up import require_recent

CHANGES: Final = {
    "close": (enterprise_status.close, "enterprise_closed"),
    "reopen": (enterprise_status.reopen, "enterprise_reopened"),
    "representative_changed": (enterprise_status.representative_changed, "representative_changed"),
}

blueprint = admin_pages("enterprises", __name__, "/admin/accounts")


@blueprint.post("/<account_id>/enterprise")
def change(account_id: str) -> ResponseReturnValue:
    """Do ``action`` to the enterprise whose account this is; never to one's own."""
    login = require_administrator()
    page = url_for("accounts.show", account_id=account_id)
    require_recent(login, page)
    profile = accounts.find_profile(platform(), account_id)
    act, done = CHANGES.get(request.form.get("action", ""), (None, ""))
    if profile is None or profile.enterprise is None or act is None:
        abort(404)
    actor, code = Actor("platform", login.account_id), profile.enterprise.enterprise_credit_code
    own = account_id == login.account_id
    refusal = Refusal.of("not_permitted") if own else act(platform(), code, origin(), actor)
    if refusal:
        notify_refusal(refusal)
    else:
        notify(done)
    return redirect(page, 303)

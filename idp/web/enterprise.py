"""经办人审核: an enterprise's legal-person account decides who may act for it, and ends it."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.services import handlers
from idp.web import session
from idp.web.errors import Forbidden
from idp.web.messages import notify, notify_refusal
from idp.web.pages import pages
from idp.web.session import origin, platform, require_login
from idp.web.step_up import require_recent

DECIDED = {"approve": "handler_approved", "refuse": "handler_refused", "revoke": "handler_revoked"}

blueprint = pages("enterprise", __name__, "/enterprise")


@blueprint.get("/handlers")
def handler_list() -> ResponseReturnValue:
    """Applications to decide, handlers in force, and those of the past."""
    login = require_login()
    if login.legal_enterprise_id is None:
        raise Forbidden("legal_person_only")
    rows = handlers.list_of_enterprise(platform(), login.legal_enterprise_id)
    return render_template(
        "enterprise/handlers.html",
        pending=[row for row in rows if row.status == "pending"],
        in_force=[row for row in rows if row.status == "approved"],
        past=[row for row in rows if row.status not in {"pending", "approved"}],
    )


@blueprint.post("/handlers")
def decide() -> ResponseReturnValue:
    """Approve, refuse or revoke one; it takes effect at once."""
    login = require_login()
    if login.legal_enterprise_id is None:
        raise Forbidden("legal_person_only")
    decision = request.form.get("decision", "")
    if decision != "refuse":
        require_recent(login)
    result = handlers.decide(platform(), login.account_id, request.form.get("id", ""), decision, origin())
    if isinstance(result, Refusal):
        notify_refusal(result)
    else:
        session.renew_token()
        notify(DECIDED[decision], name=result.applicant_login_name)
    return redirect(url_for("enterprise.handler_list"), 303)

"""申请平台代审: the enterprise's account can't decide, so the platform is asked, with evidence."""

from __future__ import annotations

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.services import handler_escalation_views, handler_escalations, handler_views
from idp.services.authentication import LoginView
from idp.services.handler_escalations import EscalationForm
from idp.services.handler_views import HandlerView
from idp.services.scans import Scan
from idp.web.handler_forms import HandlerEscalationForm
from idp.web.messages import notify, notify_refusal
from idp.web.pages import keeps_typed_values, pages, takes_uploads
from idp.web.scan_files import scan_response
from idp.web.session import origin, platform, require_login

SCAN = "evidence_scan"

blueprint = pages("handler_escalations", __name__, "/account/handler-applications")


@blueprint.route("/<authorization_id>/escalation", methods=["GET", "POST"])
@takes_uploads
@keeps_typed_values
def escalation(authorization_id: str) -> ResponseReturnValue:
    """The form, or where the last application stands."""
    login = require_login()
    view = handler_views.find_own(platform(), login.account_id, authorization_id)
    if view is None or view.account_id != login.account_id:
        abort(404)
    form = HandlerEscalationForm()
    if request.method == "GET":
        return _page(form, view)
    if not form.is_ours():
        return _page(form, view, 400)
    if request.form.get("action") == "withdraw":
        return _withdraw(view, login)
    return _submit(form, view, login)


@blueprint.get("/evidence/<evidence_id>")
def evidence(evidence_id: str) -> ResponseReturnValue:
    """The scan, for whoever sent it and for administrators."""
    found = handler_escalations.get_evidence(platform(), evidence_id, require_login().account_id, origin())
    if isinstance(found, Refusal):
        abort(404)
    return scan_response(found[1], found[0], evidence_id)


def _submit(form: HandlerEscalationForm, view: HandlerView, login: LoginView) -> ResponseReturnValue:
    file = request.files.get(SCAN)
    scan = Scan(SCAN, (file.filename if file else "") or "", file.read() if file else b"")
    asked = EscalationForm(form.text("ground"), form.text("explanation"), scan)
    result = handler_escalations.submit(platform(), login.account_id, view.id, asked, origin())
    if isinstance(result, Refusal):
        form.refuse(result)
        return _page(form, view, 422)
    notify("handler_escalated")
    return redirect(url_for("handler_escalations.escalation", authorization_id=view.id), 303)


def _withdraw(view: HandlerView, login: LoginView) -> ResponseReturnValue:
    refusal = handler_escalations.withdraw(platform(), login.account_id, view.id, origin())
    if refusal:
        notify_refusal(refusal)
    else:
        notify("handler_escalation_withdrawn")
    return redirect(url_for("handler_escalations.escalation", authorization_id=view.id), 303)


def _page(form: HandlerEscalationForm, view: HandlerView, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "user_centre/handler_escalation.html",
        form=form,
        row=view,
        escalation=handler_escalation_views.latest(platform(), view.id),
    )
    return make_response(page, status)

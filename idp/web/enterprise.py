"""经办人审核: an enterprise's legal-person account decides who may act for it, changes it, and ends it."""

from __future__ import annotations

from typing import Final

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.services import handler_decisions, handler_renewals, handler_reviews, handler_views
from idp.services.authentication import LoginView
from idp.services.handler_decisions import Decision
from idp.services.handler_views import HandlerView
from idp.web import session
from idp.web.admin.paging import page_number
from idp.web.errors import Forbidden
from idp.web.handler_forms import HandlerForm, choices
from idp.web.messages import day, handler_names, notify, notify_refusal
from idp.web.pages import keeps_typed_values, pages
from idp.web.session import origin, platform, require_login
from idp.web.step_up import require_recent

DECIDED: Final = {
    "approve": "handler_approved",
    "refuse": "handler_refused",
    "revoke": "handler_revoked",
    "change": "handler_changed",
}
GROUPS: Final = ("pending", "approved", "suspended", "past")
REASONS: Final = {"pending": handler_names.REFUSE_REASONS}

blueprint = pages("enterprise", __name__, "/enterprise")


def require_legal_person() -> tuple[LoginView, str]:
    """The login of an enterprise's legal-person account, and the enterprise; others are told why not."""
    login = require_login()
    if login.legal_enterprise_id is None:
        raise Forbidden("legal_person_only")
    return login, login.legal_enterprise_id


@blueprint.get("/handlers")
def handler_list() -> ResponseReturnValue:
    """Applications to decide, handlers in force, suspended ones, and those of the past; or one group."""
    _, enterprise_id = require_legal_person()
    shown, search = request.args.get("show", ""), request.args.get("q", "").strip()[:16]
    groups = (shown,) if shown in GROUPS else GROUPS
    page = page_number() if shown in GROUPS else 1
    counts = handler_views.count_groups(enterprise_id)
    found = {
        group: handler_views.list_group(platform(), enterprise_id, group, search=search, page=page)
        if group in counts
        else []
        for group in groups
    }
    held = counts.keys() & {"approved", "suspended"}
    return render_template(
        "enterprise/handlers.html",
        groups=found,
        renewals=handler_renewals.list_pending([row.id for row in found.get("approved", ())]),
        counts=counts,
        due=handler_reviews.count_due(enterprise_id) if held else 0,
        shown=shown if shown in GROUPS else None,
        search=search,
        page=page,
        page_size=handler_views.PAGE_SIZE,
    )


@blueprint.post("/handlers")
def decide() -> ResponseReturnValue:
    """Approve, refuse or revoke one; it takes effect at once."""
    login, _ = require_legal_person()
    typed = _decision()
    if typed.decision != "refuse":
        require_recent(login)
    result = _decided(login, request.form.get("id", ""), typed)
    if isinstance(result, Refusal):
        notify_refusal(result)
    else:
        session.renew_token()
        notify(_done(typed), name=result.applicant_login_name)
    return redirect(url_for("enterprise.handler_list"), 303)


@blueprint.route("/handlers/<authorization_id>", methods=["GET", "POST"])
@keeps_typed_values
def handler(authorization_id: str) -> ResponseReturnValue:
    """One authorisation: its history, and what can be done about it."""
    login, _ = require_legal_person()
    view = handler_views.find_own(platform(), login.account_id, authorization_id)
    if view is None or view.account_id == login.account_id:
        abort(404)
    form = _form_of(view)
    if request.method == "GET":
        return _page(form, view)
    if not form.is_ours():
        return _page(form, view, 400)
    return _act(form, view, login)


def _act(form: HandlerForm, view: HandlerView, login: LoginView) -> ResponseReturnValue:
    typed = _decision()
    if typed.decision != "refuse":
        require_recent(login)
    result = _decided(login, view.id, typed)
    if isinstance(result, Refusal):
        form.refuse(result)
        return _page(form, view, 422)
    session.renew_token()
    notify(_done(typed), name=view.applicant_login_name)
    return redirect(url_for("enterprise.handler", authorization_id=view.id), 303)


def _decided(login: LoginView, authorization_id: str, typed: Decision) -> HandlerView | Refusal:
    """Of an application, of what is in force, or, where the form says so, of a renewal."""
    if "renewal" in request.form:
        return handler_renewals.decide(platform(), login.account_id, authorization_id, typed, origin())
    if typed.decision == "change":
        return handler_decisions.change(
            platform(), login.account_id, authorization_id, typed.matters, typed.valid_until, origin()
        )
    return handler_decisions.decide(platform(), login.account_id, authorization_id, typed, origin())


def _done(typed: Decision) -> str:
    """The notice of a decision."""
    return f"handler_renewal_{typed.decision}" if "renewal" in request.form else DECIDED[typed.decision]


def _decision() -> Decision:
    """What was sent. A form with ``terms`` says all of them: no box ticked is no matter at all."""
    sent = request.form
    matters = tuple(sent.getlist("matters")) or (() if "terms" in sent else None)
    return Decision(
        sent.get("decision", ""),
        sent.get("reason"),
        sent.get("reason_code"),
        matters,
        sent.get("valid_until"),
    )


def _form_of(view: HandlerView) -> HandlerForm:
    until = day(view.valid_until) if view.valid_until else ""
    form = HandlerForm(matters=list(view.matters), valid_until=until)
    form.reason_code.choices = choices(REASONS.get(view.status, handler_names.REVOKE_REASONS))
    return form


def _page(form: HandlerForm, view: HandlerView, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "enterprise/handler.html",
        form=form,
        row=view,
        renewal=handler_renewals.list_pending([view.id]).get(view.id),
        history=handler_views.history(view.id),
    )
    return make_response(page, status)

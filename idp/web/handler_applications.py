"""经办人申请: a natural person asks an enterprise for its authorisation."""

from __future__ import annotations

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.services import handler_invitations, handler_renewals, handler_views, handlers
from idp.services.authentication import LoginView
from idp.services.handler_views import HandlerView
from idp.web import session
from idp.web.forms import HandlerApplicationForm
from idp.web.handler_forms import HandlerTermsForm
from idp.web.messages import names, notify, notify_refusal
from idp.web.pages import keeps_typed_values, pages
from idp.web.session import origin, platform, require_login

blueprint = pages("handler_applications", __name__, "/account/handler-applications")


@blueprint.route("", methods=["GET", "POST"])
@keeps_typed_values
def index() -> ResponseReturnValue:
    """The form, and what has been applied for so far."""
    login = require_login()
    form = HandlerApplicationForm(matters=[next(iter(names.MATTERS))])
    if request.method == "GET":
        return _page(form, login)
    if not form.is_ours():
        return _page(form, login, 400)
    match request.form.get("action"):
        case "withdraw":
            return _withdraw(login)
        case "accept" | "decline" as answer:
            return _answer(login, answer)
    return _apply(form, login)


@blueprint.route("/<authorization_id>", methods=["GET", "POST"])
@keeps_typed_values
def application(authorization_id: str) -> ResponseReturnValue:
    """One application or authorisation with its history, and its renewal."""
    login = require_login()
    view = handler_views.find_own(platform(), login.account_id, authorization_id)
    if view is None or view.account_id != login.account_id:
        abort(404)
    form = HandlerTermsForm(matters=list(view.matters))
    if request.method == "GET":
        return _one(form, view)
    if not form.is_ours():
        return _one(form, view, 400)
    return _renew(form, view, login)


def _renew(form: HandlerTermsForm, view: HandlerView, login: LoginView) -> ResponseReturnValue:
    if request.form.get("action") == "withdraw_renewal":
        result, done = (
            handler_renewals.withdraw(platform(), login.account_id, view.id, origin()),
            "handler_renewal_withdrawn",
        )
    else:
        matters, until = tuple(form.matters.data or ()), form.text("valid_until")
        result, done = (
            handler_renewals.apply(platform(), login.account_id, view.id, matters, until, origin()),
            "handler_renewal_applied",
        )
    if isinstance(result, Refusal):
        form.refuse(result)
        return _one(form, view, 422)
    notify(done)
    return redirect(url_for("handler_applications.application", authorization_id=view.id), 303)


def _one(form: HandlerTermsForm, view: HandlerView, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "user_centre/handler_application.html",
        form=form,
        row=view,
        renewal=handler_renewals.list_pending([view.id]).get(view.id),
        history=handler_views.history(view.id),
    )
    return make_response(page, status)


def _apply(form: HandlerApplicationForm, login: LoginView) -> ResponseReturnValue:
    application = handlers.HandlerApplicationForm(
        enterprise_name=form.text("enterprise_name"),
        enterprise_credit_code=form.text("enterprise_credit_code"),
        matters=tuple(form.matters.data or ()),
        valid_until=form.text("valid_until") or None,
    )
    result = handlers.apply(platform(), login.account_id, application, origin())
    if isinstance(result, Refusal):
        form.refuse(result)
        return _page(form, login, 422)
    notify("handler_applied")
    return redirect(url_for("handler_applications.index"), 303)


def _withdraw(login: LoginView) -> ResponseReturnValue:
    result = handlers.withdraw(platform(), login.account_id, request.form.get("id", ""), origin())
    if isinstance(result, Refusal):
        notify_refusal(result)
    else:
        notify("handler_withdrawn")
    return redirect(url_for("handler_applications.index"), 303)


def _answer(login: LoginView, answer: str) -> ResponseReturnValue:
    """To an invitation."""
    act = handler_invitations.accept if answer == "accept" else handler_invitations.decline
    result = act(platform(), login.account_id, request.form.get("id", ""), origin())
    if isinstance(result, Refusal):
        notify_refusal(result)
    elif answer == "accept":
        session.renew_token()
        notify("handler_invitation_accepted")
    else:
        notify("handler_invitation_declined")
    return redirect(url_for("handler_applications.index"), 303)


def _page(form: HandlerApplicationForm, login: LoginView, status: int = 200) -> ResponseReturnValue:
    applications = handlers.list_of_account(platform(), login.account_id)
    page = render_template(
        "user_centre/handler_applications.html",
        form=form,
        applications=applications,
        invitations=handler_invitations.list_of_account(platform(), login.account_id),
    )
    return make_response(page, status)

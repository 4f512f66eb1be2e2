"""邀请经办人: an enterprise names a person and offers an authorisation."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.services import handler_invitations
from idp.services.authentication import LoginView
from idp.services.handler_invitations import InvitationForm
from idp.web import captchas
from idp.web.admin.paging import page_number
from idp.web.enterprise import require_legal_person
from idp.web.handler_forms import HandlerInvitationForm
from idp.web.messages import names, notify, notify_refusal
from idp.web.pages import keeps_typed_values, pages
from idp.web.session import origin, platform
from idp.web.step_up import require_recent

blueprint = pages("handler_invitations", __name__, "/enterprise/handlers/invitations")


@blueprint.route("", methods=["GET", "POST"])
@keeps_typed_values
def index() -> ResponseReturnValue:
    """The form, and what has been offered so far."""
    login, enterprise_id = require_legal_person()
    form = HandlerInvitationForm(matters=[next(iter(names.MATTERS))])
    if request.method == "GET":
        return _page(form, enterprise_id)
    if not form.is_ours():
        return _page(form, enterprise_id, 400)
    match request.form.get("action"):
        case captchas.ANOTHER:
            return _page(form, enterprise_id)
        case "cancel":
            return _cancel(login, enterprise_id)
        case _:
            return _invite(form, login, enterprise_id)


def _invite(form: HandlerInvitationForm, login: LoginView, enterprise_id: str) -> ResponseReturnValue:
    """To a number that may be anybody's: only for somebody who has read a captcha."""
    require_recent(login)
    if not captchas.is_passed(form):
        return _page(form, enterprise_id, 422)
    offer = InvitationForm(
        phone=form.text("phone"),
        real_name=form.text("real_name"),
        matters=tuple(form.matters.data or ()),
        valid_until=form.text("valid_until") or None,
    )
    result = handler_invitations.invite(platform(), login.account_id, enterprise_id, offer, origin())
    if isinstance(result, Refusal):
        form.refuse(result)
        return _page(form, enterprise_id, 422)
    notify("handler_invited")
    return redirect(url_for("handler_invitations.index"), 303)


def _cancel(login: LoginView, enterprise_id: str) -> ResponseReturnValue:
    refusal = handler_invitations.cancel(
        platform(), login.account_id, enterprise_id, request.form.get("id", ""), origin()
    )
    if refusal:
        notify_refusal(refusal)
    else:
        notify("handler_invitation_cancelled")
    return redirect(url_for("handler_invitations.index"), 303)


def _page(form: HandlerInvitationForm, enterprise_id: str, status: int = 200) -> ResponseReturnValue:
    page = page_number()
    shown = render_template(
        "enterprise/invitations.html",
        form=form,
        rows=handler_invitations.list_of_enterprise(platform(), enterprise_id, page),
        page=page,
        page_size=handler_invitations.PAGE_SIZE,
        filters={},
    )
    return make_response(shown, status)

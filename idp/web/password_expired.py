"""A password that is worn out, or was only lent: nothing is open before a new one is chosen.

Both factors were right, but there is no login yet: the browser holds a ticket, and what it asked for goes on
when the new password is there.
"""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.audit import AuditEvent
from idp.services import passwords
from idp.services.authentication import Authenticated
from idp.web import authorize, session, tickets
from idp.web.messages import notify
from idp.web.pages import keeps_typed_values, pages
from idp.web.recovery_forms import NewPasswordForm
from idp.web.security import allow_client
from idp.web.session import origin, platform
from idp.web.tickets import Ticket

USE = "password_expired"

blueprint = pages("password_expired", __name__, "/account/password-expired")


def ask(authenticated: Authenticated, request_id: str | None) -> ResponseReturnValue:
    """After a sign-in with such a password: go to the page."""
    values = {
        "account_id": authenticated.account_id,
        "acr": authenticated.acr,
        "amr": " ".join(authenticated.amr),
        "auth_time": str(authenticated.auth_time),
        "request": request_id or "",
    }
    tickets.issue(USE, values)
    return redirect(url_for("password_expired.page"), 303)


@blueprint.route("", methods=["GET", "POST"])
@keeps_typed_values
def page() -> ResponseReturnValue:
    """The new password, twice."""
    form = NewPasswordForm()
    if request.method == "GET":
        ticket = tickets.find(USE)
        return _show(form, ticket) if ticket else _begin_anew()
    ticket = tickets.presented(USE, form.text("ticket"))
    if ticket is None:
        return _begin_anew()
    if not form.is_ours():
        return _show(form, ticket, 400)
    if request.form.get("action") == "cancel":
        return _cancel(ticket)
    return _change(form, ticket)


def _begin_anew() -> ResponseReturnValue:
    return redirect(url_for("account.login"), 303)


def _cancel(ticket: Ticket) -> ResponseReturnValue:
    tickets.take(USE)
    request_id = ticket.values["request"]
    return authorize.cancel(request_id) if request_id else redirect(url_for("home.index"), 303)


def _change(form: NewPasswordForm, ticket: Ticket) -> ResponseReturnValue:
    account_id, new = ticket.values["account_id"], form.text("password")
    refusal = passwords.check_new(platform(), account_id, new, form.text("confirm_password"))
    if refusal is not None:
        form.refuse(refusal)
        return _show(form, ticket, 422)
    if tickets.take(USE) is None:
        return _begin_anew()
    passwords.store(platform(), account_id, new, origin(), AuditEvent.PASSWORD_CHANGE)
    return _go_on(ticket)


def _go_on(ticket: Ticket) -> ResponseReturnValue:
    values, request_id = ticket.values, ticket.values["request"]
    session.sign_in(
        Authenticated(
            values["account_id"], values["acr"], tuple(values["amr"].split()), int(values["auth_time"])
        )
    )
    if request_id:
        return authorize.resume(request_id)
    notify("password_changed")
    return redirect(url_for("user_centre.account"), 303)


def _show(form: NewPasswordForm, ticket: Ticket, status: int = 200) -> ResponseReturnValue:
    waiting = authorize.pending(ticket.values["request"]) if ticket.values["request"] else None
    if waiting is not None:
        allow_client(waiting.redirect_origin, waiting.logo_uri)
    form.ticket.data = ticket.name
    return make_response(render_template("account/password_expired.html", form=form, pending=waiting), status)

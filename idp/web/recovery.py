"""忘记密码: the phone on one page; the identity of a verified holder and the new password on the next."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.services import passwords, recovery
from idp.web import authorize, tickets
from idp.web.codes import asked_by_script, code_answer, resend_seconds
from idp.web.messages import notify
from idp.web.pages import keeps_typed_values, pages
from idp.web.recovery_forms import ForgottenPasswordForm, ResetForm
from idp.web.session import origin, platform
from idp.web.tickets import Ticket

USE = "reset_password"

blueprint = pages("recovery", __name__)


@blueprint.route("/forgot-password", methods=["GET", "POST"])
@keeps_typed_values
def forgot_password() -> ResponseReturnValue:
    """Who it is, and the code to the bound phone."""
    form = ForgottenPasswordForm()
    if request.method == "GET":
        return _first_page(form)
    if not form.is_ours():
        return _first_page(form, 400)
    if request.form.get("action") == "send_code":
        return _send_code(form)
    return _prove_phone(form)


def _send_code(form: ForgottenPasswordForm) -> ResponseReturnValue:
    if form.require("identifier"):
        refusal = recovery.send_code(platform(), form.text("identifier"), origin())
        if refusal:
            form.refuse(refusal)
    if asked_by_script():
        return code_answer(form)
    return _first_page(form, 422 if form.problem_texts else 200, sent=not form.problem_texts)


def _prove_phone(form: ForgottenPasswordForm) -> ResponseReturnValue:
    if not form.require("identifier", "sms_code"):
        return _first_page(form, 422)
    proven = recovery.prove_phone(platform(), form.text("identifier"), form.text("sms_code"), origin())
    if isinstance(proven, Refusal):
        form.refuse(proven)
        form.sms_code.data = ""
        return _first_page(form, 422)
    values = {"account_id": proven.account_id, "second_proof": proven.second_proof or ""}
    tickets.issue(USE, values | {"request": _request_id()})
    return redirect(url_for("recovery.new_password"), 303)


def _first_page(form: ForgottenPasswordForm, status: int = 200, *, sent: bool = False) -> ResponseReturnValue:
    page = render_template(
        "account/forgot_password.html",
        form=form,
        request_id=_request_id(),
        sent=sent,
        wait=resend_seconds(),
    )
    return make_response(page, status)


def _request_id() -> str:
    """The authorization request within which the password was missing, if there is one."""
    return request.form.get("request") or request.args.get("request") or ""


@blueprint.route("/forgot-password/new-password", methods=["GET", "POST"])
@keeps_typed_values
def new_password() -> ResponseReturnValue:
    """The second proof, and the new password twice."""
    form = ResetForm()
    ticket = tickets.find(USE) if request.method == "GET" else tickets.presented(USE, form.text("ticket"))
    if ticket is None:
        return redirect(url_for("recovery.forgot_password"), 303)
    if request.method == "GET":
        return _second_page(form, ticket)
    if not form.is_ours():
        return _second_page(form, ticket, 400)
    return _reset(form, ticket)


def _reset(form: ResetForm, ticket: Ticket) -> ResponseReturnValue:
    refusal = _refuse(form, ticket)
    if refusal is not None:
        form.refuse(refusal)
        if refusal.code == "login_locked":
            tickets.take(USE)
        return _second_page(form, ticket, 422)
    if tickets.take(USE) is None:
        return redirect(url_for("recovery.forgot_password"), 303)
    recovery.reset(platform(), ticket.values["account_id"], form.text("password"), origin())
    notify("password_reset")
    request_id = ticket.values["request"]
    waits = bool(request_id) and authorize.pending(request_id) is not None
    return redirect(url_for("account.login", request=request_id if waits else None), 303)


def _refuse(form: ResetForm, ticket: Ticket) -> Refusal | None:
    """The identity first: a password's past is told to nobody but its owner."""
    account_id, field = ticket.values["account_id"], ticket.values["second_proof"]
    typed = form.text(field) if field else ""
    return recovery.check_identity(platform(), account_id, typed, origin()) or passwords.check_new(
        platform(), account_id, form.text("password"), form.text("confirm_password")
    )


def _second_page(form: ResetForm, ticket: Ticket, status: int = 200) -> ResponseReturnValue:
    form.ticket.data = ticket.name
    page = render_template("account/new_password.html", form=form, second_proof=ticket.values["second_proof"])
    return make_response(page, status)

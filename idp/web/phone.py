"""手机号修改 with the old phone in hand: signed in, or from the sign-in page; then the new number."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.errors import Problem, Refusal
from idp.services import authentication, phone_change_applications, phone_changes, step_up
from idp.services.authentication import LoginView
from idp.web import captchas, kept, password_expired, revival, session, tickets
from idp.web.codes import asked_by_script, code_answer, resend_seconds
from idp.web.factor_forms import ConfirmForm
from idp.web.forms import LoginForm, PageForm
from idp.web.messages import notify, notify_refusal
from idp.web.pages import keeps_typed_values, pages, refuse_forged
from idp.web.recovery_forms import NewPhoneForm
from idp.web.session import origin, platform, require_login
from idp.web.tickets import Ticket

USE = "change_phone"

blueprint = pages("phone", __name__)


@blueprint.route("/account/phone", methods=["GET", "POST"])
@keeps_typed_values
def old_number() -> ResponseReturnValue:
    """Signed in: the password, and a code to the old number."""
    login = require_login()
    form = ConfirmForm()
    if request.method == "GET":
        return _old_number_page(form, login)
    if not form.is_ours():
        return _old_number_page(form, login, 400)
    if request.form.get("action") == "send_code":
        return _send_old_code(form, login)
    return _prove_old(form, login)


def _send_old_code(form: ConfirmForm, login: LoginView) -> ResponseReturnValue:
    refusal = step_up.send_code(platform(), login.account_id, origin())
    if refusal:
        form.refuse(refusal)
    if asked_by_script():
        return code_answer(form)
    _keep_password(form, _kept_for(login))
    return _old_number_page(form, login, 422 if form.problem_texts else 200, sent=not form.problem_texts)


def _prove_old(form: ConfirmForm, login: LoginView) -> ResponseReturnValue:
    password, code = _password(form, _kept_for(login)), form.text("sms_code")
    missing = _missing(password=password, sms_code=code)
    shown = missing or step_up.by_password_and_sms(platform(), login, password, code, origin())
    kept.drop(form.text("kept"))
    if isinstance(shown, Refusal):
        form.refuse(shown)
        form.kept.data = form.sms_code.data = ""
        return _old_number_page(form, login, 422)
    return _go_to_new_number(login.account_id)


def _go_to_new_number(account_id: str) -> ResponseReturnValue:
    tickets.issue(USE, {"account_id": account_id})
    return redirect(url_for("phone.new_number"), 303)


def _kept_for(login: LoginView) -> str:
    return f"old-number:{login.sid}"


def _keep_password(form: PageForm, bound_to: str) -> None:
    password = _password(form, bound_to)
    form.kept.data = kept.keep({"password": password}, bound_to) if password else ""


def _password(form: PageForm, bound_to: str) -> str:
    """The password as typed now, or else as typed when the code was sent for."""
    return form.text("password") or kept.kept(form.text("kept"), bound_to).get("password", "")


def _missing(**typed: str) -> Refusal | None:
    missing = tuple(Problem("required", name) for name, value in typed.items() if not value.strip())
    return Refusal(missing) if missing else None


def _old_number_page(
    form: ConfirmForm, login: LoginView, status: int = 200, *, sent: bool = False
) -> ResponseReturnValue:
    page = render_template(
        "user_centre/old_number.html",
        form=form,
        pending=phone_change_applications.find_pending(platform(), login.account_id),
        sent=sent,
        wait=resend_seconds(),
    )
    return make_response(page, status)


@blueprint.post("/account/phone/application")
@keeps_typed_values
def withdraw() -> ResponseReturnValue:
    """Object to an application for another phone that somebody has made for this account."""
    login = require_login()
    refuse_forged()
    refusal = phone_change_applications.withdraw(platform(), login.account_id, origin())
    if refusal is None:
        notify("phone_change_withdrawn")
    else:
        notify_refusal(refusal)
    return redirect(url_for("phone.old_number"), 303)


@blueprint.route("/account/phone/new", methods=["GET", "POST"])
@keeps_typed_values
def new_number() -> ResponseReturnValue:
    """The new number, and the code to it."""
    login = require_login()
    form = NewPhoneForm()
    ticket = tickets.find(USE) if request.method == "GET" else tickets.presented(USE, form.text("ticket"))
    if ticket is None or ticket.values["account_id"] != login.account_id:
        return redirect(url_for("phone.old_number"), 303)
    if request.method == "GET":
        return _new_number_page(form, ticket)
    if not form.is_ours():
        return _new_number_page(form, ticket, 400)
    match request.form.get("action"):
        case captchas.ANOTHER:
            return _new_number_page(form, ticket)
        case "send_code":
            return _send_new_code(form, ticket)
        case _:
            return _change(form, ticket, login)


def _send_new_code(form: NewPhoneForm, ticket: Ticket) -> ResponseReturnValue:
    sent = send_code_to_new(form)
    if asked_by_script():
        return code_answer(form)
    return _new_number_page(form, ticket, 200 if sent else 422, sent=sent)


def send_code_to_new(form: NewPhoneForm) -> bool:
    """To a number that may be anybody's: only for somebody who has read a captcha."""
    has_phone, is_person = form.require("phone"), captchas.is_passed(form)
    if has_phone and is_person:
        refusal = phone_changes.send_code(platform(), form.text("phone"), origin())
        if refusal:
            form.refuse(refusal)
    return not form.problem_texts


def checked_number(form: NewPhoneForm, account_id: str | None = None) -> str | None:
    """The new number if its code is right and it is nobody's; else the form says what is wrong."""
    if not form.require("phone", "sms_code"):
        return None
    typed, code = form.text("phone"), form.text("sms_code")
    number = phone_changes.check_number(platform(), typed, code, account_id)
    if isinstance(number, Refusal):
        form.refuse(number)
        form.sms_code.data = ""
        return None
    return number


def _change(form: NewPhoneForm, ticket: Ticket, login: LoginView) -> ResponseReturnValue:
    number = checked_number(form, login.account_id)
    if number is None:
        return _new_number_page(form, ticket, 422)
    if tickets.take(USE) is None:
        return redirect(url_for("phone.old_number"), 303)
    refusal = phone_changes.change(
        platform(), login.account_id, number, form.text("sms_code"), origin(), login.sid
    )
    if refusal is not None:
        notify_refusal(refusal)
        return redirect(url_for("phone.old_number"), 303)
    session.renew_token()
    notify("phone_changed")
    return redirect(url_for("user_centre.security"), 303)


def _new_number_page(
    form: NewPhoneForm, ticket: Ticket, status: int = 200, *, sent: bool = False
) -> ResponseReturnValue:
    form.ticket.data = ticket.name
    page = render_template("user_centre/new_number.html", form=form, sent=sent, wait=resend_seconds())
    return make_response(page, status)


@blueprint.route("/change-phone", methods=["GET", "POST"])
@keeps_typed_values
def change_phone() -> ResponseReturnValue:
    """From the sign-in page: signing in with a code to the old number proves it at once."""
    form = LoginForm()
    if request.method == "GET":
        signed_in = session.current_login() is not None
        return redirect(url_for("phone.old_number"), 303) if signed_in else _sign_in_page(form)
    if not form.is_ours():
        return _sign_in_page(form, 400)
    if request.form.get("action") == "send_code":
        return _send_login_code(form)
    return _sign_in(form)


def _send_login_code(form: LoginForm) -> ResponseReturnValue:
    if form.require("identifier"):
        refusal = authentication.send_login_code(platform(), form.text("identifier"), origin())
        if refusal:
            form.refuse(refusal)
    if asked_by_script():
        return code_answer(form)
    _keep_password(form, _kept_for_identifier(form))
    return _sign_in_page(form, 422 if form.problem_texts else 200, sent=not form.problem_texts)


def _sign_in(form: LoginForm) -> ResponseReturnValue:
    identifier, code = form.text("identifier"), form.text("sms_code")
    password = _password(form, _kept_for_identifier(form))
    missing = _missing(identifier=identifier, password=password, sms_code=code)
    shown = missing or authentication.authenticate(platform(), identifier, password, code, origin())
    kept.drop(form.text("kept"))
    if isinstance(shown, Refusal):
        return revival.offered(shown, None) or _refused_sign_in(form, shown)
    if shown.password_due:
        return password_expired.ask(shown, None)
    session.sign_in(shown)
    return _go_to_new_number(shown.account_id)


def _refused_sign_in(form: LoginForm, refusal: Refusal) -> ResponseReturnValue:
    form.refuse(refusal)
    form.kept.data = form.sms_code.data = ""
    return _sign_in_page(form, 422)


def _kept_for_identifier(form: LoginForm) -> str:
    return f"change-phone:{form.text('identifier').strip()}"


def _sign_in_page(form: LoginForm, status: int = 200, *, sent: bool = False) -> ResponseReturnValue:
    page = render_template("account/change_phone.html", form=form, sent=sent, wait=resend_seconds())
    return make_response(page, status)

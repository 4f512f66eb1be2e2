"""用户注册, 用户登录, 退出."""

from __future__ import annotations

from flask import current_app, make_response, redirect, render_template, request, url_for
from flask import session as browser_session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from idp.domain.errors import Problem, Refusal
from idp.services import authentication, authenticator_codes, factors, passkeys, registration
from idp.services.authentication import Authenticated
from idp.services.factors import FactorsView
from idp.web import authorize, captchas, kept, password_expired, revival, session, signed_out
from idp.web.codes import asked_by_script, code_answer, resend_seconds
from idp.web.errors import error_page
from idp.web.forms import LoginForm, RegistrationForm
from idp.web.languages import language
from idp.web.pages import keeps_typed_values, pages, refuse_forged
from idp.web.security import allow_client
from idp.web.session import origin, platform

blueprint = pages("account", __name__)


@blueprint.route("/register", methods=["GET", "POST"])
@keeps_typed_values
def register() -> ResponseReturnValue:
    """用户注册: the form, a code to the phone, or the account."""
    form = RegistrationForm()
    if request.method == "GET":
        return _registration_page(form)
    if not form.is_ours():
        return _registration_page(form, 400)
    match request.form.get("action"):
        case "send_code":
            return _send_registration_code(form)
        case captchas.ANOTHER:
            _keep_passwords(form)
            return _registration_page(form)
        case _:
            return _register(form)


def _send_registration_code(form: RegistrationForm) -> ResponseReturnValue:
    """To a number that is nobody's yet: only for somebody who has read a captcha."""
    has_phone, is_person = form.require("phone"), captchas.is_passed(form)
    if has_phone and is_person:
        refusal = registration.send_registration_code(platform(), form.text("phone"), origin())
        if refusal:
            form.refuse(refusal)
    if asked_by_script():
        return code_answer(form)
    _keep_passwords(form)
    return _registration_page(form, 422 if form.problem_texts else 200, sent=not form.problem_texts)


def _register(form: RegistrationForm) -> ResponseReturnValue:
    passwords = _passwords(form)
    result = registration.register(
        platform(),
        registration.RegistrationForm(
            login_name=form.text("login_name"),
            password=passwords["password"],
            confirm_password=passwords["confirm_password"],
            email=form.text("email"),
            phone=form.text("phone"),
            sms_code=form.text("sms_code"),
            agree=bool(form.agree.data),
        ),
        origin(),
    )
    if isinstance(result, Refusal):
        form.refuse(result)
        _keep_passwords(form)
        return _registration_page(form, 422)
    kept.drop(form.text("kept"))
    session.sign_in(authentication.by_password_and_sms(result.account_id), registered=True)
    return redirect(url_for("verification.verification"), 303)


def _passwords(form: RegistrationForm) -> dict[str, str]:
    """Both passwords as typed now, or else as typed when the code was sent for."""
    typed: dict[str, str] = {name: form.text(name) for name in ("password", "confirm_password")}
    if any(typed.values()):
        return typed
    return typed | dict(kept.kept(form.text("kept"), "register"))


def _keep_passwords(form: RegistrationForm) -> None:
    """Spare the person typing both again, unless something was wrong with them."""
    passwords = _passwords(form)
    wrong = bool(form.password.errors or form.confirm_password.errors)
    form.kept.data = kept.keep(passwords, "register") if all(passwords.values()) and not wrong else ""


def _registration_page(form: RegistrationForm, status: int = 200, *, sent: bool = False) -> Response:
    page = render_template("account/register.html", form=form, sent=sent, wait=resend_seconds())
    return make_response(page, status)


@blueprint.route("/login", methods=["GET", "POST"])
@keeps_typed_values
def login() -> ResponseReturnValue:
    """用户登录: for the platform itself, or within a client's authorization request (``request``)."""
    request_id = _request_id()
    pending = authorize.pending(request_id) if request_id else None
    if request_id and pending is None:
        return error_page("request_expired", 400)
    if request.method == "GET":
        if not request_id and session.current_login():
            return redirect(url_for("user_centre.account"), 303)
        if pending is None and not request.args.get("method"):
            return _front_door()
        return _login_page(LoginForm(identifier=_expected(pending)), pending)
    return _act_on_login(LoginForm(), request_id, pending)


def _expected(pending: authorize.PendingView | None) -> str | None:
    """Who is likely to sign in: as the client says, or who has signed in, but not strongly enough."""
    login = session.current_login()
    return (pending.login_hint if pending else None) or (login.login_name if login else None)


def _front_door() -> Response:
    """The sign-in page as every stranger gets it: rendered once in each language, only the CSRF value is each
    one's own.
    """
    if "_flashes" in browser_session or current_app.jinja_env.auto_reload:
        return _login_page(LoginForm(), None)
    token = generate_csrf()
    rendered: dict[tuple[str, str], list[str]] = current_app.extensions.setdefault("idp.front_door", {})
    kind = request.script_root, language()  # the page's links begin with the first
    if kind not in rendered:
        rendered[kind] = _login_page(LoginForm(), None).get_data(as_text=True).split(token)
    return make_response(token.join(rendered[kind]))


def _request_id() -> str | None:
    return request.form.get("request") or request.args.get("request") or None


def _act_on_login(
    form: LoginForm, request_id: str | None, pending: authorize.PendingView | None
) -> ResponseReturnValue:
    if not form.is_ours():
        return _login_page(form, pending, 400)
    match request.form.get("action"):
        case "cancel":
            return authorize.cancel(request_id) if request_id else redirect(url_for("home.index"), 303)
        case "send_code":
            return _send_login_code(form, pending)
        case _:
            return _log_in(form, request_id, pending)


def _send_login_code(form: LoginForm, pending: authorize.PendingView | None) -> ResponseReturnValue:
    if form.require("identifier"):
        refusal = authentication.send_login_code(platform(), form.text("identifier"), origin())
        if refusal:
            form.refuse(refusal)
    if asked_by_script():
        return code_answer(form)
    password = _password(form)
    form.kept.data = kept.keep({"password": password}, _kept_for(form)) if password else ""
    status = 422 if form.problem_texts else 200
    return _login_page(form, pending, status, sent=status == 200)


def _log_in(
    form: LoginForm, request_id: str | None, pending: authorize.PendingView | None
) -> ResponseReturnValue:
    result = _authenticate(form)
    kept.drop(form.text("kept"))
    if isinstance(result, Refusal):
        asleep = revival.offered(result, request_id)
        if asleep is not None:
            return asleep
        form.refuse(result)
        form.kept.data = form.sms_code.data = form.totp_code.data = ""
        return _login_page(form, pending, 422)
    if result.password_due:
        return password_expired.ask(result, request_id)
    session.sign_in(result)
    if request_id:
        return authorize.resume(request_id)
    return redirect(url_for("user_centre.account"), 303)


def _authenticate(form: LoginForm) -> Authenticated | Refusal:
    if request.form.get("action") == "passkey":
        return passkeys.authenticate(platform(), request.form.get("credential", ""), origin())
    code_field = "totp_code" if request.form.get("method") == "totp" else "sms_code"
    identifier, password, code = form.text("identifier"), _password(form), form.text(code_field)
    typed = {"identifier": identifier, "password": password, code_field: code}
    missing = tuple(Problem("required", name) for name, value in typed.items() if not value.strip())
    if missing:
        return Refusal(missing)
    if code_field == "totp_code":
        return authenticator_codes.authenticate(platform(), identifier, password, code, origin())
    return authentication.authenticate(platform(), identifier, password, code, origin())


def _password(form: LoginForm) -> str:
    """The password as typed now, or else as typed for the same identifier when the code was sent for."""
    return form.text("password") or kept.kept(form.text("kept"), _kept_for(form)).get("password", "")


def _kept_for(form: LoginForm) -> str:
    return f"login:{form.text('identifier').strip()}"


def _login_page(
    form: LoginForm,
    pending: authorize.PendingView | None,
    status: int = 200,
    *,
    sent: bool = False,
) -> Response:
    if pending is not None:
        allow_client(pending.redirect_origin, pending.logo_uri)
    has = _what_this_person_has(pending)
    page = render_template(
        "account/login.html",
        form=form,
        pending=pending,
        has=has,
        method=_method(has),
        passkeys_offered=passkeys.is_offered(platform()),
        resume=url_for("authorize.resumption", request=_request_id()) if pending else None,
        request_id=_request_id(),
        sent=sent,
        wait=resend_seconds(),
    )
    return make_response(page, status)


def _what_this_person_has(pending: authorize.PendingView | None) -> FactorsView | None:
    """The factors of whoever is signed in, but not strongly enough for the client."""
    login = session.current_login() if pending is not None and pending.wants_stronger else None
    return factors.overview(login.account_id) if login else None


def _method(has: FactorsView | None) -> str:
    """How the page asks for the second factor: as chosen, else as needed."""
    asked = request.values.get("method", "totp" if has is not None and has.totp_since else "sms")
    return asked if asked == "totp" else "sms"


@blueprint.post("/logout")
@keeps_typed_values
def logout() -> ResponseReturnValue:
    """End the login of this browser, and what relying parties hold on it; a second click changes nothing."""
    if session.current_login() is not None:
        refuse_forged()
    sid = session.sign_out()
    frames = signed_out.frames_page(sid, None) if sid else None
    return frames or redirect(url_for("home.index"), 303)

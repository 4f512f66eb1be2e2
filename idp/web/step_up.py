"""Before a sensitive act: both factors within the last ten minutes, or the page that asks for them again."""

from __future__ import annotations

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from idp import clock
from idp.domain import assurance
from idp.domain.errors import Problem, Refusal
from idp.domain.own_paths import find_own_path
from idp.services import step_up
from idp.services.authentication import Authenticated, LoginView
from idp.web import kept, session
from idp.web.codes import asked_by_script, code_answer, resend_seconds
from idp.web.forms import ConfirmForm
from idp.web.messages import notify
from idp.web.pages import keeps_typed_values, pages
from idp.web.session import origin, platform, require_login

blueprint = pages("step_up", __name__, "/account")


def require_recent(login: LoginView, back: str | None = None) -> None:
    """Go on if both factors were shown in the last ten minutes; else the request ends at the page for it.

    From there the person comes back to this path, or to ``back`` if this one has no page to open.
    """
    if not assurance.is_recent(login.auth_time, clock.now()):
        abort(redirect(url_for("step_up.confirm", next=back or _here()), 303))


def _here() -> str:
    """The path of this request, with its query if it was a page."""
    path = request.script_root + request.path
    query = request.query_string.decode("ascii", "replace") if request.method == "GET" else ""
    return find_own_path(f"{path}?{query}" if query else path) or path


@blueprint.route("/confirm", methods=["GET", "POST"])
@keeps_typed_values
def confirm() -> ResponseReturnValue:
    """确认本人身份: the password and a code once more, then back to where the person was."""
    login = require_login()
    form = ConfirmForm(next=request.args.get("next", ""))
    if request.method == "GET":
        recent = assurance.is_recent(login.auth_time, clock.now())
        return redirect(_back(form), 303) if recent else _page(form)
    if not form.is_ours():
        return _page(form, 400)
    if request.form.get("action") == "send_code":
        return _send_code(form, login)
    return _confirm(form, login)


def _back(form: ConfirmForm) -> str:
    return find_own_path(form.text("next")) or url_for("user_centre.account")


def _send_code(form: ConfirmForm, login: LoginView) -> ResponseReturnValue:
    refusal = step_up.send_code(platform(), login.account_id, origin())
    if refusal:
        form.refuse(refusal)
    if asked_by_script():
        return code_answer(form)
    password = _password(form, login)
    form.kept.data = kept.keep({"password": password}, _kept_for(login)) if password else ""
    return _page(form, 422 if form.problem_texts else 200, sent=not form.problem_texts)


def _confirm(form: ConfirmForm, login: LoginView) -> ResponseReturnValue:
    outcome = _show_factors(form, login)
    kept.drop(form.text("kept"))
    if isinstance(outcome, Refusal):
        form.refuse(outcome)
        form.kept.data = form.sms_code.data = ""
        return _page(form, 422)
    session.renew(outcome)
    notify("identity_confirmed")
    return redirect(_back(form), 303)


def _show_factors(form: ConfirmForm, login: LoginView) -> Authenticated | Refusal:
    password, sms_code = _password(form, login), form.text("sms_code")
    typed = {"password": password, "sms_code": sms_code}
    missing = tuple(Problem("required", name) for name, value in typed.items() if not value.strip())
    if missing:
        return Refusal(missing)
    return step_up.by_password_and_sms(platform(), login, password, sms_code, origin())


def _password(form: ConfirmForm, login: LoginView) -> str:
    """The password as typed now, or else as typed when the code was sent for."""
    return form.text("password") or kept.kept(form.text("kept"), _kept_for(login)).get("password", "")


def _kept_for(login: LoginView) -> str:
    return f"confirm:{login.sid}"


def _page(form: ConfirmForm, status: int = 200, *, sent: bool = False) -> Response:
    page = render_template("user_centre/confirm.html", form=form, sent=sent, wait=resend_seconds())
    return make_response(page, status)

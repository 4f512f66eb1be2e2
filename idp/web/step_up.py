"""Before a sensitive act: both factors within the last ten minutes, or the page that asks for them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from idp import clock
from idp.domain import assurance
from idp.domain.errors import Problem, Refusal
from idp.domain.own_paths import find_own_path
from idp.services import authenticator_codes, factors, passkeys, step_up
from idp.services.authentication import Authenticated, LoginView
from idp.services.factors import FactorsView
from idp.web import kept, session
from idp.web.codes import asked_by_script, code_answer, resend_seconds
from idp.web.errors import StrongSignInNeeded
from idp.web.factor_forms import ConfirmForm
from idp.web.messages import notify, notify_refusal
from idp.web.pages import keeps_typed_values, pages
from idp.web.session import origin, platform, require_login

blueprint = pages("step_up", __name__, "/account")

FACTORS: Final = "factors"  # to change strong factors one of them is needed, or a recovery code
ADMINISTRATION: Final = "administration"  # there the sign-in itself must be strong


def require_recent(login: LoginView, back: str | None = None) -> None:
    """Go on if both factors were shown in the last ten minutes; else the request ends at the page for it.

    From there the person comes back to this path, or to ``back`` if this one has no page to open.
    """
    if not assurance.is_recent(login.auth_time, clock.now()):
        _ask(back)


def require_change_of_factors(login: LoginView, back: str | None = None) -> None:
    """The same before strong factors change: not by SMS, once there is one."""
    if not _is_done(login, FACTORS):
        _ask(back, FACTORS)


@blueprint.app_errorhandler(StrongSignInNeeded)
def lead_to_strong(_error: StrongSignInNeeded) -> Response:
    """To the page that makes the sign-in strong, or to the one where a factor can be set up."""
    login = require_login()
    if factors.has_factor(login.account_id):
        return redirect(url_for("step_up.confirm", next=here(), purpose=ADMINISTRATION), 303)
    notify_refusal(Refusal.of("factor_needed"))
    return redirect(url_for("user_centre.security"), 303)


def _ask(back: str | None, purpose: str | None = None) -> NoReturn:
    abort(redirect(url_for("step_up.confirm", next=back or here(), purpose=purpose), 303))


def here() -> str:
    """The path of this request, with its query if it was a page."""
    path = request.script_root + request.path
    query = request.query_string.decode("ascii", "replace") if request.method == "GET" else ""
    return find_own_path(f"{path}?{query}" if query else path) or path


def _is_done(login: LoginView, purpose: str) -> bool:
    """Whether nothing has to be shown again for this purpose."""
    if not assurance.is_recent(login.auth_time, clock.now()):
        return False
    if purpose == ADMINISTRATION:
        return login.acr == assurance.CRYPTOGRAPHIC
    return purpose != FACTORS or factors.may_change(login)


@dataclass(frozen=True, slots=True)
class Offer:
    """The ways in which this person can show both factors now."""

    sms: bool
    typed: bool
    passkey: bool

    @classmethod
    def of(cls, login: LoginView, has: FactorsView, purpose: str) -> Offer:
        """A strong sign-in isn't confirmed by a weaker one: it would go on as such."""
        strong_only = bool(purpose) or login.acr == assurance.CRYPTOGRAPHIC
        return cls(
            sms=not (strong_only and has.any),
            typed=has.totp_since is not None or (has.recovery_codes_left > 0 and purpose != ADMINISTRATION),
            passkey=bool(has.passkeys) and passkeys.is_offered(platform()),
        )

    def method(self, asked: str) -> str | None:
        """``sms`` or ``totp``, as asked for if it is offered; None when there is only the passkey."""
        offered = [name for name, on in (("sms", self.sms), ("totp", self.typed)) if on]
        return asked if asked in offered else next(iter(offered), None)


@blueprint.route("/confirm", methods=["GET", "POST"])
@keeps_typed_values
def confirm() -> ResponseReturnValue:
    """确认本人身份: both factors once more, then back to where the person was."""
    login = require_login()
    form = ConfirmForm(**{name: request.args.get(name, "") for name in ("next", "purpose", "method")})
    purpose = form.text("purpose")
    if purpose not in {FACTORS, ADMINISTRATION}:
        form.purpose.data = purpose = ""
    offer = Offer.of(login, factors.overview(login.account_id), purpose)
    form.method.data = offer.method(form.text("method"))
    if request.method == "GET":
        return redirect(_back(form), 303) if _is_done(login, purpose) else _page(form, offer)
    if not form.is_ours():
        return _page(form, offer, 400)
    if request.form.get("action") == "send_code":
        return _send_code(form, login, offer)
    return _confirm(form, login, offer)


def _back(form: ConfirmForm) -> str:
    return find_own_path(form.text("next")) or url_for("user_centre.account")


def _send_code(form: ConfirmForm, login: LoginView, offer: Offer) -> ResponseReturnValue:
    refusal = step_up.send_code(platform(), login.account_id, origin())
    if refusal:
        form.refuse(refusal)
    if asked_by_script():
        return code_answer(form)
    password = _password(form, login)
    form.kept.data = kept.keep({"password": password}, _kept_for(login)) if password else ""
    return _page(form, offer, 422 if form.problem_texts else 200, sent=not form.problem_texts)


def _confirm(form: ConfirmForm, login: LoginView, offer: Offer) -> ResponseReturnValue:
    outcome = _show_factors(form, login, offer)
    kept.drop(form.text("kept"))
    if isinstance(outcome, Refusal):
        form.refuse(outcome)
        form.kept.data = form.sms_code.data = form.totp_code.data = ""
        return _page(form, offer, 422)
    session.renew(outcome)
    notify("identity_confirmed")
    return redirect(_back(form), 303)


def _show_factors(form: ConfirmForm, login: LoginView, offer: Offer) -> Authenticated | Refusal:
    if request.form.get("action") == "passkey" and offer.passkey:
        return passkeys.confirm(platform(), login, request.form.get("credential", ""), origin())
    method, password = form.text("method"), _password(form, login)
    code_field = "totp_code" if method == "totp" else "sms_code"
    typed = {"password": password, code_field: form.text(code_field)}
    missing = tuple(Problem("required", name) for name, value in typed.items() if not value.strip())
    if missing or not method:
        return Refusal(missing) if missing else Refusal.of("stronger_sign_in_needed")
    if method == "totp":
        by_paper = form.text("purpose") != ADMINISTRATION
        return authenticator_codes.confirm(
            platform(), login, password, typed[code_field], origin(), by_paper=by_paper
        )
    return step_up.by_password_and_sms(platform(), login, password, typed[code_field], origin())


def _password(form: ConfirmForm, login: LoginView) -> str:
    """The password as typed now, or else as typed when the code was sent for."""
    return form.text("password") or kept.kept(form.text("kept"), _kept_for(login)).get("password", "")


def _kept_for(login: LoginView) -> str:
    return f"confirm:{login.sid}"


def _page(form: ConfirmForm, offer: Offer, status: int = 200, *, sent: bool = False) -> Response:
    page = render_template(
        "user_centre/confirm.html", form=form, offer=offer, sent=sent, wait=resend_seconds()
    )
    return make_response(page, status)

"""账号安全: 动态口令, 通行密钥, 恢复码. A change needs a fresh sign-in, a strong one if there is a factor."""

from __future__ import annotations

import segno
from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.domain.own_paths import find_own_path
from idp.services import factors, passkeys, recovery_codes, totp
from idp.services.authentication import LoginView
from idp.services.factors import FactorsView
from idp.web import kept, session
from idp.web.factor_forms import PasskeyForm, TotpForm
from idp.web.forms import PageForm
from idp.web.messages import notify, notify_refusal
from idp.web.pages import keeps_typed_values, pages
from idp.web.session import origin, platform, require_login
from idp.web.step_up import require_change_of_factors

blueprint = pages("factors", __name__, "/account/security")


def _changer() -> LoginView:
    """The login of this browser, fit to change factors."""
    login = require_login()
    require_change_of_factors(login)
    return login


def onward() -> str | None:
    """Where the person was going when a factor was found missing."""
    return find_own_path(request.values.get("next", ""))


# --- 动态口令 ---


@blueprint.route("/totp", methods=["GET", "POST"])
@keeps_typed_values
def one_time_password() -> ResponseReturnValue:
    """动态口令: set it up by a QR code and one code, or switch it off."""
    login = _changer()
    has, form = factors.overview(login.account_id), TotpForm(next=request.args.get("next", ""))
    if request.method == "GET":
        return _totp_page(login, has, form)
    if not form.is_ours():
        return _totp_page(login, has, form, 400)
    if request.form.get("action") == "remove":
        return _remove_totp(login)
    return _confirm_totp(login, has, form)


def _confirm_totp(login: LoginView, has: FactorsView, form: TotpForm) -> ResponseReturnValue:
    if form.require("totp_code"):
        outcome = totp.confirm(platform(), login, form.text("totp_code"), origin())
        if not isinstance(outcome, Refusal):
            return _added("totp_added", login, outcome)
        form.refuse(outcome)
    form.totp_code.data = ""
    return _totp_page(login, has, form, 422)


def _remove_totp(login: LoginView) -> ResponseReturnValue:
    refusal = totp.remove(platform(), login, origin())
    return _removed("totp_removed", refusal, "user_centre.security")


def _totp_page(login: LoginView, has: FactorsView, form: TotpForm, status: int = 200) -> ResponseReturnValue:
    setup = totp.begin(platform(), login) if has.totp_since is None else None
    picture = segno.make(setup.uri, error="m").svg_data_uri(scale=5, border=4) if setup else None
    page = render_template("user_centre/totp.html", form=form, has=has, setup=setup, picture=picture)
    return make_response(page, status)


def _added(notice: str, login: LoginView, codes: tuple[str, ...]) -> ResponseReturnValue:
    """With the first factor come the recovery codes, so that losing it isn't the end."""
    session.renew_token()
    notify(notice)
    return _show_codes(login, codes) if codes else redirect(onward() or url_for("user_centre.security"), 303)


def _removed(notice: str, refusal: Refusal | None, endpoint: str) -> ResponseReturnValue:
    if refusal is None:
        session.renew_token()
        notify(notice)
    else:
        notify_refusal(refusal)
    return redirect(url_for(endpoint), 303)


# --- 恢复码 ---


@blueprint.route("/recovery-codes", methods=["GET", "POST"])
def recovery() -> ResponseReturnValue:
    """恢复码: how many are left, and new ones, which are shown once."""
    login = require_login()
    shown = kept.take(request.args.get("codes", ""), _codes_of(login)).get("codes", "").split()
    if not shown:
        require_change_of_factors(login)
    if request.method == "POST":
        return _renew_codes(login)
    has = factors.overview(login.account_id)
    return render_template("user_centre/recovery_codes.html", has=has, codes=shown, onward=onward())


def _renew_codes(login: LoginView) -> ResponseReturnValue:
    outcome = recovery_codes.renew(platform(), login, origin())
    if not isinstance(outcome, Refusal):
        return _show_codes(login, outcome)
    notify_refusal(outcome)
    return redirect(url_for("user_centre.security"), 303)


def _show_codes(login: LoginView, codes: tuple[str, ...]) -> ResponseReturnValue:
    """On to the page that shows them once, to this login alone: reloading it shows them no more."""
    handle = kept.keep({"codes": " ".join(codes)}, _codes_of(login))
    return redirect(url_for("factors.recovery", codes=handle, next=onward()), 303)


def _codes_of(login: LoginView) -> str:
    return f"recovery_codes:{login.sid}"


# --- 通行密钥 ---


@blueprint.route("/passkeys", methods=["GET", "POST"])
@keeps_typed_values
def passkey_list() -> ResponseReturnValue:
    """通行密钥: those there are, one more, or one fewer."""
    login, form = _changer(), PasskeyForm(next=request.args.get("next", ""))
    if request.method == "GET":
        return _passkey_page(login, form)
    if not form.is_ours():
        return _passkey_page(login, form, 400)
    if request.form.get("action") == "remove":
        refusal = passkeys.remove(platform(), login, request.form.get("id", ""), origin())
        return _removed("passkey_removed", refusal, "factors.passkey_list")
    return _add_passkey(login, form)


def _add_passkey(login: LoginView, form: PasskeyForm) -> ResponseReturnValue:
    credential = request.form.get("credential", "")
    outcome = passkeys.register(platform(), login, form.text("passkey_name"), credential, origin())
    if not isinstance(outcome, Refusal):
        return _added("passkey_added", login, outcome)
    form.refuse(outcome)
    return _passkey_page(login, form, 422)


def _passkey_page(login: LoginView, form: PageForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "user_centre/passkeys.html",
        form=form,
        has=factors.overview(login.account_id),
        offered=passkeys.is_offered(platform()),
    )
    return make_response(page, status)

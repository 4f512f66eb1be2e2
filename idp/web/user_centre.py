"""用户中心: the account itself, 切换企业, consents, password."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp import clock
from idp.domain.errors import Refusal
from idp.services import accounts, agreements, consents, factors, handlers, passwords, reviews
from idp.services.authentication import LoginView
from idp.web import session
from idp.web.forms import EnterpriseForm, PasswordForm
from idp.web.home import steps_of
from idp.web.messages import notify, shared_data
from idp.web.pages import keeps_typed_values, pages
from idp.web.search import page_at
from idp.web.session import origin, platform, require_login

blueprint = pages("user_centre", __name__, "/account")


@blueprint.get("")
def account() -> ResponseReturnValue:
    """用户中心: who I am here, and what to do next."""
    login = require_login()
    return render_template(
        "user_centre/account.html",
        profile=accounts.get_profile(platform(), login.account_id),
        review=reviews.latest(platform(), login.account_id),
        candidates=handlers.acting_candidates(platform(), login.account_id, clock.now()),
        steps=steps_of(login),
        page_at=page_at,
    )


@blueprint.route("/enterprise", methods=["GET", "POST"])
@keeps_typed_values
def enterprise() -> ResponseReturnValue:
    """切换企业: the account's default; an empty value is oneself."""
    login = require_login()
    candidates = handlers.acting_candidates(platform(), login.account_id, clock.now())
    default = next(
        (a.enterprise_credit_code for a in candidates if a.enterprise_id == login.default_enterprise_id), ""
    )
    form = EnterpriseForm(enterprise=default)
    if request.method == "POST" and form.is_ours():
        refusal = accounts.set_default_enterprise(
            platform(), login.account_id, form.text("enterprise"), origin()
        )
        if refusal is None:
            notify("default_enterprise_set" if form.text("enterprise") else "default_enterprise_cleared")
            return redirect(url_for("user_centre.enterprise"), 303)
        form.refuse(refusal)
    page = render_template("user_centre/enterprise.html", form=form, candidates=candidates, default=default)
    return make_response(page, 422 if form.problem_texts else 200)


@blueprint.route("/consents", methods=["GET", "POST"])
def consent_list() -> ResponseReturnValue:
    """What this account has allowed other systems to know, and taking it back."""
    login = require_login()
    if request.method == "GET":
        given = agreements.list_of_account(login.account_id)
        return render_template(
            "user_centre/consents.html",
            consents=consents.list_of_account(login.account_id),
            agreements=given,
            identity_consented=any(one.current for one in given if one.document == "identity"),
            shared_data=shared_data,
        )
    if consents.withdraw(platform(), login.account_id, request.form.get("client_id", ""), origin()):
        notify("consent_withdrawn")
    return redirect(url_for("user_centre.consent_list"), 303)


@blueprint.route("/security", methods=["GET", "POST"])
@keeps_typed_values
def security() -> ResponseReturnValue:
    """账号安全: the password."""
    login = require_login()
    form = PasswordForm()
    if request.method == "POST" and form.is_ours():
        refusal = _change_password(form, login)
        if refusal is None:
            session.renew_token()
            notify("password_changed")
            return redirect(url_for("user_centre.security"), 303)
        form.refuse(refusal)
    page = render_template(
        "user_centre/security.html",
        form=form,
        profile=accounts.get_profile(platform(), login.account_id),
        has=factors.overview(login.account_id),
    )
    return make_response(page, 422 if form.problem_texts else 200)


def _change_password(form: PasswordForm, login: LoginView) -> Refusal | None:
    old, new, confirm = (form.text(name) for name in ("old_password", "password", "confirm_password"))
    return passwords.change_password(
        platform(), login.account_id, old, new, confirm, origin(), kept_sid=login.sid
    )

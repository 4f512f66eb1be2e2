"""The platform's own texts: agreeing again when they have changed, and the consent for identity documents."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from idp.domain.agreements import CURRENT, is_agreed
from idp.domain.own_paths import find_own_path
from idp.services import agreements, identity_consent
from idp.services.authentication import LoginView
from idp.web import authorize, session
from idp.web.messages import notify, notify_refusal
from idp.web.pages import pages
from idp.web.session import origin, platform, require_login
from idp.web.step_up import require_recent

blueprint = pages("agreements", __name__, "/account/agreements")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """What has changed since the person agreed, and the button; nothing due leads on."""
    login = require_login()
    agreed = is_agreed(login.agreed_versions)
    due = () if agreed else agreements.list_outstanding(login.account_id)
    if not due and not request.args:
        return redirect(url_for("user_centre.consent_list"), 303)
    if not due:
        return _on()
    request_id = request.args.get("request", "")
    authorize.allow_answer(request_id)
    return render_template(
        "user_centre/agreements.html",
        due=due,
        versions=CURRENT,
        request_id=request_id,
        back=request.args.get("next", ""),
    )


@blueprint.post("")
def act() -> ResponseReturnValue:
    """``action``: ``accept`` the general texts; ``consent_identity``, ``withdraw_identity``."""
    login = require_login()
    match request.form.get("action"):
        case "accept":
            agreements.accept(login.account_id, origin())
            session.look_again()
            return _on()
        case "consent_identity":
            agreements.consent_to_identity(login.account_id, origin())
            notify("identity_consented")
        case "withdraw_identity":
            _withdraw(login)
    return redirect(url_for("user_centre.consent_list"), 303)


def _withdraw(login: LoginView) -> None:
    require_recent(login, back=url_for("user_centre.consent_list"))
    refusal = identity_consent.withdraw(platform(), login.account_id, origin())
    if refusal is not None:
        notify_refusal(refusal)
        return
    session.renew_token()
    notify("identity_withdrawn")


def _on() -> ResponseReturnValue | Response:
    """To the request of a client that waits, or the page that the person wanted."""
    request_id = request.values.get("request")
    if request_id:
        return authorize.resume(request_id)
    return redirect(find_own_path(request.values.get("next", "")) or url_for("user_centre.account"), 303)

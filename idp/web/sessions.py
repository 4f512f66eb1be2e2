"""登录设备: where this account is signed in, ending it from here, and the browsers it is known in."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain import accounts as rules
from idp.services import known_devices, sessions
from idp.services.authentication import LoginView
from idp.web import session, signed_out
from idp.web.messages import notify
from idp.web.pages import pages
from idp.web.session import origin, platform, require_login

blueprint = pages("sessions", __name__, "/account/sessions")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """The sessions, this browser's first among those seen last, and the known browsers."""
    login = require_login()
    return render_template(
        "user_centre/sessions.html",
        sessions=sessions.list_sessions(platform(), login.account_id),
        devices=known_devices.list_of_account(login.account_id, session.device_token()),
        idle_minutes=rules.LOGIN_IDLE_TTL.seconds // 60,
        longest_hours=rules.LOGIN_TTL.seconds // 3600,
    )


@blueprint.post("")
def act() -> ResponseReturnValue:
    """``action``: ``end`` one session (``session``), ``end_others``, or ``forget`` a browser (``device``)."""
    login = require_login()
    match request.form.get("action"):
        case "end_others":
            sessions.end_others(platform(), login.account_id, login.sid, origin())
            notify("other_logins_ended")
        case "forget":
            if known_devices.forget(login.account_id, request.form.get("device", ""), origin()):
                notify("device_removed")
        case _:
            return _end(login, request.form.get("session", ""))
    return redirect(url_for("sessions.index"), 303)


def _end(login: LoginView, sid: str) -> ResponseReturnValue:
    if sid == login.sid:
        session.sign_out()
        return signed_out.frames_page(login.sid, None) or redirect(url_for("home.index"), 303)
    if sessions.end(platform(), login.account_id, sid, origin()):
        notify("login_ended")
    return redirect(url_for("sessions.index"), 303)

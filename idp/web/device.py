"""设备登录 (RFC 8628 §3.3): a person types the code that a device shows, and answers for it."""

from __future__ import annotations

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from idp import clock
from idp.domain.errors import Refusal
from idp.domain.interaction import Consent
from idp.oauth import device as protocol
from idp.services import devices
from idp.web import authorize, session, waiting
from idp.web.authorize import Waiting
from idp.web.messages import shared_data
from idp.web.pages import pages
from idp.web.session import platform

blueprint = pages("device", __name__)


@blueprint.route("/device", methods=["GET", "POST"])
def device() -> ResponseReturnValue:
    """The code's form, or for an opened request (``request``) the question whether it is one's own device."""
    if request.values.get("request"):
        return _question()
    typed = request.values.get("user_code", "")[:100]
    if request.method == "GET":
        return _code_page(typed)
    return _open(typed)


def _code_page(typed: str, problem: str | None = None, status: int = 200) -> Response:
    page = render_template("device/code.html", typed=typed, problem=problem)
    return make_response(page, status)


def _open(typed: str) -> ResponseReturnValue:
    """Find the device and let the interaction decide: sign-in, enterprise, the question."""
    login = session.current_login()
    guessers = {session.origin().address, login.account_id if login else ""} - {""}
    if devices.guesses_are_too_many(platform(), guessers):
        waiting.note(Refusal.of("device_guesses_too_many", minutes=devices.GUESSES_WINDOW.seconds // 60))
        return _code_page(typed, "device_guesses_too_many", 429)
    device_id = devices.device_id_of(platform(), typed)
    asked = protocol.opened(platform(), device_id, clock.now()) if device_id else None
    if asked is None:
        devices.record_wrong_guess(platform(), guessers)
        return _code_page(typed, "user_code_unknown", 422)
    return authorize.proceed(asked)


def _question() -> ResponseReturnValue:
    """Nobody but the person can tell whether the device is theirs (§5.4): it is asked each time."""
    waiting = authorize.waiting_for(Consent)
    if isinstance(waiting, Response):
        return waiting
    if request.form.get("decision") == "allow":
        return authorize.allow(waiting)
    return _question_page(waiting)


def _question_page(waiting: Waiting) -> Response:
    found = devices.find(platform(), waiting.request.device_id or "")
    page = render_template(
        "device/question.html",
        pending=waiting.view(),
        acting=authorize.acting_of(waiting.step),
        data=shared_data(authorize.consented_scopes(waiting)),
        user_code=found.user_code if found else "",
    )
    return make_response(page, 200 if request.method == "GET" else 422)

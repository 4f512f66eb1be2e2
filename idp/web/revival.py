"""After the sign-in of an account that sleeps or is leaving: what that means, and coming back."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask import session as browser_session
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from idp.domain.errors import Refusal
from idp.services import revival
from idp.services.authentication import Authenticated
from idp.services.revival import Sleeper
from idp.web import authorize, password_expired, session
from idp.web.codes import asked_by_script, code_answer, resend_seconds
from idp.web.errors import error_page
from idp.web.forms import RevivalForm
from idp.web.messages import notify
from idp.web.pages import keeps_typed_values, pages
from idp.web.session import origin, platform

blueprint = pages("revival", __name__, "/login")

HANDLE = "revival"


def offered(refusal: Refusal, request_id: str | None) -> ResponseReturnValue | None:
    """The way to the page, for a refusal of the sign-in that has one; within an authorization request too."""
    authenticated = refusal.problems[0].detail.get("authenticated")
    if not isinstance(authenticated, Authenticated):
        return None
    handle = revival.offer(platform(), authenticated)
    if isinstance(handle, Refusal):
        return error_page("http_503", 503)
    browser_session[HANDLE] = handle
    return redirect(url_for("revival.index", request=request_id), 303)


@blueprint.route("/revival", methods=["GET", "POST"])
@keeps_typed_values
def index() -> ResponseReturnValue:
    """What state the account is in, and ``action`` = ``send_code`` or ``revive``."""
    handle = browser_session.get(HANDLE, "")
    sleeper = revival.find(platform(), handle) if handle else None
    if sleeper is None:
        return redirect(url_for("account.login", request=_request_id()), 303)
    form = RevivalForm(request=_request_id())
    if request.method == "GET":
        return _page(form, sleeper)
    if not form.is_ours():
        return _page(form, sleeper, 400)
    if request.form.get("action") == "send_code":
        return _send_code(form, sleeper)
    return _revive(form, handle, sleeper)


def _request_id() -> str | None:
    return request.form.get("request") or request.args.get("request") or None


def _send_code(form: RevivalForm, sleeper: Sleeper) -> ResponseReturnValue:
    refusal = revival.send_code(platform(), sleeper, origin())
    if refusal:
        form.refuse(refusal)
    if asked_by_script():
        return code_answer(form)
    return _page(form, sleeper, 422 if form.problem_texts else 200, sent=not form.problem_texts)


def _revive(form: RevivalForm, handle: str, sleeper: Sleeper) -> ResponseReturnValue:
    outcome = revival.revive(platform(), handle, sleeper, form.text("sms_code"), origin())
    if isinstance(outcome, Refusal):
        form.refuse(outcome)
        return _page(form, sleeper, 422)
    request_id = _request_id()
    if outcome.password_due:
        return password_expired.ask(outcome, request_id)
    session.sign_in(outcome)  # clears what the browser's session held
    notify("account_woken" if sleeper.must_show_code else "deletion_cancelled")
    return authorize.resume(request_id) if request_id else redirect(url_for("user_centre.account"), 303)


def _page(form: RevivalForm, sleeper: Sleeper, status: int = 200, *, sent: bool = False) -> Response:
    authorize.allow_answer(_request_id())
    page = render_template(
        "account/revival.html", form=form, sleeper=sleeper, sent=sent, wait=resend_seconds()
    )
    return make_response(page, status)

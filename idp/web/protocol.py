"""The two protocol addresses that a browser visits: ``/oauth/authorize`` and ``/oauth/logout``.

They take requests from other sites, so they have no anti-forgery value; what they change they change only on
proof or after a question asked on a page of our own.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import orjson
from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp import crypto
from idp.oauth import authorization, logout
from idp.oauth.answers import Answer, PageError
from idp.oauth.logout import LogoutRequest
from idp.oauth.requests import FORM, RepeatedParameters, UnreadableRequest, parse
from idp.services import authentication
from idp.web import authorize, session
from idp.web.pages import pages
from idp.web.session import platform

blueprint = Blueprint("protocol", __name__)
question = pages("logout", __name__, "/interaction")

QUESTION_TTL = timedelta(minutes=30)


def _parameters() -> RepeatedParameters | PageError:
    """Query of a GET, form of a POST (OIDC Core 3.1.2.1)."""
    if request.method == "POST" and request.mimetype != FORM:
        return PageError("Content-Type", "not_a_form")
    encoded = request.query_string if request.method == "GET" else request.get_data(cache=False)
    try:
        return parse(encoded)
    except UnreadableRequest:
        return PageError("request", "unreadable")


@blueprint.route("/oauth/authorize", methods=["GET", "POST"])
def authorization_endpoint() -> ResponseReturnValue:
    """RFC 6749 §3.1: an answer, the first page that the request needs, or a page that says what is
    wrong with it.
    """
    parameters = _parameters()
    if isinstance(parameters, PageError):
        return _error_page(parameters)
    outcome = authorization.read(platform(), parameters)
    if isinstance(outcome, PageError):
        return _error_page(outcome)
    if isinstance(outcome, Answer):
        return authorize.deliver(outcome)
    if _lost_its_cookies():
        request_id = authorization.store(platform(), outcome)
        return redirect(url_for("authorize.resumption", request=request_id), 303)
    return authorize.proceed(outcome)


def _lost_its_cookies() -> bool:
    """Whether this is a POST from another site.

    Browsers keep SameSite=Lax cookies back from it, but send them with the GET that a redirect leads to.
    """
    sender = request.headers.get("Origin")
    ours = platform().settings.issuer
    return request.method == "POST" and sender not in {None, ours} and session.login_token() is None


def _error_page(error: PageError) -> ResponseReturnValue:
    return make_response(render_template("authorize/error.html", error=error), 400)


@blueprint.route("/oauth/logout", methods=["GET", "POST"])
def end_session_endpoint() -> ResponseReturnValue:
    """RP-initiated logout: at once when the hint proves the session, else after a question."""
    parameters = _parameters()
    if isinstance(parameters, PageError):
        return _error_page(parameters)
    outcome = logout.read(platform(), parameters)
    if isinstance(outcome, PageError):
        return _error_page(outcome)
    if outcome.sid is None and _lost_its_cookies():
        return redirect(f"{request.path}?{urlencode(parameters)}", 303)
    login = session.current_login()
    if outcome.sid is not None and (login is None or login.sid == outcome.sid):
        return _end(outcome.sid, outcome.location)
    if login is None:
        return _after(outcome.location)
    return _question_page(outcome)


def _question_page(outcome: LogoutRequest) -> ResponseReturnValue:
    """Ask; where to go afterwards is kept here, not in the page."""
    question_id = crypto.random_token()
    location = orjson.dumps(outcome.location)
    platform().ephemeral.put(_key(question_id), location, QUESTION_TTL)
    page = render_template(
        "authorize/logout_confirm.html",
        client_name=outcome.client.client_name if outcome.client else None,
        request_id=question_id,
    )
    return make_response(page)


def _key(question_id: str) -> str:
    return f"logout_request:{crypto.hash_token(question_id)}"


@question.post("/logout")
def answer() -> ResponseReturnValue:
    """The person's answer to the question."""
    stored = platform().ephemeral.take(_key(request.form.get("request", "")))
    location = orjson.loads(stored) if stored is not None else None
    if request.form.get("decision") != "logout":
        return make_response(render_template("authorize/logged_out.html", stayed=True))
    login = session.current_login()
    return _after(location) if login is None else _end(login.sid, location)


def _end(sid: str, location: str | None) -> ResponseReturnValue:
    """End a login and all that rests on it; the relying parties are told through the outbox."""
    login = session.current_login()
    if login is not None and login.sid == sid:
        session.sign_out()
    else:
        authentication.end_login(platform(), sid, session.origin(), "logout")
    return _after(location)


def _after(location: str | None) -> ResponseReturnValue:
    if location is not None:
        return redirect(location, 303)
    return make_response(render_template("authorize/logged_out.html", stayed=False))

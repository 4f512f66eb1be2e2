"""The two protocol addresses that a browser visits: ``/oauth/authorize`` and ``/oauth/logout``.

They take requests from other sites, so they have no anti-forgery value; what they change they change only on
proof or after a question asked on a page of our own.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta

import orjson
from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp import crypto
from idp.domain.clients import origin_of
from idp.oauth import authorization, logout
from idp.oauth.answers import Answer, PageError
from idp.oauth.logout import LogoutRequest
from idp.oauth.requests import FORM, RepeatedParameters, UnreadableRequest, parse
from idp.services import authentication
from idp.web import authorize, session, signed_out
from idp.web.pages import keeps_typed_values, pages, refuse_forged
from idp.web.security import allow_client
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


def _error_page(error: PageError, *, signing_out: bool = False) -> ResponseReturnValue:
    page = render_template("authorize/error.html", error=error, signing_out=signing_out)
    return make_response(page, 400)


@blueprint.route("/oauth/logout", methods=["GET", "POST"])
def end_session_endpoint() -> ResponseReturnValue:
    """RP-initiated logout: at once when the hint proves the session, else after a question."""
    parameters = _parameters()
    if isinstance(parameters, PageError):
        return _error_page(parameters, signing_out=True)
    outcome = logout.read(platform(), parameters)
    if isinstance(outcome, PageError):
        return _error_page(outcome, signing_out=True)
    if _lost_its_cookies():
        return redirect(url_for("logout.resumption", request=_keep(outcome)), 303)
    return _end_or_ask(outcome)


@question.get("/logout")
def resumption() -> ResponseReturnValue:
    """Where a request from another site goes on, with the browser's cookies."""
    return _end_or_ask(_kept(request.args.get("request", "")))


def _end_or_ask(outcome: LogoutRequest) -> ResponseReturnValue:
    """The hint of any but the browser's own session proves nothing about who sits before it (RPL 2)."""
    login = session.current_login()
    if login is None or login.sid == outcome.sid:
        return _end(outcome.sid, outcome.location)
    if outcome.location is not None:
        allow_client(origin_of(outcome.location), None)
    page = render_template(
        "authorize/logout_confirm.html", client_name=outcome.client_name, request_id=_keep(outcome)
    )
    return make_response(page)


def _keep(outcome: LogoutRequest) -> str:
    """Keep a request here, not in the page; under a new handle."""
    question_id = crypto.random_token()
    _keep_as(question_id, outcome)
    return question_id


def _keep_as(question_id: str, outcome: LogoutRequest) -> None:
    platform().ephemeral.put(_key(question_id), orjson.dumps(asdict(outcome)), QUESTION_TTL)


def _kept(question_id: str) -> LogoutRequest:
    """The request behind a handle; one that says nothing when it is no longer there."""
    stored = platform().ephemeral.get(_key(question_id))
    return LogoutRequest(**orjson.loads(stored)) if stored is not None else LogoutRequest(None, None, None)


def _key(question_id: str) -> str:
    return f"logout_request:{crypto.hash_token(question_id)}"


@question.post("/logout")
@keeps_typed_values
def answer() -> ResponseReturnValue:
    """The person's answer to the question; the same one sent twice leads to the same place."""
    question_id = request.form.get("request", "")
    kept, login = _kept(question_id), session.current_login()
    if login is None:  # nothing is left to be forged
        return signed_out.leave(kept.sid, kept.location)
    refuse_forged()
    if request.form.get("decision") != "logout":
        return make_response(render_template("authorize/logged_out.html", stayed=True))
    _keep_as(question_id, replace(kept, sid=login.sid))
    return _end(login.sid, kept.location)


def _end(sid: str | None, location: str | None) -> ResponseReturnValue:
    """End a login and all that rests on it; the relying parties are told through the outbox and by frames."""
    login = session.current_login()
    if login is not None and login.sid == sid:
        session.sign_out()
    elif sid is not None:
        authentication.end_login(platform(), sid, session.origin(), "logout")
    return signed_out.leave(sid, location)

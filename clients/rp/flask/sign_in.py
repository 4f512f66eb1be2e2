"""Signing in and out: the addresses ``login``, ``callback``, ``logout``, ``backchannel-logout``."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, make_response, request

from clients.rp import clock, sign_in
from clients.rp.errors import ProviderUnavailable
from clients.rp.flask.pages import see_other, with_retry
from clients.rp.logout import InvalidLogoutToken, process_logout_token
from clients.rp.sign_in import Pending, SignedIn, SignInFailed

if TYPE_CHECKING:
    from clients.rp.flask.relying_party import RelyingParty

logger = logging.getLogger(__name__)
FORM = "application/x-www-form-urlencoded"


def blueprint(rp: RelyingParty) -> Blueprint:
    """The four addresses below the relying party's prefix."""
    made = Blueprint("rp_sign_in", __name__, url_prefix=rp.prefix or None)
    made.add_url_rule("/login", "login", lambda: begin(rp, rp.then(request.args.get("then", ""))))
    made.add_url_rule("/callback", "callback", lambda: _callback(rp))
    made.add_url_rule("/logout", "logout", lambda: _logout(rp), methods=["POST"])
    made.add_url_rule(
        "/backchannel-logout", "backchannel_logout", lambda: _backchannel_logout(rp), methods=["POST"]
    )
    made.register_error_handler(ProviderUnavailable, lambda error: unavailable(rp, error))
    return made


def begin(rp: RelyingParty, then: str, extra: Mapping[str, str] | None = None) -> Response:
    """Send the browser to the provider; afterwards it goes on at the path ``then``. Raises
    ProviderUnavailable.
    """
    pending = sign_in.begin(clock.now(), then)
    asked = {"resource": rp.resource, **(extra or {})}
    url = sign_in.authorization_url(rp.provider, rp.client, pending, rp.scope, asked)
    response = see_other(url)
    rp.cookies.put_pending(response, pending)
    return response


def unavailable(rp: RelyingParty, error: ProviderUnavailable) -> Response:
    """The page for people when the provider can't be asked."""
    logger.warning("provider unavailable: %s", error)
    return with_retry(rp.pages.unavailable())


def _callback(rp: RelyingParty) -> Response:
    """Finish the sign-in that this browser began (RFC 6749 §4.1.2)."""
    answer = _single_parameters()
    pending = rp.cookies.find_pending(answer.get("state", "")) if answer is not None else None
    if answer is None or pending is None:
        return rp.pages.failed(None)
    outcome = sign_in.finish(rp.provider, rp.client, pending, answer, clock.now())
    if isinstance(outcome, SignInFailed):
        response = rp.pages.failed(outcome)
    else:
        response = _signed_in(rp, outcome, pending)
    rp.cookies.drop_pending(response, pending.state)
    return response


def _signed_in(rp: RelyingParty, outcome: SignedIn, pending: Pending) -> Response:
    old = rp.session()
    if old is not None:
        rp.sessions.end(old)
    cookie = rp.sessions.start(outcome, _profile(rp, outcome), clock.now())
    response = see_other(pending.then)
    rp.cookies.put(response, rp.cookies.session, cookie)
    return response


def _profile(rp: RelyingParty, outcome: SignedIn) -> Mapping[str, Any]:
    """Name and phone fill in forms; without them one is signed in all the same."""
    try:
        return sign_in.userinfo(rp.provider, rp.client, outcome.tokens.access_token, outcome.claims["sub"])
    except ProviderUnavailable:
        return {}


def _logout(rp: RelyingParty) -> Response:
    """Sign out here, then at the provider (RP-Initiated Logout 1.0 §2)."""
    if not rp.cookies.csrf_valid(single_field("csrf_token")):
        return rp.pages.forged()
    row = rp.session()
    response = see_other(rp.home)
    if row is not None:
        rp.sessions.end(row)
        rp.liveness.drop_all()
        response = see_other(_provider_sign_out(rp, rp.sessions.id_token(row)) or rp.home)
    rp.cookies.drop(response, rp.cookies.session)
    return response


def _provider_sign_out(rp: RelyingParty, id_token: str) -> str | None:
    try:
        return sign_in.end_session_url(rp.provider, rp.client, id_token, secrets.token_urlsafe(16))
    except ProviderUnavailable:
        return None


def _backchannel_logout(rp: RelyingParty) -> Response:
    """End sessions at the provider's word (Back-Channel Logout 1.0 §2.5–2.8)."""
    fault = _backchannel_fault(rp)
    response = make_response({"error": "invalid_request", "error_description": fault} if fault else "")
    response.status_code = 400 if fault else 200
    response.headers["Cache-Control"] = "no-store"
    return response


def _backchannel_fault(rp: RelyingParty) -> str | None:
    now = clock.now()
    try:
        event = process_logout_token(rp.provider, rp.client.client_id, single_field("logout_token"), now)
    except ProviderUnavailable:
        return "the provider's keys can not be had now"
    if isinstance(event, InvalidLogoutToken):
        return event.description
    return None if rp.sessions.end_by_logout(event, now) else "jti has been used before"


def single_field(name: str) -> str:
    """A field of a urlencoded form that is there once; empty otherwise."""
    values = request.form.getlist(name) if request.mimetype == FORM else []
    return values[0] if len(values) == 1 else ""


def _single_parameters() -> dict[str, str] | None:
    """The query's parameters; None when one is there twice (RFC 6749 §3.1)."""
    lists = request.args.to_dict(flat=False)
    if any(len(values) != 1 for values in lists.values()):
        return None
    return {name: values[0] for name, values in lists.items()}

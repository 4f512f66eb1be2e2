"""``events``: security events that the provider pushes (RFC 8935)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, make_response, request

from clients.rp import clock
from clients.rp.errors import ProviderUnavailable
from clients.rp.signals import InvalidEventToken, process_event_token

if TYPE_CHECKING:
    from clients.rp.flask.relying_party import RelyingParty

EVENT_TOKEN = "application/secevent+jwt"


def blueprint(rp: RelyingParty) -> Blueprint:
    """The receiver's address below the relying party's prefix."""
    made = Blueprint("rp_events", __name__, url_prefix=rp.prefix or None)
    made.add_url_rule("/events", "receive", lambda: _receive(rp), methods=["POST"])
    return made


def _receive(rp: RelyingParty) -> Response:
    """Take in one event. 202 when it is good, again too: the provider may have missed our first answer."""
    presented = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(presented, rp.events_authorization.encode()):
        response = _refused(401, "authentication_failed", "the authorization header is not the agreed one")
        response.headers["WWW-Authenticate"] = 'Bearer realm="events"'
        return response
    if request.mimetype != EVENT_TOKEN:
        return _refused(400, "invalid_request", f"the body must be {EVENT_TOKEN}")
    try:
        return _take_in(rp, request.get_data().decode("ascii", "replace").strip())
    except ProviderUnavailable:
        return _refused(503, "temporarily_unavailable", "the provider's keys can not be had now")


def _take_in(rp: RelyingParty, text: str) -> Response:
    now = clock.now()
    token = process_event_token(rp.provider, rp.client.client_id, text, now)
    if isinstance(token, InvalidEventToken):
        return _refused(400, token.err, token.description)
    rp.sessions.end_by_signals(token, now)
    return _private(make_response(b"", 202))


def _refused(status: int, err: str, description: str) -> Response:
    """RFC 8935 §2.4."""
    response = _private(make_response(jsonify(err=err, description=description), status))
    response.headers["Content-Language"] = "en"
    return response


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response

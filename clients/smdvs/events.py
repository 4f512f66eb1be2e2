"""``/smdvs/events``: security events that the provider pushes (RFC 8935).

``python -m clients.smdvs.events`` prints the ``authorization_header`` that the stream is registered with.
"""

from __future__ import annotations

import hmac
import os
import sys
from base64 import urlsafe_b64encode
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, request

from clients.rp import clock
from clients.rp.errors import ProviderUnavailable
from clients.rp.sealed import derive
from clients.rp.signals import InvalidEventToken, process_event_token
from clients.smdvs import sessions
from clients.smdvs.config import ConfigError, Settings
from clients.smdvs.cookies import system

blueprint = Blueprint("events", __name__, url_prefix="/smdvs")

EVENT_TOKEN = "application/secevent+jwt"


def authorization_header(settings: Settings) -> str:
    """What the provider shows with each call, derived from the secret key and as good as it."""
    token = urlsafe_b64encode(derive(settings.secret_key.encode(), "events")).rstrip(b"=").decode()
    return f"Bearer {token}"


@blueprint.post("/events")
def receive() -> Response:
    """Take in one event. 202 when it is good, again too: the provider may have missed our first answer."""
    presented = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(presented, authorization_header(system().settings).encode()):
        response = _refused(401, "authentication_failed", "the authorization header is not the agreed one")
        response.headers["WWW-Authenticate"] = 'Bearer realm="events"'
        return response
    if request.mimetype != EVENT_TOKEN:
        return _refused(400, "invalid_request", f"the body must be {EVENT_TOKEN}")
    try:
        return _take_in(request.get_data().decode("ascii", "replace").strip())
    except ProviderUnavailable:
        return _refused(503, "temporarily_unavailable", "the provider's keys can not be had now")


def _take_in(text: str) -> Response:
    now = clock.now()
    token = process_event_token(system().provider, system().client.client_id, text, now)
    if isinstance(token, InvalidEventToken):
        return _refused(400, token.err, token.description)
    sessions.end_by_signals(system(), token, now)
    return _private(make_response(b"", 202))


def _refused(status: int, err: str, description: str) -> Response:
    body: dict[str, Any] = {"err": err, "description": description}
    response = _private(make_response(jsonify(body), status))
    response.headers["Content-Language"] = "en"
    return response


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def main() -> int:
    """Print the header."""
    try:
        settings = Settings.from_env(os.environ)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(authorization_header(settings) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Authlib's authorization server with this platform behind it, and how its answers leave.

Which grants are on is listed in ``grants.GRANTS``.
"""

from __future__ import annotations

from typing import Any

import orjson
from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error
from flask import Response

from idp.ephemeral import EphemeralUnavailable
from idp.oauth.grants import GRANTS
from idp.services.platform import Platform


class Server(AuthorizationServer):
    """Finds the grant of a token request, runs it, and turns what it answers or raises into JSON."""

    def __init__(self, platform: Platform) -> None:
        super().__init__()
        self.platform = platform
        for grant in GRANTS:
            self.register_grant(grant)

    def get_token_grant(self, request: Any) -> Any:
        """The grant that the request names (RFC 6749 §5.2: a missing parameter is no unknown grant)."""
        if "grant_type" not in request.parameters:
            raise InvalidRequestError("Missing 'grant_type'")
        return super().get_token_grant(request)

    def create_oauth2_request(self, request: Any) -> Any:
        """Requests arrive as ``ProtocolRequest``, parsed and checked."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        """Authlib's answer as ours."""
        return json_response(body, status, dict(headers))


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON that nobody caches (RFC 6749 §5.1, 5.2)."""
    response = Response(orjson.dumps(body), status=status, mimetype="application/json")
    if headers:
        response.headers.update(headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def error_response(error: OAuth2Error) -> Response:
    """The answer for an error raised where Authlib's server was not asked."""
    status, body, headers = error()
    return json_response(dict(body), status, dict(headers))


def unavailable_response(_error: EphemeralUnavailable) -> Response:
    """A store is gone: nothing was done, the client may try again."""
    body = {"error": "temporarily_unavailable", "error_description": "Try again in a moment"}
    return json_response(body, 503, {"Retry-After": "2"})

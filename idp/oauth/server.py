"""Authlib's authorization server with this platform behind it, and how its answers leave.

Which grants are on is listed in ``Server``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error
from werkzeug.wrappers import Response

from idp.oauth.device import DeviceCodeGrant
from idp.oauth.exchange import TokenExchangeGrant
from idp.oauth.grants import GRANTS
from idp.services.platform import Platform

HSTS: Final = "max-age=63072000; includeSubDomains"
JSON_HEADERS: Final = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)


class Server(AuthorizationServer):
    """Finds the grant of a token request, runs it, and turns what it answers or raises into JSON."""

    def __init__(self, platform: Platform) -> None:
        super().__init__()
        self.platform = platform
        for grant in (*GRANTS, DeviceCodeGrant, TokenExchangeGrant):
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
        return _answer(status, body, headers)


def _answer(status: int, body: Any, headers: Iterable[tuple[str, str]]) -> Response:
    """Of Authlib's headers only the challenge; the others are ours already."""
    return json_response(body, status, {name: value for name, value in headers if name == "WWW-Authenticate"})


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that nobody caches (RFC 6749 §5.1, 5.2)."""
    return Response(orjson.dumps(body), status, [*JSON_HEADERS, *(headers or {}).items()])


def jwt_response(token: str, media_type: str) -> Response:
    """A JWT that nobody caches, as its own kind of document."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(token, 200, headers, content_type=media_type)


def failure(status: int, error: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error that is not the protocol's: nothing was done."""
    return json_response({"error": error}, status, headers)


def error_response(error: OAuth2Error) -> Response:
    """The answer for one of Authlib's errors."""
    status, body, headers = error()
    return _answer(status, dict(body), headers)

"""Authlib's authorization server with this platform behind it: which grants and endpoints are on is listed here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import OAuth2Error
from flask import Response

from idp.domain.clients import Client
from idp.ephemeral import EphemeralUnavailable
from idp.oauth import client_auth
from idp.oauth.endpoints import IntrospectionEndpoint, RevocationEndpoint
from idp.oauth.grants import GRANTS
from idp.oauth.requests import ProtocolRequest
from idp.services import clients
from idp.services.platform import Platform


class Server(AuthorizationServer):
    """Dispatches token requests to grants and the others to their endpoints; answers every error as JSON."""

    def __init__(self, platform: Platform) -> None:
        super().__init__()
        self.platform = platform
        for grant in GRANTS:
            self.register_grant(grant)
        for endpoint in (IntrospectionEndpoint, RevocationEndpoint):
            self.register_endpoint(endpoint)

    def query_client(self, client_id: str) -> Client | None:
        """The client of this id."""
        return clients.find_client(self.platform, client_id)

    def authenticate_client(
        self, request: ProtocolRequest, methods: Iterable[str] = (), endpoint: str = "token"
    ) -> Client:
        """One method, the registered one, the same at every endpoint (authlib.md, P4, P21)."""
        del methods, endpoint
        return client_auth.authenticate(self.platform, request)

    def create_oauth2_request(self, request: ProtocolRequest) -> ProtocolRequest:
        """Requests arrive already parsed."""
        return request

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """No signals: what must be recorded is recorded where it happens."""

    def handle_response(self, status: int, body: Any, headers: Iterable[tuple[str, str]]) -> Response:
        """JSON, never cached (RFC 6749 §5.1, 5.2)."""
        response = Response(orjson.dumps(body), status=status, mimetype="application/json")
        response.headers.update(dict(headers))
        response.headers["Cache-Control"] = "no-store"
        return response


def error_response(error: OAuth2Error) -> Response:
    """The JSON answer for an error raised before the server was reached."""
    status, body, headers = error()
    response = Response(orjson.dumps(dict(body)), status=status, mimetype="application/json")
    response.headers.update(dict(headers))
    response.headers["Cache-Control"] = "no-store"
    return response


def unavailable_response(_error: EphemeralUnavailable) -> Response:
    """A store is gone: nothing was done, the client may try again."""
    body = {"error": "temporarily_unavailable", "error_description": "Try again in a moment"}
    response = Response(orjson.dumps(body), status=503, mimetype="application/json")
    response.headers["Retry-After"] = "2"
    response.headers["Cache-Control"] = "no-store"
    return response

"""Authlib's authorization server with this platform behind it.

Which grants are on is listed in ``Server``.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import InvalidRequestError

from idp.oauth.device import DeviceCodeGrant
from idp.oauth.exchange import TokenExchangeGrant
from idp.oauth.grants import GRANTS
from idp.oauth.replies import Reply, authlib_reply
from idp.services.platform import Platform


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

    def handle_response(self, status: int, body: Any, headers: Any) -> Reply:
        """Authlib's answer as ours."""
        return authlib_reply(status, body, headers)

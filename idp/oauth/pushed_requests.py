"""Pushed authorization requests (RFC 9126): checked when they are pushed, used up when they are answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from authlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error

from idp import clock, crypto
from idp.domain.clients import Client, redirect_uri_matches
from idp.oauth import client_auth, dpop, request_objects
from idp.oauth.answers import Fault
from idp.oauth.authorization_request import AuthorizationRequest, as_bytes, from_bytes, validate
from idp.oauth.requests import ProtocolRequest, RepeatedParameters
from idp.services.platform import Platform

PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
TTL: Final = timedelta(seconds=90)


class RefusedRequest(OAuth2Error):
    """An authorization request that can't be: its error of RFC 6749 §4.1.2.1, as JSON (RFC 9126 §2.3)."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.description, status_code=400)
        self.error = fault.error


def push(platform: Platform, request: ProtocolRequest) -> dict[str, Any]:
    """Keep a valid request of an authenticated client; the members of the 201 answer (RFC 9126 §2.2).

    Raises Authlib's errors: whatever the authorization endpoint would refuse is refused here.
    """
    client = client_auth.authenticate(platform, request)
    if "request_uri" in request.parameters:
        raise InvalidRequestError("request_uri can't be pushed")
    now = clock.now()
    pushed = _validated(platform, client, request.parameters, now)
    if isinstance(pushed, Fault):
        raise RefusedRequest(pushed)
    bound = _bound(platform, request, pushed, now)
    reference = crypto.random_token()
    platform.ephemeral.put(_key(client, reference), as_bytes(bound), TTL)
    return {"request_uri": PREFIX + reference, "expires_in": int(TTL.total_seconds())}


def _validated(
    platform: Platform, client: Client, sent: RepeatedParameters, now: datetime
) -> AuthorizationRequest | Fault:
    parameters = request_objects.unpacked(platform, client, sent, now)
    if isinstance(parameters, Fault):
        return parameters
    redirect_uri = parameters.get("redirect_uri")
    if redirect_uri is None or not redirect_uri_matches(client, redirect_uri):
        return Fault("invalid_request", "redirect_uri is missing or not registered")
    return validate(platform, client, parameters, now)


def _bound(
    platform: Platform, request: ProtocolRequest, pushed: AuthorizationRequest, now: datetime
) -> AuthorizationRequest:
    """Bound to the key of the DPoP proof that came with it, if one did (RFC 9449 §10.1)."""
    jkt = dpop.find_key(platform, request.headers, request.method, request.path, now)
    if jkt is not None and pushed.dpop_jkt not in {None, jkt}:
        raise InvalidRequestError("dpop_jkt is not the key of the DPoP proof")
    return pushed if jkt is None else replace(pushed, dpop_jkt=jkt)


def find(platform: Platform, client: Client, request_uri: str) -> AuthorizationRequest | None:
    """The pushed request of this client, which begins now; None when it is unknown, too old or used up.

    Looking doesn't use it up: a page may be loaded again (RFC 9126 §7.3).
    """
    key = _key(client, request_uri.removeprefix(PREFIX))
    stored = platform.ephemeral.get(key)
    if stored is None or platform.ephemeral.get(_used(key)) is not None:
        return None
    return replace(from_bytes(stored), pushed_id=key, received_at=clock.now())


def use_up(platform: Platform, pushed_id: str, pending_ttl: timedelta) -> bool:
    """Whether this is the first answer to a pushed request that was opened before."""
    return platform.ephemeral.claim(_used(pushed_id), pending_ttl + TTL)


def _key(client: Client, reference: str) -> str:
    return f"pushed_request:{client.client_id}:{crypto.hash_token(reference)}"


def _used(key: str) -> str:
    return f"used_{key}"

"""The device authorization grant (RFC 8628): what a device asks, how a person answers, and its polling."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from authlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidGrantError,
    OAuth2Error,
    UnauthorizedClientError,
)

from idp import clock, crypto
from idp.domain.clients import DEVICE_CODE, Client
from idp.domain.errors import Refusal
from idp.domain.interaction import Acting
from idp.oauth import authorization, client_auth, dpop
from idp.oauth.answers import Fault
from idp.oauth.authorization_request import AuthorizationRequest, as_bytes, from_bytes, of_device
from idp.oauth.grants import TokenGrant
from idp.oauth.pkce import challenge_of
from idp.oauth.pushed_requests import RefusedRequest
from idp.oauth.requests import ProtocolRequest
from idp.services import authorizations, devices
from idp.services.authentication import LoginView
from idp.services.authorizations import Presented
from idp.services.devices import Device
from idp.services.platform import Platform

REDIRECT_URI: Final = DEVICE_CODE
"""Stands in an authorization where a code's redirect URI does: no client can send it there."""


class AuthorizationPending(OAuth2Error):
    """The person has not answered yet (RFC 8628 §3.5)."""

    error = "authorization_pending"


class SlowDown(OAuth2Error):
    """The device asks too often: five seconds more from now on (RFC 8628 §3.5)."""

    error = "slow_down"


class ExpiredToken(OAuth2Error):
    """Nobody answered in time (RFC 8628 §3.5)."""

    error = "expired_token"


def begin(platform: Platform, request: ProtocolRequest) -> dict[str, Any]:
    """The members of the answer to a device (RFC 8628 §3.2). Raises Authlib's errors."""
    client = client_auth.authenticate(platform, request)
    if DEVICE_CODE not in client.grant_types:
        raise UnauthorizedClientError("The client is not registered for the device authorization grant")
    now = clock.now()
    asked = of_device(platform, client, request.parameters, REDIRECT_URI, now)
    if isinstance(asked, Fault):
        raise RefusedRequest(asked)
    jkt = dpop.find_key(platform, request.headers, request.method, request.path, now)
    asked = asked if jkt is None else replace(asked, dpop_jkt=jkt)
    started = devices.start(platform, client.client_id, as_bytes(asked), now)
    page = f"{platform.settings.issuer}/device"
    return {
        "device_code": started.device_code,
        "user_code": started.user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={started.user_code}",
        "expires_in": int(devices.TTL.total_seconds()),
        "interval": int(devices.INTERVAL.total_seconds()),
    }


def opened(platform: Platform, device_id: str, now: datetime) -> AuthorizationRequest | None:
    """What the device asks, beginning now for the person; None when it waits no more."""
    device = devices.find(platform, device_id)
    if device is None or device.status != devices.PENDING or now >= device.expires_at:
        return None
    return replace(from_bytes(device.request.encode()), device_id=device_id, received_at=now)


def approve(
    platform: Platform,
    request: AuthorizationRequest,
    client: Client,
    login: LoginView,
    acting: Acting | None,
    now: datetime,
) -> bool:
    """Let the device have what was agreed on; False when it waits no more or has been answered."""
    device_id = request.device_id or ""
    device = devices.find(platform, device_id)
    if device is None:
        return False
    verifier = crypto.random_token()
    agreed = authorization.agreed(request, client, login, acting)
    agreed = replace(agreed, code_challenge=challenge_of(verifier), code_ttl=device.expires_at - now)
    code = authorizations.issue(platform, agreed, now)
    return devices.answer(platform, device_id, devices.APPROVED, code, verifier, now)


def deny(platform: Platform, request: AuthorizationRequest, now: datetime) -> bool:
    """Tell the device that the person refused; False as :func:`approve`."""
    return devices.answer(platform, request.device_id or "", devices.DENIED, "", "", now)


class DeviceCodeGrant(TokenGrant):
    """RFC 8628 §3.4: the device comes back until it is answered; its code is used up by the answer."""

    GRANT_TYPE = DEVICE_CODE

    def redeem(self, client: Client) -> dict[str, Any]:
        """Exchange the device code, once."""
        device_id = crypto.hash_token(self.required("device_code"))
        device = devices.find(self.platform, device_id)
        if device is None:
            raise InvalidGrantError("The device code is unknown, expired or used")
        if device.client_id != client.client_id:
            raise InvalidGrantError("The device code was issued to another client")
        binding = self.binding  # a proof that is none, or of another key, costs no answer
        if from_bytes(device.request.encode()).dpop_jkt not in {None, binding.thumbprint}:
            raise InvalidGrantError("The device code is bound to another key")
        if devices.polls_too_often(self.platform, device_id):
            raise SlowDown("The device asks too often")
        answered = self._answered(device_id, device)
        presented = Presented(
            answered.code, REDIRECT_URI, challenge_of(answered.verifier), binding.thumbprint
        )
        grant = authorizations.redeem_code(self.platform, client, presented, self.request.origin, clock.now())
        if isinstance(grant, Refusal):
            raise InvalidGrantError("What the person agreed on has ended")
        return self.tokens_for(client, grant, grant.scopes)

    def _answered(self, device_id: str, device: Device) -> Device:
        """The device with the person's answer, which it gets once."""
        if clock.now() >= device.expires_at:
            raise ExpiredToken("The person did not answer in time")
        if device.status == devices.PENDING:
            raise AuthorizationPending("The person has not answered yet")
        taken = devices.take(self.platform, device_id)
        if taken is None:
            raise InvalidGrantError("The device code is unknown, expired or used")
        if taken.status == devices.DENIED:
            raise AccessDeniedError("The person refused")
        return taken

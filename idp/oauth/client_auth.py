"""Client authentication: one method, the registered one (RFC 6749 §2.3, RFC 7523 §2.2,
RFC 8705 §2, OIDC Core 9).
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote_plus

import orjson
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError
from joserfc import jws
from joserfc.errors import JoseError

from idp import clock
from idp.config import Settings
from idp.domain.clients import Client
from idp.oauth import certificates, client_keys
from idp.oauth.requests import ProtocolRequest
from idp.oauth.signatures import UnverifiedJwt, is_time
from idp.services import clients
from idp.services.platform import Platform

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLOCK_SKEW: Final = timedelta(seconds=60)
LONGEST_ASSERTION_LIFE: Final = timedelta(hours=1)
ASSERTION_TYPES: Final = frozenset({"jwt", "client-authentication+jwt"})
MAX_ASSERTION: Final = 10_000
MAX_JTI: Final = 256


def authenticate(platform: Platform, request: ProtocolRequest) -> Client:
    """The client that this request proves itself to be, or (public clients) names.

    Raises InvalidClientError (401) or, for two methods at once, InvalidRequestError.
    """
    basic = _read_basic(request.headers.get("Authorization"))
    parameters = request.parameters
    assertion = parameters.get("client_assertion")
    secret = parameters.get("client_secret")
    if sum(method is not None for method in (basic, assertion, secret)) > 1:
        raise InvalidRequestError("More than one client authentication method is used")
    if basic is not None:
        client = _with_secret(platform, *basic, "client_secret_basic")
        _same_client(parameters, client)
    elif assertion is not None:
        client = _with_assertion(platform, assertion, parameters)
        _same_client(parameters, client)
    elif secret is not None:
        client = _with_secret(platform, parameters.get("client_id", ""), secret, "client_secret_post")
    else:
        client = _by_name(platform, parameters.get("client_id", ""), request)
    return client


def _refused(description: str) -> InvalidClientError:
    return InvalidClientError(description, status_code=401)


def _same_client(parameters: Mapping[str, str], client: Client) -> None:
    if parameters.get("client_id", client.client_id) != client.client_id:
        raise _refused("client_id differs from the authenticated client")


def _read_basic(header: str | None) -> tuple[str, str] | None:
    """Id and secret of a Basic header, each form-decoded (RFC 6749 §2.3.1); None without such a header."""
    scheme, _, credentials = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = b64decode(credentials.strip(), validate=True).decode("utf-8")
        client_id, _, secret = text.partition(":")
        return unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, ValueError) as error:
        raise _refused("The Authorization header can't be read") from error


def _with_secret(platform: Platform, client_id: str, secret: str, method: str) -> Client:
    client = clients.find_client(platform, client_id)
    if (
        client is None
        or client.token_endpoint_auth_method != method
        or not clients.secret_matches(client, secret, clock.now())
    ):
        raise _refused("The client is unknown, its secret is wrong, or it is registered with another method")
    return client


def _by_name(platform: Platform, client_id: str, request: ProtocolRequest) -> Client:
    """A public client, or one whose certificate speaks for it (RFC 8705 §2)."""
    client = clients.find_client(platform, client_id) if client_id else None
    if client is None or not (client.public or _has_certificate(platform, client, request)):
        raise _refused("The client must authenticate as registered")
    return client


def _has_certificate(platform: Platform, client: Client, request: ProtocolRequest) -> bool:
    certificate = certificates.presented(platform, request.headers)
    return certificates.matches(platform, client, certificate, clock.now())


def _with_assertion(platform: Platform, assertion: str, parameters: Mapping[str, str]) -> Client:
    """``private_key_jwt``: who it claims to be first, then the signature by that client's key,
    then single use.
    """
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise _refused("client_assertion_type is missing or unknown")
    client = clients.find_client(platform, _claimed_client_id(assertion))
    if client is None or client.token_endpoint_auth_method != "private_key_jwt":
        raise _refused("The client is unknown or registered with another method")
    claims = _verified_claims(platform, client, assertion)
    now = clock.now()
    fault = _assertion_fault(platform, client, claims, now)
    if fault is not None:
        raise _refused(fault)
    ttl = datetime.fromtimestamp(claims["exp"], now.tzinfo) - now + CLOCK_SKEW
    if not platform.ephemeral.claim(f"assertion:{client.client_id}:{claims['jti']}", ttl):
        raise _refused("The assertion's jti has been used")
    return client


def _claimed_client_id(assertion: str) -> str:
    """The unverified ``sub``: only for choosing the key that must then verify."""
    if len(assertion) > MAX_ASSERTION:
        raise _refused("The assertion is too large")
    try:
        claims = orjson.loads(jws.extract_compact(assertion.encode()).payload)
    except (JoseError, ValueError) as error:
        raise _refused("The assertion is not a signed JWT") from error
    subject = claims.get("sub") if isinstance(claims, dict) else None
    if not isinstance(subject, str):
        raise _refused("The assertion has no sub")
    return subject


def _verified_claims(platform: Platform, client: Client, assertion: str) -> dict[str, Any]:
    algorithms = client.accepted_algorithms(client.token_endpoint_auth_signing_alg)
    try:
        header, claims = client_keys.verified(platform, client, assertion, algorithms)
    except UnverifiedJwt as error:
        raise _refused("The assertion's signature can't be verified with the client's keys") from error
    if str(header.get("typ", "jwt")).lower().removeprefix("application/") not in ASSERTION_TYPES:
        raise _refused("The assertion is a JWT of another type")  # such as a request object (RFC 9101 §10.8)
    return claims


def _assertion_fault(
    platform: Platform, client: Client, claims: Mapping[str, Any], now: datetime
) -> str | None:
    """What is wrong with verified claims (RFC 7523 §3), or None."""
    moment, skew = now.timestamp(), CLOCK_SKEW.total_seconds()
    checks = (
        (claims.get("iss") != client.client_id, "iss is not the client"),
        (claims.get("sub") != client.client_id, "sub is not the client"),
        (not _is_for(platform.settings, client, claims.get("aud")), "aud is not this provider"),
        (not is_time(claims.get("exp")), "exp is missing"),
        (
            any(name in claims and not is_time(claims[name]) for name in ("iat", "nbf")),
            "a time is no number",
        ),
        (not _is_jti(claims.get("jti")), "jti is missing or too long"),
    )
    for wrong, fault in checks:
        if wrong:
            return f"The assertion's {fault}"
    if claims["exp"] <= moment:
        return "The assertion has expired"
    too_far = claims["exp"] > moment + LONGEST_ASSERTION_LIFE.total_seconds() + skew
    early = max(claims.get("nbf", 0), claims.get("iat", 0)) > moment + skew
    return "The assertion's times are too far ahead" if too_far or early else None


def _is_for(settings: Settings, client: Client, audience: object) -> bool:
    """Whether an assertion is meant for this provider; in the profile its ``aud`` says so in one way only
    (FAPI 2.0 Security Profile 5.3.2.1).
    """
    if client.high_security:
        return audience == settings.issuer
    audiences = audience if isinstance(audience, list) else [audience]
    own = {settings.issuer, *(f"{origin}/oauth/token" for origin in settings.origins)}
    return bool(own & {item for item in audiences if isinstance(item, str)})


def _is_jti(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_JTI

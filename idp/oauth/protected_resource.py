"""This provider as a protected resource: the access token of a request, shown as its binding asks
(RFC 6750 §2, RFC 9449 §7, RFC 8705 §3).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from werkzeug.wrappers import Request

from idp import crypto
from idp.oauth import certificates, dpop, tokens
from idp.oauth.dpop import InvalidDpopProof, UseDpopNonce
from idp.oauth.requests import FORM, RepeatedParameters, parse
from idp.services.platform import Platform

REALM: Final = "userinfo"
_ALGORITHMS: Final = " ".join(dpop.ALGORITHMS)


class BearerError(Exception):
    """A refusal of RFC 6750 §3: ``status``, ``error`` (None: no token was sent) and an ASCII description.

    ``scheme`` is that of the challenge: ``DPoP`` where the token is, or should be, bound to a key.
    """

    def __init__(self, status: int, error: str | None, description: str = "", scheme: str = "Bearer") -> None:
        super().__init__(description)
        self.status, self.error, self.description, self.scheme = status, error, description, scheme
        self.realm = REALM

    @property
    def challenge(self) -> str:
        """The value of ``WWW-Authenticate``."""
        if self.error is None:
            return f'Bearer realm="{self.realm}", DPoP realm="{self.realm}", algs="{_ALGORITHMS}"'
        told = f'error="{self.error}", error_description="{self.description}"'
        text = f'{self.scheme} realm="{self.realm}", {told}'
        return f'{text}, algs="{_ALGORITHMS}"' if self.scheme == "DPoP" else text


def token_claims(platform: Platform, request: Request, now: datetime) -> Mapping[str, Any]:
    """The claims of the access token that this request shows, and may show.

    Raises BearerError: 401 without a token, for one that is unknown or expired, or without proof of the key
    that it is bound to; 400 for a token sent twice. What the token rests on is not looked at.
    """
    scheme, token = _shown(request)
    payload = tokens.read_access_token(platform, token, now)
    if payload is None:
        raise BearerError(401, "invalid_token", "The access token is unknown or expired", scheme)
    bound_to = payload.get("cnf", {}).get("jkt")
    if bound_to is not None or scheme == "DPoP":
        _prove(platform, request, scheme, token, bound_to, now)
    _refuse_other_certificates(platform, request, scheme, payload)
    return payload


def _shown(request: Request) -> tuple[str, str]:
    """Scheme and token, of the header or the form body, of one of them; never of the URL."""
    named, _, header_token = request.headers.get("Authorization", "").partition(" ")
    scheme = {"bearer": "Bearer", "dpop": "DPoP"}.get(named.lower())
    is_form = request.method == "POST" and request.mimetype == FORM
    body = parse(request.get_data(cache=False)) if is_form else RepeatedParameters()
    form_token = body.get("access_token")
    if (header_token and form_token) or "access_token" in body.repeated:
        raise BearerError(400, "invalid_request", "The access token is sent twice")
    token_sent = header_token.strip() if scheme is not None else form_token
    if not token_sent:
        raise BearerError(401, None)
    return scheme or "Bearer", token_sent


def _refuse_other_certificates(
    platform: Platform, request: Request, scheme: str, payload: Mapping[str, Any]
) -> None:
    """A token that names a certificate is taken over a connection with that one alone (RFC 8705 §3)."""
    if not certificates.is_bound(payload):
        return
    if not certificates.bound_to(payload, certificates.presented(platform, request.headers)):
        raise BearerError(401, "invalid_token", "The access token is bound to another certificate", scheme)


def _prove(
    platform: Platform, request: Request, scheme: str, token: str, bound_to: str | None, now: datetime
) -> None:
    """The scheme, the proof and the binding belong together (RFC 9449 §7.1, §7.2)."""
    if bound_to is None or scheme != "DPoP":
        raise BearerError(
            401, "invalid_token", "The access token is bound to a key, or the scheme is wrong", "DPoP"
        )
    try:
        jkt = dpop.find_key(platform, request.headers, request.method, request.path, now, token)
    except (InvalidDpopProof, UseDpopNonce) as error:
        raise BearerError(401, error.error, error.description, "DPoP") from error
    if jkt is None:
        raise BearerError(401, "invalid_dpop_proof", "A DPoP proof is needed", "DPoP")
    if not crypto.constant_time_equal(jkt, bound_to):
        raise BearerError(401, "invalid_token", "The access token is bound to another key", "DPoP")

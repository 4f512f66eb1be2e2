"""Sender-constrained tokens: which key a token gets bound to, and whether who shows it holds that key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidRequestError

from idp.domain.clients import Client
from idp.oauth import certificates, dpop
from idp.oauth.dpop import InvalidDpopProof
from idp.oauth.requests import ProtocolRequest
from idp.services.platform import Platform


@dataclass(frozen=True, slots=True)
class Binding:
    """The key that tokens are bound to: by DPoP (``jkt``), by its certificate (``x5t``), or none."""

    jkt: str | None = None
    x5t: str | None = None

    @property
    def token_type(self) -> str:
        """RFC 9449 §5, RFC 8705 §3."""
        return "Bearer" if self.jkt is None else "DPoP"

    @property
    def thumbprint(self) -> str | None:
        """What a code or a public client's refresh token is kept with: the key, else the certificate."""
        return self.jkt or self.x5t

    @property
    def confirmation(self) -> dict[str, Any]:
        """The claim ``cnf`` (RFC 7800), or nothing."""
        if self.jkt is None and self.x5t is None:
            return {}
        members = {"jkt": self.jkt, "x5t#S256": self.x5t}
        return {"cnf": {name: value for name, value in members.items() if value is not None}}


UNBOUND = Binding()


def binding_of(platform: Platform, request: ProtocolRequest, client: Client, now: datetime) -> Binding:
    """What this request's tokens are bound to. Raises what :func:`dpop.find_key` does, InvalidDpopProof
    when the client's tokens must be bound to a key and it shows none, and InvalidRequestError
    when they must be bound to a certificate and it shows none.
    """
    jkt = dpop.find_key(platform, request.headers, request.method, request.path, now)
    if client.dpop_bound_access_tokens and jkt is None:
        raise InvalidDpopProof("The client's tokens are bound to a key: a DPoP proof is needed")
    if not client.tls_client_certificate_bound_access_tokens:
        return UNBOUND if jkt is None else Binding(jkt)
    certificate = certificates.presented(platform, request.headers)
    if certificate is None:
        raise InvalidRequestError("The client's tokens are bound to a certificate: one is needed")
    return Binding(jkt, certificate.thumbprint)

"""Userinfo and introspection as JWTs, which prove what was said (OIDC Core 5.3.2, RFC 9701)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from idp.domain.clients import Client
from idp.oauth import jose
from idp.services.platform import Platform

JSON: Final = "application/json"
USERINFO: Final = "application/jwt"
INTROSPECTION: Final = "application/token-introspection+jwt"


def userinfo(platform: Platform, client: Client, claims: Mapping[str, Any], now: datetime) -> str | None:
    """The claims signed, and encrypted, as the client registered it; None if it wants plain JSON.

    Raises NoEncryptionKey.
    """
    algorithm = client.userinfo_signed_response_alg
    if algorithm is None:
        return None
    payload = {"iss": platform.settings.issuer, "aud": client.client_id, **claims}
    encryption = jose.encryption_of(
        client.userinfo_encrypted_response_alg, client.userinfo_encrypted_response_enc
    )
    return jose.protect(platform, client, payload, "JWT", algorithm, encryption, now)


def introspection_wanted(headers: Mapping[str, str]) -> bool:
    """Whether ``Accept`` names the JWT (RFC 9701 §4) and likes plain JSON no better; ``*/*`` names none."""
    sent = headers.get("Accept", "")
    if INTROSPECTION not in sent.lower():
        return False
    accepted = parse_accept_header(sent, MIMEAccept)
    named = INTROSPECTION in {media_type.lower() for media_type in accepted.values()}
    return named and accepted[INTROSPECTION] > 0 and accepted[INTROSPECTION] >= accepted[JSON]


def introspection(platform: Platform, client: Client, answer: Mapping[str, Any], now: datetime) -> str:
    """The answer within a JWT to the one who asked (RFC 9701 §5), which no endpoint takes for a token: it has
    a ``typ`` of its own and neither ``sub`` nor ``exp``. Raises NoEncryptionKey.
    """
    payload = {
        "iss": platform.settings.issuer,
        "aud": client.client_id,
        "iat": int(now.timestamp()),
        "token_introspection": dict(answer),
    }
    encryption = jose.encryption_of(
        client.introspection_encrypted_response_alg, client.introspection_encrypted_response_enc
    )
    algorithm = client.introspection_signed_response_alg
    return jose.protect(platform, client, payload, "token-introspection+jwt", algorithm, encryption, now)

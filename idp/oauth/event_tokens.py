"""Security event tokens (RFC 8417), signed like the client's ID tokens, with a type of their own (§2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from idp import clock
from idp.oauth import jose
from idp.services import clients
from idp.services.platform import Platform

TYPE: Final = "secevent+jwt"


def sign_event_token(platform: Platform, claims: Mapping[str, Any]) -> str | None:
    """The token of an event for the client that is its ``aud``; None when there is no such client any more.

    It is signed when it leaves, so that a key retired while it waited doesn't make it worthless.
    """
    client = clients.find_client(platform, claims["aud"])
    if client is None:
        return None
    return jose.sign(platform, client.id_token_signed_response_alg, TYPE, claims, clock.now())

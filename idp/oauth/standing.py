"""Access tokens that can be given back alone: those that rest on no row, or share that of a grant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from idp.services import clients
from idp.services.platform import Platform

REVOKED_KEY: Final = "revoked:"


def is_its_own(payload: Mapping[str, Any]) -> bool:
    """Whether a token ends alone: a client's own has no row, an exchanged one (RFC 8693) is not the grant."""
    return "authorization_id" not in payload or "act" in payload


def stands(platform: Platform, payload: Mapping[str, Any]) -> bool:
    """Whether nothing speaks against the token itself: if it ends alone, its client is served and has not
    given it back. What a grant rests on is not looked at.
    """
    if not is_its_own(payload):
        return True
    served = clients.find_client(platform, payload["client_id"]) is not None
    return served and platform.ephemeral.get(REVOKED_KEY + payload["jti"]) is None


def give_back(platform: Platform, payload: Mapping[str, Any], now: datetime) -> None:
    """Until it expires its ``jti`` is kept."""
    ttl = timedelta(seconds=payload["exp"] - now.timestamp() + 1)
    platform.ephemeral.put(REVOKED_KEY + payload["jti"], b"1", ttl)

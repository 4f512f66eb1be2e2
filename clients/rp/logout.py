"""Logout tokens of OpenID Connect Back-Channel Logout 1.0 (§2.4–2.6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clients.rp import jwt
from clients.rp.discovery import Provider

EVENT = "http://schemas.openid.net/event/backchannel-logout"
MAX_AGE = timedelta(minutes=10)


@dataclass(frozen=True)
class LogoutEvent:
    """Whose sessions end: the one with ``sid``, or all of ``sub`` when there is no ``sid``."""

    jti: str
    sid: str | None
    sub: str | None
    expires_at: datetime


@dataclass(frozen=True)
class InvalidLogoutToken:
    """The first rule that the logout token breaks, in English for the provider's log."""

    description: str


def process_logout_token(
    provider: Provider, client_id: str, token: str, now: datetime
) -> LogoutEvent | InvalidLogoutToken:
    """Check all that §2.6 asks for but the replay of ``jti``, which needs a memory.
    Raises ProviderUnavailable.
    """
    try:
        verified = jwt.verify(provider, token)
    except jwt.InvalidJwt as error:
        return InvalidLogoutToken(f"the token's {error.reason} is not acceptable")
    if verified.typ != "logout+jwt":
        return InvalidLogoutToken("typ must be logout+jwt")
    fault = _fault(verified.claims, provider.issuer, client_id, now)
    return InvalidLogoutToken(fault) if fault else _event(verified.claims, now)


def _fault(claims: dict[str, Any], issuer: str, client_id: str, now: datetime) -> str | None:
    events = claims.get("events")
    checks = (
        (claims.get("iss") == issuer, "iss is not the provider"),
        (client_id in jwt.audiences(claims), "aud is not this client"),
        (_in_time(claims, now.timestamp()), "iat or exp is missing or out of time"),
        (
            isinstance(events, dict) and isinstance(events.get(EVENT), dict),
            "events lacks the back-channel logout",
        ),
        ("nonce" not in claims, "nonce is forbidden"),
        (_filled(claims, "jti"), "jti is missing"),
        (_filled(claims, "sid") or _filled(claims, "sub"), "sid or sub must be there"),
        (
            all(_filled(claims, name) for name in ("sid", "sub") if name in claims),
            "sid and sub must be strings",
        ),
    )
    return next((text for holds, text in checks if not holds), None)


def _in_time(claims: dict[str, Any], now: float) -> bool:
    issued, ends = claims.get("iat"), claims.get("exp")
    if not jwt.is_time(issued) or not jwt.is_time(ends):
        return False
    recent = now - MAX_AGE.total_seconds() <= issued <= now + jwt.LEEWAY_SECONDS
    return recent and ends > now - jwt.LEEWAY_SECONDS


def _filled(claims: dict[str, Any], name: str) -> bool:
    return isinstance(claims.get(name), str) and bool(claims[name])


def _event(claims: dict[str, Any], now: datetime) -> LogoutEvent:
    # A token is refused once it is older than MAX_AGE, so its jti need not be remembered any longer.
    return LogoutEvent(claims["jti"], claims.get("sid"), claims.get("sub"), now + 2 * MAX_AGE)

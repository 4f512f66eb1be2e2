"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0):
what a request proves, and where it may lead.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from idp import clock
from idp.domain.clients import Client
from idp.oauth import tokens
from idp.oauth.answers import PageError
from idp.oauth.requests import RepeatedParameters
from idp.services import clients
from idp.services.platform import Platform


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A valid request. ``sid`` and ``account_id`` are those of a proven hint; ``location`` is where to
    go afterwards.
    """

    client: Client | None
    sid: str | None
    account_id: str | None
    location: str | None


def read(platform: Platform, parameters: RepeatedParameters) -> LogoutRequest | PageError:
    """Validate a logout request (RPL 2, 4).

    Only a hint that this provider signed for the client, with an address registered by that client,
    leads anywhere.
    """
    if parameters.repeated:
        return PageError(parameters.repeated[0], "repeated")
    hint = parameters.get("id_token_hint")
    claims = tokens.read_id_token_hint(platform, hint, clock.now()) if hint is not None else None
    if hint is not None and claims is None:
        return PageError("id_token_hint", "invalid")
    client_id = parameters.get("client_id", claims["aud"] if claims else None)
    if claims is not None and client_id != claims["aud"]:
        return PageError("client_id", "mismatch")
    client = clients.find_client(platform, client_id) if client_id is not None else None
    if client_id is not None and client is None:
        return PageError("client_id", "unknown")
    address = parameters.get("post_logout_redirect_uri")
    if address is not None and (client is None or address not in client.post_logout_redirect_uris):
        return PageError("post_logout_redirect_uri", "unregistered")
    return LogoutRequest(
        client=client,
        sid=claims.get("sid") if claims else None,
        account_id=claims["sub"] if claims else None,
        location=_location(address, parameters.get("state")) if claims and address else None,
    )


def _location(address: str, state: str | None) -> str:
    """The registered address with only ``state`` added, if one was sent (RPL 3)."""
    if state is None:
        return address
    separator = "&" if urlsplit(address).query else "?"
    return f"{address}{separator}{urlencode({'state': state})}"

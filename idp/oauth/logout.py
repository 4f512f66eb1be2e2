"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0):
what a request proves, and where it may lead.
"""

from __future__ import annotations

from dataclasses import dataclass

from idp import clock
from idp.domain.clients import Client
from idp.domain.logout import return_address
from idp.oauth import tokens
from idp.oauth.answers import PageError
from idp.oauth.requests import RepeatedParameters
from idp.services import clients
from idp.services.platform import Platform


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A valid request. ``sid`` is that of a proven hint; ``location`` is where to go afterwards.

    Whose session it is, the ``sid`` says: the ``sub`` of a hint may be pairwise.
    """

    client_name: str | None
    sid: str | None
    location: str | None


def read(platform: Platform, parameters: RepeatedParameters) -> LogoutRequest | PageError:
    """Validate a logout request (RPL 2, 4).

    Only a hint that this provider signed for the client, with an address registered by that client,
    leads anywhere. ``logout_hint`` is accepted and changes nothing: the question is about the browser's own
    session. ``ui_locales`` changes the language of the page alone (web/languages.py).
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
    if address is not None and not _is_registered(client, address):
        return PageError("post_logout_redirect_uri", "unregistered")
    return LogoutRequest(
        client_name=client.client_name if client else None,
        sid=claims.get("sid") if claims else None,
        location=return_address(address, parameters.get("state")) if claims and address else None,
    )


def _is_registered(client: Client | None, address: str) -> bool:
    return client is not None and address in client.post_logout_redirect_uris

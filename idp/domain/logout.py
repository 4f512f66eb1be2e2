"""Where a sign-out leads: back to the relying party, and the frames by which the others learn of it."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urlsplit

ADDED_TO_FRAMES = ("iss", "sid")
_DEFAULT_PORTS = {"https": 443, "http": 80}


def return_address(uri: str, state: str | None) -> str:
    """The registered address with only ``state`` added, if one was sent (RP-Initiated Logout 1.0 §3)."""
    return uri if state is None else _with(uri, state=state)


def frame_address(uri: str, issuer: str, sid: str) -> str:
    """The registered address with only ``iss`` and ``sid`` added (Front-Channel Logout 1.0 §3)."""
    return _with(uri, iss=issuer, sid=sid)


def _with(uri: str, **parameters: str) -> str:
    separator = "&" if urlsplit(uri).query else "" if uri.endswith("?") else "?"
    return f"{uri}{separator}{urlencode(parameters)}"


def frame_fault(uri: str, redirect_uris: Iterable[str]) -> str | None:
    """What is wrong with a registered frame address, in English; None when nothing is.

    It stands where the client itself does (Front-Channel Logout 1.0 §2), and what we add it can't hold
    already: the client would read the wrong one.
    """
    if _site(uri) not in {_site(redirect_uri) for redirect_uri in redirect_uris}:
        return "must have scheme, host and port of one of redirect_uris"
    named = {name for name, _ in parse_qsl(urlsplit(uri).query, keep_blank_values=True)}
    return "must not hold iss or sid, which are added to it" if named & set(ADDED_TO_FRAMES) else None


def _site(uri: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(uri)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)

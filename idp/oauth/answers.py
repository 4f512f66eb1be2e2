"""What goes back to the client from the authorization endpoint: plain, as a form, or as one JWT (JARM)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode, urlsplit

from idp.domain.clients import Client
from idp.oauth import jose
from idp.services.platform import Platform

JWT_MODES: Final[Mapping[str, str]] = {"jwt": "query", "query.jwt": "query", "form_post.jwt": "form_post"}
RESPONSE_MODES: Final = ("query", "form_post", *JWT_MODES)
JARM_TTL: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class PageError:
    """A request that can't be answered to anyone but the person: which ``parameter`` is wrong, and how."""

    parameter: str
    code: str


@dataclass(frozen=True, slots=True)
class Fault:
    """An error of RFC 6749 §4.1.2.1 and its extensions, not yet addressed to anybody."""

    error: str
    description: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is answered, where, and how: what a request says of its own answer."""

    client: Client
    redirect_uri: str
    response_mode: str
    state: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Parameters for ``redirect_uri``, by ``delivery``: ``query`` or ``form_post``."""

    redirect_uri: str
    delivery: str
    parameters: Mapping[str, str]

    @property
    def location(self) -> str:
        """The redirect of ``query``; a query that the URI has already is kept."""
        separator = "&" if urlsplit(self.redirect_uri).query else "?"
        return f"{self.redirect_uri.rstrip('?')}{separator}{urlencode(self.parameters)}"


def answer(platform: Platform, to: Recipient, members: Mapping[str, str], now: datetime) -> Answer:
    """``members`` with ``state``, if one was sent, and ``iss`` (RFC 9207); for a JWT mode within it."""
    issuer = platform.settings.issuer
    parameters = {**members, **({"state": to.state} if to.state is not None else {}), "iss": issuer}
    delivery = JWT_MODES.get(to.response_mode)
    if delivery is None:
        return Answer(to.redirect_uri, to.response_mode, parameters)
    try:
        return Answer(to.redirect_uri, delivery, {"response": _signed(platform, to.client, parameters, now)})
    except jose.NoEncryptionKey as error:  # the code, if there is one, must not leave in the clear
        fault = Fault("server_error", error.description)
        return refuse(platform, replace(to, response_mode=delivery), fault, now)


def _signed(platform: Platform, client: Client, parameters: Mapping[str, str], now: datetime) -> str:
    """JARM 2.1, 2.2: signed, and encrypted to the client where it is registered so."""
    payload = {**parameters, "aud": client.client_id, "exp": int((now + JARM_TTL).timestamp())}
    return jose.protect(
        platform,
        client,
        payload,
        "JWT",
        client.authorization_signed_response_alg,
        jose.encryption_of(
            client.authorization_encrypted_response_alg, client.authorization_encrypted_response_enc
        ),
        now,
    )


def refuse(platform: Platform, to: Recipient, fault: Fault, now: datetime) -> Answer:
    """An error answer (RFC 6749 §4.1.2.1)."""
    return answer(platform, to, {"error": fault.error, "error_description": fault.description}, now)

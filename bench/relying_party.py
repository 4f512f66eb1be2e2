"""A relying party in a few lines: gets the tokens that the load is driven with, and checks the answers."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.population import ARCHIVE, EXCHANGED_SCOPE, REDIRECT_URI, SCOPE, Credentials, Person, Signer
from idp.domain.clients import TOKEN_EXCHANGE

VERIFIER = "bench-verifier-" + "0" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
TIMEOUT_SECONDS = 30
_ASSERTED = urlencode({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"})
_REDEMPTION = urlencode(
    {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
)


class UnexpectedAnswer(Exception):
    """The product did not answer as it has to; measuring it would measure nothing."""


@dataclass(frozen=True)
class Answer:
    """Status, headers (lower-case names), text and the cookies set by a response."""

    status: int
    headers: Mapping[str, str]
    text: str
    cookies: tuple[tuple[str, str], ...] = ()

    def json(self) -> dict[str, Any]:
        """The body of a 200; raises UnexpectedAnswer for any other status."""
        if self.status != http.client.OK:
            raise UnexpectedAnswer(f"{self.status} {self.text[:300]}")
        document: dict[str, Any] = json.loads(self.text)
        return document


def call(url: str, method: str, path: str, headers: Mapping[str, str], body: str | None = None) -> Answer:
    """One request to the product at ``url``."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, response.read().decode(), _cookies(response))
    finally:
        connection.close()


def _cookies(response: http.client.HTTPResponse) -> tuple[tuple[str, str], ...]:
    pairs = [text.partition(";")[0].partition("=") for text in response.headers.get_all("Set-Cookie", [])]
    return tuple((name, value) for name, _, value in pairs)


def form_headers(client: Credentials) -> dict[str, str]:
    """Headers of a form from a client with ``client_secret_basic``."""
    pair = f"{client.client_id}:{client.client_secret}".encode()
    return {
        "Authorization": f"Basic {base64.b64encode(pair).decode()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def authorization_path(client: Credentials) -> str:
    """The authorization request of the load."""
    return f"/oauth/authorize?{_authorization_request(client.client_id)}"


def _authorization_request(client_id: str) -> str:
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPE,
        "state": "a-state-of-usual-length",
        "nonce": "a-nonce-of-usual-length",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return urlencode(query)


def pushed_request(client: Signer) -> str:
    """The form that pushes the same request, up to the assertion itself (RFC 9126 §2.1)."""
    return f"{_authorization_request(client.client_id)}&{_ASSERTED}"


def pushed_authorization_path(client: Signer) -> str:
    """Where the browser is sent after that, up to the ``request_uri`` itself."""
    return f"/oauth/authorize?{urlencode({'client_id': client.client_id})}&request_uri="


def asserted_redemption() -> str:
    """The form that redeems a code with an assertion, up to assertion and code."""
    return f"{_REDEMPTION}&{_ASSERTED}"


def exchange() -> str:
    """The form that hands an access token on to another resource, narrowed, up to it (RFC 8693 §2.1)."""
    fields = {
        "grant_type": TOKEN_EXCHANGE,
        "resource": ARCHIVE,
        "scope": EXCHANGED_SCOPE,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    return f"{urlencode(fields)}&subject_token="


def cookie_of(person: Person) -> str:
    """The Cookie header of a browser in which ``person`` is signed in."""
    return f"login={person.login_token}"


def redemption() -> str:
    """The form that redeems a code, up to the code itself."""
    return f"{_REDEMPTION}&code="


def tokens(url: str, person: Person, client: Credentials) -> dict[str, Any]:
    """The token answer of a whole code flow for a person who is signed in and has consented."""
    authorized = call(url, "GET", authorization_path(client), {"Cookie": cookie_of(person)})
    location = authorized.headers.get("location", "")
    codes = parse_qs(urlsplit(location).query).get("code")
    if not codes:
        raise UnexpectedAnswer(f"authorize: {authorized.status} {location} {authorized.text[:300]}")
    return call(url, "POST", "/oauth/token", form_headers(client), redemption() + codes[0]).json()

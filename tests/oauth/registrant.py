"""A developer's program that registers a client and manages its registration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.domain.audit import Origin
from idp.services import client_registration

ENDPOINT: Final = "/oauth/register"
METADATA: Final[dict[str, Any]] = {"client_name": "应用", "redirect_uris": ["https://rp.example/cb"]}

Call = Callable[..., TestResponse]


def initial_access_token(uses: int = 1, ttl_seconds: int = 60) -> str:
    """As an administrator issues it."""
    token = client_registration.issue_initial_access_token(uses, ttl_seconds, Origin("", "", ""))
    assert isinstance(token, str)
    return token


def bearer(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Registrant:
    """Each method is one request; ``token`` is its initial access token."""

    http: FlaskClient
    token: str

    def register(self, **changes: Any) -> TestResponse:
        """Register with these changes to what is usual; a change to None leaves the member out."""
        metadata = {name: value for name, value in (METADATA | changes).items() if value is not None}
        return self.http.post(ENDPOINT, json=metadata, headers=bearer(self.token))

    def registered(self, **changes: Any) -> dict[str, Any]:
        """The client information of a new client."""
        response = self.register(**changes)
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.get_json()
        return answer

    def read(self, client: dict[str, Any], token: str | None = None) -> TestResponse:
        """The registration, with the client's token or another."""
        return self.http.get(path_of(client), headers=_own(client, token))

    def replace(self, client: dict[str, Any], document: Any, token: str | None = None) -> TestResponse:
        """Put another document in its place."""
        return self.http.put(path_of(client), json=document, headers=_own(client, token))

    def delete(self, client: dict[str, Any], token: str | None = None) -> TestResponse:
        """End the client."""
        return self.http.delete(path_of(client), headers=_own(client, token))


def path_of(client: dict[str, Any]) -> str:
    """Where a client's registration is."""
    return f"{ENDPOINT}/{client['client_id']}"


def _own(client: dict[str, Any], token: str | None) -> dict[str, str]:
    return bearer(client["registration_access_token"] if token is None else token)


def assert_unauthorized(response: TestResponse) -> None:
    """401 with the challenge of RFC 6750 §3."""
    assert response.status_code == 401, response.text
    assert response.get_json()["error"] == "invalid_token"
    assert response.headers["Cache-Control"] == "no-store"
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer ")
    assert 'error="invalid_token"' in challenge

"""A foreign receiver of security events: gets a token, manages its stream, polls, reads what it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from tests.oauth.relying_party import RelyingParty, header_of

SSF_CLIENT: Final[dict[str, Any]] = {
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "scope": "openid enterprise handler offline_access ssf.manage ssf.read",
}
"""What an admin registers a client with that shall have a stream."""


@dataclass(frozen=True)
class EventReceiver:
    """Finds everything by the transmitter's metadata and shows the access token given."""

    http: FlaskClient
    access_token: str

    @classmethod
    def of(cls, rp: RelyingParty, scope: str | None = "ssf.manage ssf.read") -> EventReceiver:
        """The receiver that a registered client is, with a token of its own."""
        asked = {"scope": scope} if scope else {}
        answer = rp.token({"grant_type": "client_credentials", **asked})
        assert answer.status_code == 200, answer.text
        return cls(rp.http, answer.get_json()["access_token"])

    def metadata(self) -> dict[str, Any]:
        """The transmitter's."""
        found: dict[str, Any] = self.http.get("/.well-known/ssf-configuration").get_json()
        return found

    def call(
        self, method: str, endpoint: str, document: Any = None, query: Mapping[str, str] | None = None
    ) -> TestResponse:
        """A call to an endpoint that the metadata names, or to an address."""
        address = self.metadata()[endpoint] if endpoint.endswith("_endpoint") else endpoint
        headers = {"Authorization": f"Bearer {self.access_token}"}
        return self.http.open(address, method=method, json=document, query_string=query, headers=headers)

    def create(self, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A new stream; polled unless the document says otherwise."""
        answer = self.call("POST", "configuration_endpoint", dict(document or {}))
        assert answer.status_code == 201, answer.text
        stream: dict[str, Any] = answer.get_json()
        return stream

    def poll(self, stream: Mapping[str, Any], **document: Any) -> dict[str, Any]:
        """What a poll answers."""
        answer = self.call("POST", stream["delivery"]["endpoint_url"], document)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.get_json()
        return body

    def read(self, token: str) -> dict[str, Any]:
        """The claims of an event's token, as RFC 8417 and SSF 1.0 §4.1 want it verified."""
        keys = KeySet.import_key_set(self.http.get(self.metadata()["jwks_uri"]).get_json())
        assert header_of(token)["typ"] == "secevent+jwt"
        claims = dict(jwt.decode(token, keys, algorithms=["ES256", "RS256"]).claims)
        assert claims["iss"] == self.metadata()["issuer"]
        assert not claims.keys() & {"sub", "exp", "nonce"}
        return claims

    def events(self, stream: Mapping[str, Any], **document: Any) -> list[dict[str, Any]]:
        """The claims of all that a poll brings."""
        sets = self.poll(stream, **document)["sets"]
        claims = [self.read(token) for token in sets.values()]
        assert [one["jti"] for one in claims] == list(sets)
        return claims

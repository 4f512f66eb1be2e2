"""A small OpenID provider for the tests of relying parties: real HTTP, real keys, real signatures, no
shortcuts.

It keeps to the contract of the tokens and checks what the product checks (client assertion, PKCE,
single-use codes, rotation). ``Person`` says who is sitting at the browser; the test changes that, and
what is in force, at will.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from clients.rp.testing.endpoints import EVERYTHING, application
from clients.rp.testing.people import Claims, Grant, Person

SESSION_REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class FakeProvider:
    """The provider's state, and the levers a test pulls."""

    __test__ = False

    def __init__(self) -> None:
        self.keys: list[ECKey | RSAKey] = list(_first_keys())
        self.issuer = ""
        self.audience = ""
        self.client_id = "smdvs"
        self.client_keys: KeySet | None = None
        self.person = Person.handler()
        self.access_ttl = 300
        self.grants: dict[str, Grant] = {}
        self.refreshes: dict[str, Grant] = {}
        self.tokens: dict[str, Claims] = {}
        self.live: dict[str, Grant] = {}
        self.revoked: set[str] = set()
        self.calls: list[str] = []
        self.assertion_ids: set[str] = set()
        self.proof_ids: set[str] = set()
        self.pushed: dict[str, dict[str, Any]] = {}
        self.dpop_nonce: str | None = None
        self.answer_changes: dict[str, Callable[[Claims], Claims]] = {}
        self.delays: dict[str, float] = {}
        self.broken: set[str] = set()
        self.lock = threading.Lock()

    def register(self, client_id: str, public_jwks: Mapping[str, Any], audience: str = "") -> None:
        """Know a relying party, its public keys (RFC 7517 §5) and the ``aud`` of its access tokens."""
        self.client_id, self.audience = client_id, audience
        self.client_keys = KeySet.import_key_set(dict(public_jwks))  # type: ignore[arg-type]  # a TypedDict

    def sign_in(self, http: FlaskClient, path: str, person: Person | None = None) -> TestResponse:
        """Take a Flask test client from the relying party's sign-in address through the provider and back.

        Returns the callback's answer, not followed. AssertionError when ``path`` doesn't lead to sign-in.
        """
        if person is not None:
            self.person = person
        sent = http.get(path)
        if sent.status_code not in (302, 303):
            raise AssertionError(f"{path} answered {sent.status_code}: {sent.text}")
        back = urlsplit(follow(sent.location))
        return http.get(f"{back.path}?{back.query}")

    def access_token(self, person: Person | None = None, **changes: Any) -> str:
        """An access token outside any sign-in, for the API; ``changes`` override claims, None
        leaves one out.
        """
        grant = Grant(person or self.person, secrets.token_urlsafe(8), "", "")
        return self.issue_access(grant, **changes)

    def issue_access(self, grant: Grant, **changes: Any) -> str:
        """An access token of that sign-in (RFC 9068 §2.2); changes as above."""
        now = int(time.time())
        claims: Claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": grant.person.sub,
            "client_id": self.client_id,
            "iat": now,
            "exp": now + self.access_ttl,
            "jti": secrets.token_urlsafe(12),
            "scope": grant.scope,
            "acr": grant.acr,
            "auth_time": grant.auth_time,
            "cnf": {"jkt": grant.jkt} if grant.jkt else None,
            **grant.person.capacity,
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.sign(claims, "at+jwt")
        self.tokens[token], self.live[token] = claims, grant
        return token

    def sign(self, claims: Claims, typ: str, key: ECKey | RSAKey | None = None, **header: Any) -> str:
        """Any claims as a JWS of the provider's key, or of another."""
        signing = key or self.keys[0]
        alg = "ES256" if isinstance(signing, ECKey) else "RS256"
        full = {"alg": alg, "kid": signing.kid, "typ": typ, **header}
        return jwt.encode(full, claims, signing, algorithms=[str(full["alg"])])

    def logout_token(self, *, typ: str = "logout+jwt", **changes: Any) -> str:
        """A logout token; ``changes`` override claims, None leaves one out."""
        now = int(time.time())
        claims: Claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_urlsafe(12),
            "events": {LOGOUT_EVENT: {}},
            **changes,
        }
        return self.sign({name: value for name, value in claims.items() if value is not None}, typ)

    def event_token(self, sub_id: Any, *, typ: str = "secevent+jwt", **changes: Any) -> str:
        """A security event token, of a revoked session; ``changes`` override claims, None leaves one out."""
        claims: Claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": int(time.time()),
            "jti": secrets.token_urlsafe(12),
            "sub_id": sub_id,
            "events": {SESSION_REVOKED: {}},
            **changes,
        }
        return self.sign({name: value for name, value in claims.items() if value is not None}, typ)

    def revoke_all(self) -> None:
        """The enterprise revokes its handler: everything given so far is dead."""
        self.revoked |= {grant.sid for grant in [*self.live.values(), *self.refreshes.values()]}

    def rotate_key(self) -> None:
        """New signature keys; the old ones are gone from the JWKS."""
        self.keys = [_ec_key()]

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        """Every endpoint fails while the block runs, as behind a gateway whose back end is gone."""
        before = set(self.broken)
        self.broken |= EVERYTHING
        try:
            yield
        finally:
            self.broken = before


@cache
def _first_keys() -> tuple[ECKey, RSAKey]:
    """Made once: an RSA key costs more than a whole test."""
    return _ec_key(), RSAKey.generate_key(2048, auto_kid=True)


def _ec_key() -> ECKey:
    return ECKey.generate_key("P-256", auto_kid=True)


@contextmanager
def serving() -> Iterator[FakeProvider]:
    """A provider on a free port while the block runs."""
    state = FakeProvider()
    server = make_server("127.0.0.1", 0, application(state), threaded=True)
    state.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def follow(url: str) -> str:
    """Go where the browser goes at the provider; returns where it sends the browser back to."""
    return str(requests.get(url, allow_redirects=False, timeout=5).headers["Location"])

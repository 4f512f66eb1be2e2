"""Whether a token that was good when signed is still in force:
introspection (RFC 7662), remembered for a second, and revocation events already received.

A signature can't know that an enterprise has since revoked its handler. When the provider can't
be asked, the answer is
no answer (ProviderUnavailable), never yes.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clients.rp import jwt
from clients.rp.client import Client
from clients.rp.discovery import Provider
from clients.rp.errors import ProviderUnavailable, Refusal, refuse
from clients.rp.signals import Subject

CACHE_SECONDS = 1.0
MAX_ENTRIES = 4096
# Longer than any access token lives; older ones are refused by the clock.
REMEMBERED_SECONDS = 86400.0
# What may have changed since the token was signed, and what must not have.
CURRENT_CLAIMS = ("account_type", "handler_scope", "roles", "scope")
FIXED_CLAIMS = ("sub", "client_id", "enterprise_credit_code", "handler_authorization_id")

REVOKED = refuse("authorisation_ended")


class Liveness:
    """Asks the provider about tokens, with a memory of at most one second in this process."""

    def __init__(self, provider: Provider, client: Client) -> None:
        self._provider = provider
        self._client = client
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._ended: dict[tuple[str, str | None], float] = {}

    def confirm(
        self, token: str, claims: Mapping[str, Any], *, fresh: bool = False
    ) -> Mapping[str, Any] | Refusal:
        """The token's claims as they stand now, or the refusal.
        ``fresh`` asks even if asked within the last second.
        """
        if self._known_to_have_ended(claims):
            return REVOKED
        answer = self._answer(token, fresh)
        if answer.get("active") is not True:
            return REVOKED
        if any(name in answer and answer[name] != claims.get(name) for name in FIXED_CLAIMS):
            return refuse("token_changed")
        # What it no longer says is no longer so: a role that was the last one leaves no claim behind.
        signed = {name: value for name, value in claims.items() if name not in CURRENT_CLAIMS}
        return signed | {name: answer[name] for name in CURRENT_CLAIMS if name in answer}

    def drop_all(self) -> None:
        """Forget everything: something has been revoked or signed out."""
        with self._lock:
            self._seen.clear()

    def end(self, subject: Subject, ended_at: datetime) -> None:
        """Take a revocation event's word: older tokens of the account, for that enterprise if one is named,
        are refused without a question (CAEP 1.0 §3.1).

        An event about one session ends that session's tokens, and no access token says which those are: the
        provider is then asked anew about all.
        """
        self.drop_all()
        if subject.sub is None or subject.sid is not None:
            return
        with self._lock:
            now = ended_at.timestamp()
            self._ended = {key: at for key, at in self._ended.items() if at > now - REMEMBERED_SECONDS}
            if len(self._ended) < MAX_ENTRIES:
                self._ended[subject.sub, subject.tenant] = now

    def _known_to_have_ended(self, claims: Mapping[str, Any]) -> bool:
        """Whether an event has ended this; a token of the same second is asked about."""
        issued, enterprise = claims.get("iat"), claims.get("enterprise_credit_code")
        tenants = (None, enterprise) if isinstance(enterprise, str) else (None,)
        with self._lock:
            ends = [self._ended.get((claims["sub"], tenant)) for tenant in tenants]
        return any(at is not None and not (jwt.is_time(issued) and issued >= int(at)) for at in ends)

    def _answer(self, token: str, fresh: bool) -> Mapping[str, Any]:
        key = hashlib.sha256(token.encode()).hexdigest()
        # Taken before the question goes out, so that an answer never counts for longer than it may.
        asked = time.monotonic()
        with self._lock:
            known = self._seen.get(key)
        if known is not None and not fresh and asked - known[0] < CACHE_SECONDS:
            return known[1]
        answer = introspect(self._provider, self._client, token)
        self._remember(key, asked, answer)
        return answer

    def _remember(self, key: str, asked: float, answer: Mapping[str, Any]) -> None:
        with self._lock:
            if len(self._seen) >= MAX_ENTRIES:
                self._seen.clear()
            self._seen[key] = (asked, answer)


def introspect(provider: Provider, client: Client, token: str) -> Mapping[str, Any]:
    """The introspection answer (RFC 7662 §2.2). Raises ProviderUnavailable for anything that isn't one."""
    answer = provider.transport.post(
        provider.metadata().introspection_endpoint,
        {"token": token, "token_type_hint": "access_token", **client.authentication(provider.issuer)},
    )
    if answer.status != 200 or not isinstance(answer.body.get("active"), bool):
        raise ProviderUnavailable(f"introspection answered {answer.status} {answer.body.get('error')}")
    return answer.body

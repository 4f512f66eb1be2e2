"""The way of an access token into a resource: signature and clock, decision, the provider's word of now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from clients.rp import access
from clients.rp.discovery import Provider
from clients.rp.errors import Refusal
from clients.rp.liveness import Liveness

Admitted = TypeVar("Admitted")


@dataclass(frozen=True)
class Gate:
    """``audience`` is the identifier of the resource, which its access tokens must name (RFC 8707)."""

    provider: Provider
    liveness: Liveness
    audience: str

    def claims_from(
        self, token: str, now: datetime, key_thumbprint: str | None = None
    ) -> Mapping[str, Any] | Refusal:
        """The claims of a token that is for us, by signature and clock alone (RFC 9068 §4).

        ``key_thumbprint`` as in ``access.claims_from``. Raises ProviderUnavailable.
        """
        return access.claims_from(self.provider, token, self.audience, now, key_thumbprint)

    def admit(
        self,
        token: str,
        claims: Mapping[str, Any],
        decide: Callable[[Mapping[str, Any]], Admitted | Refusal],
        *,
        fresh: bool,
    ) -> Admitted | Refusal:
        """Decide on the signed claims, then again on what the provider says of them now.

        ``fresh`` asks even if asked within the last second: for what changes something. Raises
        ProviderUnavailable.
        """
        signed = decide(claims)
        if isinstance(signed, Refusal):
            return signed
        current = self.liveness.confirm(token, claims, fresh=fresh)
        return current if isinstance(current, Refusal) else decide(current)

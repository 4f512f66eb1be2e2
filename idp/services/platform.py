"""What every use case works with, put together once by the composition root and passed on explicitly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from idp.config import Settings
from idp.crypto import PasswordHasher
from idp.domain.clients import Client
from idp.domain.resources import ScopesByResource
from idp.ephemeral import Ephemeral
from idp.keyring import Keyring
from idp.outbound import Outbound
from idp.services.client_cache import BriefCache

Decoded = tuple[Mapping[str, Any], Mapping[str, Any]]
"""Header and claims of a token whose signature has been verified."""


class Registry(Protocol):
    """The authorities' registers that real-name authentication is checked against."""

    def matches(self, subject_type: str, submission: Mapping[str, str]) -> bool | None:
        """Whether the registers know exactly this person or enterprise; None: only a reviewer can tell."""

    def standing(self, facts: Mapping[str, str]) -> str | None:
        """Of an enterprise known here: ``active`` as the facts say, ``changed``, ``closed``; or None."""


@dataclass(frozen=True, slots=True)
class Platform:
    """The tools of the use cases, and what each worker process may remember for a second."""

    settings: Settings
    keyring: Keyring
    ephemeral: Ephemeral
    passwords: PasswordHasher
    registry: Registry
    outbound: Outbound
    clients: BriefCache[Client | None] = field(default_factory=BriefCache)
    resource_servers: BriefCache[ScopesByResource] = field(default_factory=BriefCache)
    signal_receivers: BriefCache[frozenset[str]] = field(default_factory=BriefCache)
    verified_tokens: BriefCache[Decoded | None] = field(default_factory=BriefCache)

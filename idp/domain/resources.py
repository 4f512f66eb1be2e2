"""Resource indicators (RFC 8707): which resources an access token is meant for, and with what scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ScopesByResource = Mapping[str, frozenset[str]]
"""Every resource that is served, with the scopes that mean something there."""


@dataclass(frozen=True, slots=True)
class Target:
    """The resources a token is meant for (none: the provider's own), and the scopes left for them."""

    resources: tuple[str, ...]
    scopes: frozenset[str]


def target(
    scopes: frozenset[str],
    asked: tuple[str, ...],
    granted: tuple[str, ...],
    served: ScopesByResource,
) -> Target | None:
    """What a token for ``scopes`` is meant for; None when it can't be (``invalid_target``).

    ``asked`` are the resources that this request names, ``granted`` those that the authorization request
    named. Without either, the scopes choose. A scope of other resources alone is left out (RFC 8707 §2.2).
    """
    if granted and not set(asked) <= set(granted):
        return None
    wanted = tuple(dict.fromkeys(asked or granted or _resources_of(scopes, served)))
    if not are_served(wanted, served):
        return None
    return Target(wanted, _meant_for(wanted, scopes, served) if wanted else scopes)


def are_served(resources: tuple[str, ...], served: ScopesByResource) -> bool:
    """Whether every one of these is a resource that this provider issues tokens for."""
    return all(uri in served for uri in resources)


def _meant_for(wanted: tuple[str, ...], scopes: frozenset[str], served: ScopesByResource) -> frozenset[str]:
    """Without the scopes that mean something elsewhere alone."""
    unclaimed = scopes.difference(*(served[uri] for uri in wanted))
    return scopes - (unclaimed & frozenset().union(*served.values())) if unclaimed else scopes


def _resources_of(scopes: frozenset[str], served: ScopesByResource) -> tuple[str, ...]:
    return tuple(sorted(uri for uri, meant in served.items() if not meant.isdisjoint(scopes)))

"""Counting against the named limits of the domain, on the short-lived store.

When the store is away nothing is let through: its error goes up and the answer is that the service is
unavailable.
"""

from __future__ import annotations

from idp.domain.accounts import seconds_left
from idp.domain.errors import Refusal
from idp.domain.throttling import Limit
from idp.services.platform import Platform


def admit(platform: Platform, limit: Limit, *whom: str, amount: int = 1) -> Refusal | None:
    """Count ``amount`` more for whom the limit counts, in its order (``phone``, ``address``).

    Beyond the limit: its refusal, with the ``seconds`` until its time is over. ``IDP_THROTTLE=off`` lifts
    every limit, development those of an address. May raise EphemeralUnavailable.
    """
    if not _holds(platform, limit):
        return None
    hit = platform.ephemeral.hit(_key(platform, limit, whom), limit.within, amount)
    if hit.count <= limit.most:
        return None
    return Refusal.of(limit.refusal, limit.field, seconds=seconds_left(hit.resets_in))


def forget(platform: Platform, limit: Limit, *whom: str) -> None:
    """Begin to count anew, after a success."""
    if _holds(platform, limit):
        platform.ephemeral.drop(_key(platform, limit, whom))


def _holds(platform: Platform, limit: Limit) -> bool:
    settings = platform.settings
    return settings.throttle and not (limit.of_an_address and settings.development)


def _key(platform: Platform, limit: Limit, whom: tuple[str, ...]) -> str:
    """Phones and what was typed to name somebody don't stand in the store as such."""
    counted = dict(zip(limit.counted, whom, strict=True))
    index = platform.keyring.fields.index("\n".join(counted.values()), "throttling")
    return f"limit:{limit.name}:{'+'.join(counted)}:{index}"

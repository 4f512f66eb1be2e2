"""A signing key's state as a function of its birth and the clock.

Rotating is adding a key: it is published at once, signs after a lead that lets every relying party fetch
it, and leaves the published set when the last token its predecessor signed has run out. Nothing is stored
but the birth, so workers can't disagree. The functions take the keys of one algorithm and use.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What the rules need to know of a key: ``born_at`` is aware, UTC."""

    kid: str
    algorithm: str
    born_at: datetime


class KeyState(StrEnum):
    """Where a key stands between its birth and its end."""

    WAITING = "waiting"
    """Published, not signing yet."""
    SIGNING = "signing"
    VERIFYING = "verifying"
    """Succeeded; still published for the tokens it signed."""
    EXPIRED = "expired"
    """No longer published; its file can go."""


def schedule(keys: Iterable[KeyInfo], lead_ttl: timedelta) -> tuple[tuple[datetime, KeyInfo], ...]:
    """The moments at which each key starts to sign, newest first; the oldest signs from the beginning.

    The key in charge at a moment is the first whose start isn't after it.
    """
    oldest_first = sorted(keys, key=lambda key: (key.born_at, key.kid))
    starts = [(key.born_at + lead_ttl, key) for key in oldest_first]
    if starts:
        starts[0] = (BEGINNING, oldest_first[0])
    return tuple(reversed(starts))


def signing_key(keys: Iterable[KeyInfo], now: datetime, lead_ttl: timedelta) -> KeyInfo:
    """The newest key at least ``lead_ttl`` old; if none is, the oldest. Without keys ``LookupError``."""
    for starts_at, key in schedule(keys, lead_ttl):
        if starts_at <= now:
            return key
    raise LookupError("no key to sign with")


def published_keys(
    keys: Iterable[KeyInfo], now: datetime, lead_ttl: timedelta, token_ttl: timedelta
) -> tuple[KeyInfo, ...]:
    """The keys a verifier must know at ``now``, newest first.

    A key is dropped ``token_ttl`` after its successor took over: a token it signed at the last moment has
    expired by then (RFC 7519 §4.1.4: not accepted on or after ``exp``).
    """
    published = []
    successor_starts_at: datetime | None = None
    for starts_at, key in schedule(keys, lead_ttl):
        if successor_starts_at is not None and successor_starts_at + token_ttl <= now:
            break
        published.append(key)
        successor_starts_at = starts_at
    return tuple(published)


def state_of(
    key: KeyInfo, keys: Iterable[KeyInfo], now: datetime, lead_ttl: timedelta, token_ttl: timedelta
) -> KeyState:
    """Where ``key``, one of ``keys``, stands at ``now``."""
    keys = tuple(keys)
    if key == (signing := signing_key(keys, now, lead_ttl)):
        return KeyState.SIGNING
    if (key.born_at, key.kid) > (signing.born_at, signing.kid):
        return KeyState.WAITING
    if key in published_keys(keys, now, lead_ttl, token_ttl):
        return KeyState.VERIFYING
    return KeyState.EXPIRED

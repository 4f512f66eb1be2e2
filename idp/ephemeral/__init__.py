"""Short-lived state behind one door and a handful of verbs.

``claim`` is single use of a code, ``jti`` replay and idempotency; ``hit`` is the rate limit; ``take`` reads
a thing exactly once. Two implementations keep one contract: Redis, and the database where there is none.
A key serves either values (``put get take claim``) or counting (``hit``), never both; it begins with its
use ("code:", "jti:").
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

LONGEST_NAME = 200


class EphemeralUnavailable(Exception):
    """The store doesn't answer now; nothing is known about whether the last verb took effect."""


@dataclass(frozen=True, slots=True)
class Hit:
    """The count in the present window, this hit included, and the time until the window ends."""

    count: int
    resets_in: timedelta


class Ephemeral(Protocol):
    """The verbs, atomic between threads, processes and machines; each may raise ``EphemeralUnavailable``.

    Times are rounded up to milliseconds; a time that isn't positive means that nothing is kept.
    """

    def put(self, key: str, value: bytes, ttl: timedelta) -> None:
        """Keep the value for ``ttl``, in place of what was there."""

    def get(self, key: str) -> bytes | None:
        """The value, or None when there is none or it has expired."""

    def take(self, key: str) -> bytes | None:
        """The value, removed: of several takers exactly one gets it."""

    def claim(self, key: str, ttl: timedelta) -> bool:
        """Whether the key was free and is now taken for ``ttl``: of several claimants exactly one wins."""

    def hit(self, key: str, window: timedelta, amount: int = 1) -> Hit:
        """Count ``amount`` more in the window that began with the first hit."""

    def drop(self, key: str) -> None:
        """Forget the key, value or count, if it is there."""


def milliseconds(ttl: timedelta) -> int:
    """The time in whole milliseconds, rounded up: a fraction of one is still a time."""
    return -(ttl // -timedelta(milliseconds=1))


def stored_name(key: str) -> str:
    """The key as stores can hold it: long keys, and such with unusual characters, by their SHA-256.

    Parts of keys come from outside (a ``jti``); PostgreSQL takes no NUL and no index entry over 2.7 kB.
    """
    if len(key) <= LONGEST_NAME and key.isascii() and key.isprintable() and not key.startswith("#"):
        return key
    return "#" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()

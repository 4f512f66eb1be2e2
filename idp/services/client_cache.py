"""Parsed client records, kept in each worker process for at most a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

LIFETIME_SECONDS = 1.0
MAX_ENTRIES = 1000


class BriefCache(Generic[T]):
    """Values that may be up to a second old, so that reading a client costs no query on the hot path.

    Safe with threads: an entry is replaced whole, and two threads that miss at once both load.
    """

    def __init__(self, lifetime_seconds: float = LIFETIME_SECONDS) -> None:
        self._lifetime = lifetime_seconds
        self._entries: dict[str, tuple[float, T]] = {}

    def get(self, key: str, load: Callable[[], T]) -> T:
        """The value of ``key``, loaded by ``load()`` when it is missing or too old."""
        entry = self._entries.get(key)
        moment = time.monotonic()
        if entry is not None and moment - entry[0] < self._lifetime:
            return entry[1]
        value = load()
        if len(self._entries) >= MAX_ENTRIES:
            self._entries = {}  # unknown ids from outside must not fill the memory
        self._entries[key] = (moment, value)
        return value

    def forget(self) -> None:
        """Drop everything, after a change made in this process."""
        self._entries = {}

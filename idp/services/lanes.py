"""Who may be called at this moment: a client that does not answer takes only its share of the threads."""

from __future__ import annotations

from collections import Counter
from threading import Lock

LANES = 3  # messages on their way to one destination at once
SLOW_SECONDS = 2.0
REST_SECONDS = 30.0


class Lanes:
    """The calls being made, by destination; safe for threads. ``moment`` is of a monotonic clock, in seconds.

    A destination that let an attempt fail only after a long wait rests for a while, so that a hundred
    messages to it don't wait a hundred times.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._busy: Counter[str] = Counter()
        self._resting: dict[str, float] = {}

    def enter(self, destination: str, moment: float) -> bool:
        """Take a lane to it; False when all are taken or it rests. Who has taken one has to ``leave`` it."""
        with self._lock:
            if self._busy[destination] >= LANES or self._resting.get(destination, moment) > moment:
                return False
            self._busy[destination] += 1
            self._resting.pop(destination, None)
        return True

    def leave(self, destination: str, entered: float, moment: float, *, delivered: bool) -> None:
        """Give the lane back after an attempt."""
        with self._lock:
            self._busy[destination] -= 1
            if not self._busy[destination]:
                del self._busy[destination]
            if not delivered and moment - entered >= SLOW_SECONDS:
                self._resting[destination] = moment + REST_SECONDS

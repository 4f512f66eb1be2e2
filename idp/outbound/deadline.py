"""One end for a whole call, however slowly the other side answers."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from threading import Lock, Timer
from typing import Self


class Deadline:
    """The end of a call: then its connections are shut down under whoever reads or writes them.

    A socket's own timeout counts from the last byte, so a server that drips would never meet it.
    """

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True
        self._lock = Lock()
        self._watched: list[socket.socket] = []
        self.passed = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()
        with self._lock:
            for watched in self._watched:
                watched.close()
            self._watched.clear()

    def left(self) -> float:
        """Seconds until the end; at or after it ``TimeoutError``."""
        if self.passed or (left := self._ends_at - time.monotonic()) <= 0:
            raise TimeoutError
        return left

    def watch(self, connected: socket.socket) -> None:
        """Shut this connection down at the end. A duplicate is kept, since TLS takes the socket over."""
        with self._lock:
            self._watched.append(connected.dup())
        if self.passed:
            self._cut()

    def _cut(self) -> None:
        self.passed = True
        with self._lock:
            for watched in self._watched:
                with suppress(OSError):
                    watched.shutdown(socket.SHUT_RDWR)

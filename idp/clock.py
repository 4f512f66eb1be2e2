"""The only clock of the program."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, UTC. Called as ``clock.now()`` so that a test can move it."""
    return datetime.now(UTC)

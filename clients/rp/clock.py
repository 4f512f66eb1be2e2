"""The one clock of the relying parties."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The time, aware, in UTC. Call it as ``clock.now()``, so that tests can move it."""
    return datetime.now(UTC)

"""The periodic review: each authorisation in force is looked at by its enterprise twice a year, or stops.

The span is counted from the last look: the approval, or the last confirmation. Nothing stops without two
notices before it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from idp.domain.handlers import Standing, Status, status_at

REVIEW_EVERY: Final = timedelta(days=180)
LAST_NOTICE_AFTER: Final = timedelta(days=23)  # after the first one
SUSPENDED_AFTER: Final = timedelta(days=7)  # after the last one: 30 days in all


def last_look(standing: Standing) -> datetime | None:
    """When the enterprise last said yes to it."""
    return standing.reviewed_at or standing.valid_from


def is_due(standing: Standing, now: datetime) -> bool:
    """Whether the enterprise should look at it: not for half a year, or it is suspended."""
    status, looked = status_at(standing, now), last_look(standing)
    if status is Status.APPROVED:
        return looked is not None and looked <= now - REVIEW_EVERY
    return status is Status.SUSPENDED

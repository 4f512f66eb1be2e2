"""Browsers in which an account has signed in before; and what an address says by itself of where it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

DEVICE_TTL: Final = timedelta(days=365)
MOST_DEVICES: Final = 20  # of one account; the one not seen longest gives way
ALERT_DAY: Final = timedelta(days=1)
ALERTS_PER_DAY: Final = 3


def is_known(last_seen_at: datetime | None, now: datetime) -> bool:
    """Whether a browser that was last seen then is still known; None: never seen."""
    return last_seen_at is not None and now - last_seen_at < DEVICE_TTL


def network_of(address: str) -> str | None:
    """``internal`` or ``external``, as far as an address tells without asking anybody; None: it doesn't.

    An address of a local network says that the request came from inside, nothing of a town.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if parsed.is_loopback or parsed.is_link_local or parsed.is_private:
        return "internal"
    return "external" if parsed.is_global else None

"""How strongly a person has signed in: ``acr`` values, from weak to strong (OIDC Core 2, RFC 9470)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from idp.domain.clients import ACR_VALUES

RECENT: Final = timedelta(minutes=10)
"""For this long a sign-in or a repeated factor is enough for a sensitive act."""

REACHABLE = frozenset({"urn:gsp:acr:2fa"})
"""What the sign-in page can reach; a stronger factor adds its value here."""


def satisfies(reached: str, wanted: str) -> bool:
    """Whether ``reached`` is at least as strong as ``wanted``; nothing meets an unknown value."""
    if reached not in ACR_VALUES or wanted not in ACR_VALUES:
        return False
    return ACR_VALUES.index(reached) >= ACR_VALUES.index(wanted)


def is_met(reached: str, asked: Iterable[str]) -> bool:
    """Whether one of the ``asked`` values is met."""
    return any(satisfies(reached, wanted) for wanted in asked)


def is_reachable(asked: Iterable[str]) -> bool:
    """Whether signing in again can meet one of the ``asked`` values."""
    return any(is_met(reachable, asked) for reachable in REACHABLE)


def reported(reached: str, asked: Iterable[str]) -> str:
    """The ``acr`` to tell: the strongest of the asked values that is met, else what was reached."""
    met = [wanted for wanted in asked if satisfies(reached, wanted)]
    return max(met, key=ACR_VALUES.index) if met else reached


def is_recent(auth_time: int, now: datetime) -> bool:
    """Whether the person has shown both factors in the last ten minutes; ``auth_time`` in seconds."""
    return now - datetime.fromtimestamp(auth_time, now.tzinfo) < RECENT

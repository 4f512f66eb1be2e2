"""How strongly a person has signed in: ``acr`` values, from weak to strong (OIDC Core 2, RFC 9470)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.domain.clients import ACR_VALUES

RECENT: Final = timedelta(minutes=10)
"""For this long a sign-in or a repeated factor is enough for a sensitive act."""

TWO_FACTORS: Final = "urn:gsp:acr:2fa"
CRYPTOGRAPHIC: Final = "urn:gsp:acr:2fa-crypto"

REACHABLE = frozenset({TWO_FACTORS, CRYPTOGRAPHIC})
"""What the sign-in page can reach; a stronger factor adds its value here."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person has shown: how much that is worth (``acr``) and what it was (``amr``, RFC 8176)."""

    acr: str
    amr: tuple[str, ...]


PASSWORD_AND_SMS: Final = Shown(TWO_FACTORS, ("pwd", "sms", "mfa"))
PASSWORD_AND_TOTP: Final = Shown(CRYPTOGRAPHIC, ("pwd", "otp", "mfa"))
RECOVERY_CODE: Final = "recovery_code"
"""Our own word, never another platform's (domain.upstream lets registered ones through) nor told to clients:
what a recovery code may do must not hang on what anybody else can say.
"""
PASSWORD_AND_RECOVERY_CODE: Final = Shown(TWO_FACTORS, ("pwd", RECOVERY_CODE, "mfa"))
"""A paper that can be copied isn't cryptography, and none of RFC 8176's one-time passwords."""


def told(amr: Iterable[str]) -> tuple[str, ...]:
    """What clients learn of the methods: the registered values (RFC 8176)."""
    return tuple(method for method in amr if method != RECOVERY_CODE)


def passkey(*, synced: bool) -> Shown:
    """A passkey with user verification: ``hwk`` if it can't leave its device, ``swk`` if it is copied to
    others. The verification (PIN, finger, face) is the second factor.
    """
    return Shown(CRYPTOGRAPHIC, ("swk" if synced else "hwk", "mfa"))


def may_change_factors(shown: Shown, *, has_factor: bool) -> bool:
    """Whether a sign-in may add or remove strong factors: the first comes after any sign-in, then only a
    strong one may, or one with a recovery code, by whoever has lost the factor. Otherwise an intercepted SMS
    would be worth as much as the factor.
    """
    return not has_factor or shown.acr == CRYPTOGRAPHIC or shown == PASSWORD_AND_RECOVERY_CODE


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


def is_strong(asked: Iterable[str]) -> bool:
    """Whether a strong sign-in, and nothing less, meets one of the ``asked`` values."""
    wanted = tuple(asked)
    return is_met(CRYPTOGRAPHIC, wanted) and not is_met(TWO_FACTORS, wanted)


def reported(reached: str, asked: Iterable[str]) -> str:
    """The ``acr`` to tell: the strongest of the asked values that is met, else what was reached."""
    met = [wanted for wanted in asked if satisfies(reached, wanted)]
    return max(met, key=ACR_VALUES.index) if met else reached


def is_recent(auth_time: int, now: datetime) -> bool:
    """Whether the person has shown both factors in the last ten minutes; ``auth_time`` in seconds."""
    return now - datetime.fromtimestamp(auth_time, now.tzinfo) < RECENT

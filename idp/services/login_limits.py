"""How often one may fail to sign in: the lock of an account and the slowing of an address.

Attempts are counted before the password is looked at and forgotten after a success, so that of any number
of wrong passwords at once exactly five are looked at.
"""

from __future__ import annotations

from datetime import UTC, datetime

from idp import clock
from idp.domain import accounts as rules
from idp.domain.audit import Origin
from idp.domain.errors import Refusal
from idp.services.platform import Platform


def admit(platform: Platform, subject: str, origin: Origin) -> int | Refusal:
    """Count an attempt on ``subject`` and answer its number in the window (0: nothing is counted here).

    Refuses with ``address_slowed`` (seconds) and ``login_locked`` (minutes).
    """
    if not platform.settings.throttle:
        return 0
    return _refusal_of_address(platform, origin) or _count_attempt(platform, subject)


def _refusal_of_address(platform: Platform, origin: Origin) -> Refusal | None:
    """A slowed address, which may be a whole office's, tries once in five seconds."""
    if platform.ephemeral.get(_slow_key(origin)) is None:
        return None
    pace = platform.ephemeral.hit(f"login:pace:{origin.address}", rules.ADDRESS_PACE)
    if pace.count == 1:
        return None
    return Refusal.of("address_slowed", seconds=rules.seconds_left(pace.resets_in))


def _count_attempt(platform: Platform, subject: str) -> int | Refusal:
    lock = platform.ephemeral.get(_lock_key(subject))
    if lock is not None:
        return _locked(datetime.fromtimestamp(int(lock), UTC))
    attempt = platform.ephemeral.hit(_attempts_key(subject), rules.FAILURE_WINDOW).count
    return attempt if attempt <= rules.FAILURES_TO_LOCK else _locked(clock.now() + rules.LOCK_TTL)


def _locked(until: datetime) -> Refusal:
    return Refusal.of("login_locked", minutes=rules.minutes_left(until, clock.now()))


def record_failure(platform: Platform, subject: str, attempt: int, origin: Origin) -> Refusal | None:
    """The attempt with this number was wrong; ``login_locked`` if it was the last one before the lock."""
    if not platform.settings.throttle:
        return None
    failures = platform.ephemeral.hit(f"login:failures:{origin.address}", rules.FAILURE_WINDOW)
    if failures.count >= rules.ADDRESS_FAILURES_TO_SLOW:
        platform.ephemeral.put(_slow_key(origin), b"1", rules.FAILURE_WINDOW)
    if attempt < rules.FAILURES_TO_LOCK:
        return None
    until = clock.now() + rules.LOCK_TTL
    platform.ephemeral.put(_lock_key(subject), str(int(until.timestamp())).encode(), rules.LOCK_TTL)
    return _locked(until)


def forget_failures(platform: Platform, subject: str) -> None:
    """After a right password and code, the count begins anew."""
    if platform.settings.throttle:
        platform.ephemeral.drop(_attempts_key(subject))


def unlock(platform: Platform, subject: str) -> None:
    """Whoever has proved to be the holder may try again at once."""
    if platform.settings.throttle:
        platform.ephemeral.drop(_attempts_key(subject))
        platform.ephemeral.drop(_lock_key(subject))


def _lock_key(subject: str) -> str:
    return f"login:lock:{subject}"


def _attempts_key(subject: str) -> str:
    return f"login:attempts:{subject}"


def _slow_key(origin: Origin) -> str:
    return f"login:slow:{origin.address}"

"""Devices that wait for a person to answer for them (RFC 8628): short-lived, known by hashes and MACs alone.

What the person is asked, and the code of the authorization when there is one, lie sealed beside the device's
code; the person's own code leads there until it has been answered.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from idp import crypto
from idp.domain import user_codes
from idp.services.platform import Platform

TTL: Final = timedelta(minutes=10)
LATE: Final = timedelta(minutes=10)  # how long a device is still told that its code expired
INTERVAL: Final = timedelta(seconds=5)
JITTER: Final = timedelta(seconds=1)  # by which a poll in time may arrive too early
GUESSES_WINDOW: Final = timedelta(minutes=15)
MOST_GUESSES: Final = 20

PENDING: Final = "pending"
APPROVED: Final = "approved"
DENIED: Final = "denied"


@dataclass(frozen=True, slots=True)
class Started:
    """What a device is told: ``device_code`` for itself, ``user_code`` to show."""

    device_code: str
    user_code: str


@dataclass(frozen=True, slots=True)
class Device:
    """A device that waits. ``request`` is what it asks, as the protocol keeps it; ``code`` and ``verifier``
    are those of the authorization once it is ``approved``; ``expires_at`` is when nobody waits any more.
    """

    client_id: str
    request: str
    user_code: str
    expires_at: datetime
    status: str = PENDING
    code: str = ""
    verifier: str = ""


def start(platform: Platform, client_id: str, request: bytes, now: datetime) -> Started:
    """Let a device wait for ten minutes."""
    device_code = crypto.random_token()
    user_code = "".join(secrets.choice(user_codes.ALPHABET) for _ in range(user_codes.LENGTH))
    device_id = crypto.hash_token(device_code)
    device = Device(client_id, request.decode(), user_codes.shown(user_code), now + TTL)
    _put(platform, device_id, device, now)
    platform.ephemeral.put(_user_key(platform, user_code), device_id.encode(), TTL)
    return Started(device_code, device.user_code)


def device_id_of(platform: Platform, typed: str) -> str | None:
    """The id of the device that shows this code and has not been answered; None for any other."""
    user_code = user_codes.find_code(typed)
    stored = platform.ephemeral.get(_user_key(platform, user_code)) if user_code else None
    return None if stored is None else stored.decode()


def guesses_are_too_many(platform: Platform, guessers: Collection[str]) -> bool:
    """Whether one of these, an address or an account, has typed too many wrong codes (RFC 8628 §5.1)."""
    stopped = (platform.ephemeral.get(_stopped_key(guesser)) is not None for guesser in guessers)
    return platform.settings.throttle and any(stopped)


def record_wrong_guess(platform: Platform, guessers: Collection[str]) -> None:
    """Count a wrong code against each; the last one that is allowed stops it for a while."""
    for guesser in guessers:
        if platform.ephemeral.hit(f"device_guess:{guesser}", GUESSES_WINDOW).count >= MOST_GUESSES:
            platform.ephemeral.put(_stopped_key(guesser), b"1", GUESSES_WINDOW)


def find(platform: Platform, device_id: str) -> Device | None:
    """The device, answered or not, still waiting or not; None when it got its answer, or long ago."""
    stored = platform.ephemeral.get(_key(device_id))
    return None if stored is None else _read(platform, stored)


def answer(platform: Platform, device_id: str, status: str, code: str, verifier: str, now: datetime) -> bool:
    """Keep the person's answer for the device, once; False when it has been answered or waits no more."""
    device = find(platform, device_id)
    if device is None or now >= device.expires_at:
        return False
    user_code = user_codes.find_code(device.user_code) or ""
    if platform.ephemeral.take(_user_key(platform, user_code)) is None:
        return False
    answered = Device(
        device.client_id, device.request, device.user_code, device.expires_at, status, code, verifier
    )
    _put(platform, device_id, answered, now)
    return True


def take(platform: Platform, device_id: str) -> Device | None:
    """The device for its one redemption: of two polls at once one gets it."""
    stored = platform.ephemeral.take(_key(device_id))
    return None if stored is None else _read(platform, stored)


def polls_too_often(platform: Platform, device_id: str) -> bool:
    """Whether the device comes back before its interval is over, which then grows (RFC 8628 §3.5)."""
    stored = platform.ephemeral.get(_interval_key(device_id))
    interval = INTERVAL if stored is None else timedelta(seconds=int(stored))
    if platform.ephemeral.claim(f"device_poll:{device_id}", interval - JITTER):
        return False
    longer = interval + INTERVAL
    platform.ephemeral.put(_interval_key(device_id), str(int(longer.total_seconds())).encode(), TTL)
    return True


def _put(platform: Platform, device_id: str, device: Device, now: datetime) -> None:
    plain = {name: getattr(device, name) for name in Device.__dataclass_fields__}
    sealed = platform.keyring.fields.encrypt(orjson.dumps(plain).decode(), "devices.state")
    platform.ephemeral.put(_key(device_id), sealed.encode(), device.expires_at + LATE - now)


def _read(platform: Platform, stored: bytes) -> Device:
    plain: dict[str, Any] = orjson.loads(platform.keyring.fields.decrypt(stored.decode(), "devices.state"))
    return Device(**plain | {"expires_at": datetime.fromisoformat(plain["expires_at"])})


def _key(device_id: str) -> str:
    return f"device:{device_id}"


def _interval_key(device_id: str) -> str:
    return f"device_interval:{device_id}"


def _stopped_key(guesser: str) -> str:
    return f"device_guesses_stopped:{guesser}"


def _user_key(platform: Platform, user_code: str) -> str:
    """By a MAC: all codes can be tried on a hash."""
    return f"device_user_code:{crypto.mac(platform.keyring.mac_key, 'user_code', user_code.encode()).hex()}"

"""Devices that wait for a person to answer for them (RFC 8628): short-lived, known by hashes alone.

What the person is asked, and the code of the authorization when there is one, lie sealed beside the device's
code; the person's own code leads there until it has been answered.
"""

from __future__ import annotations

import secrets
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
    platform.ephemeral.put(_user_key(user_code), device_id.encode(), TTL)
    return Started(device_code, device.user_code)


def device_id_of(platform: Platform, typed: str) -> str | None:
    """The id of the device that shows this code and has not been answered; None for any other."""
    user_code = user_codes.find_code(typed)
    stored = platform.ephemeral.get(_user_key(user_code)) if user_code else None
    return None if stored is None else stored.decode()


def guesses_are_too_many(platform: Platform, guesser: str) -> bool:
    """Count a code typed from this address or by this account (RFC 8628 §5.1)."""
    return platform.ephemeral.hit(f"device_guess:{guesser}", GUESSES_WINDOW).count > MOST_GUESSES


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
    if platform.ephemeral.take(_user_key(user_code)) is None:
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
    if platform.ephemeral.claim(f"device_poll:{device_id}", interval):
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


def _user_key(user_code: str) -> str:
    return f"device_user_code:{crypto.hash_token(user_code)}"

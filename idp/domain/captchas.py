"""Captchas: what a handle asks for and for how long, all of it in the handle and one secret.

A handle is the second it was made and twelve random octets. Anybody may invent one: it asks for something
that only the picture tells, is answered once, and a time other than now makes it worthless.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from idp.domain.identifiers import canonical

TTL: Final = timedelta(minutes=10)
SKEW: Final = timedelta(seconds=30)  # between the clocks of two machines
USES: Final = 5  # forms that one right answer is good for: nobody has to read a picture twice
RANDOM_OCTETS: Final = 12
LETTERS: Final = "34678ABCDEFHJKMNPRTUWXY"  # nothing that reads like something else
DIGITS: Final = "0123456789"  # spoken letters sound alike


@dataclass(frozen=True, slots=True)
class Answers:
    """What the picture shows (four characters) and what the recording says (five digits)."""

    seen: str
    heard: str


def make_handle(now: datetime, randomness: bytes) -> str:
    """The handle of a new captcha; ``randomness`` of RANDOM_OCTETS."""
    return urlsafe_b64encode(int(now.timestamp()).to_bytes(4) + randomness).rstrip(b"=").decode("ascii")


def read_handle(handle: str, now: datetime) -> bytes | None:
    """The octets of a handle made in the last ten minutes; None for any other text."""
    octets = _octets(handle)
    if octets is None:
        return None
    made_at = datetime.fromtimestamp(int.from_bytes(octets[:4]), UTC)
    return octets if now - TTL < made_at <= now + SKEW else None


def _octets(handle: str) -> bytes | None:
    """Only the one way in which this module would write them: else one captcha had several handles."""
    try:
        octets = urlsafe_b64decode(handle.encode("ascii") + b"==")
    except (UnicodeEncodeError, binascii.Error):
        return None
    written = urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
    return octets if len(octets) == 4 + RANDOM_OCTETS and written == handle else None


def answers(secret: bytes) -> Answers:
    """What is asked for, from nine or more secret octets."""
    return Answers(
        "".join(LETTERS[octet % len(LETTERS)] for octet in secret[:4]),
        "".join(DIGITS[octet % len(DIGITS)] for octet in secret[4:9]),
    )


def read_answer(text: str) -> bytes:
    """What was typed, in the form of the answers: upper case, ASCII for full-width forms, no spaces."""
    return canonical(text).encode("utf-8", "replace")

"""Second factors that count as cryptography: one-time passwords (RFC 6238), passkeys (WebAuthn), and the
recovery codes that stand in for a lost one.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from idp.domain.identifiers import canonical

TOTP_PERIOD: Final = 30  # seconds
TOTP_DIGITS: Final = 6
TOTP_DRIFT: Final = 1  # steps that a telephone's clock may be off, either way
SETUP_TTL: Final = timedelta(minutes=10)

RECOVERY_CODES: Final = 10
RECOVERY_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that reads like something else
RECOVERY_LENGTH: Final = 12  # 59 bits

MOST_PASSKEYS: Final = 10
LONGEST_PASSKEY_NAME: Final = 30
CHALLENGE_TTL: Final = timedelta(minutes=5)

_TOTP_CODE: Final = re.compile(rf"[0-9]{{{TOTP_DIGITS}}}", re.ASCII)
_RECOVERY_CODE: Final = re.compile(rf"[{RECOVERY_ALPHABET}]{{{RECOVERY_LENGTH}}}", re.ASCII)


def totp_steps(now: datetime) -> tuple[int, ...]:
    """The time steps whose codes are taken at ``now``, the current one first (RFC 6238 §5.2)."""
    current = int(now.timestamp()) // TOTP_PERIOD
    return (current, *(current + way * off for off in range(1, TOTP_DRIFT + 1) for way in (-1, 1)))


def find_totp_code(text: str) -> str | None:
    """Six digits, however they were typed (full-width, in two groups)."""
    code = canonical(text)
    return code if _TOTP_CODE.fullmatch(code) else None


def find_recovery_code(text: str) -> str | None:
    """The twelve characters of a recovery code, with or without hyphens, in either case."""
    code = canonical(text).replace("-", "")
    return code if _RECOVERY_CODE.fullmatch(code) else None


def grouped(recovery_code: str) -> str:
    """As people copy it: ``ABCD-EFGH-JKMN``."""
    return "-".join(recovery_code[at : at + 4] for at in range(0, RECOVERY_LENGTH, 4))


def find_rp_id(issuer: str) -> str | None:
    """The domain that passkeys are made for (WebAuthn 3 §5.1.2); None where they make none: an address."""
    host = urlsplit(issuer).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return host or None
    return None


def passkey_name_problem(name: str) -> str | None:
    """What the person calls the device: anything printable, up to thirty characters."""
    if not name.strip():
        return "required"
    if len(name) > LONGEST_PASSKEY_NAME:
        return "too_long"
    return None if name.isprintable() else "passkey_name_invalid"


def is_counter_fresh(kept: int, shown: int) -> bool:
    """Whether a passkey's counter has moved on (WebAuthn 3 §7.2, 22); one that stays 0 is not counted."""
    return shown > kept or shown == kept == 0

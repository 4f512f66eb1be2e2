"""车辆识别代号, GB 16735-2019 / ISO 3779."""

from __future__ import annotations

import re

_FORM = re.compile(r"[A-HJ-NPR-Z0-9]{13}[0-9]{4}")
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VALUES = {character: int(character) for character in "0123456789"} | dict(
    zip(
        "ABCDEFGHJKLMNPRSTUVWXYZ",
        (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
        strict=True,
    )
)
# Where the check digit is compulsory: China and North America. Makers elsewhere may use the place for
# anything.
_CHECKED_ORIGINS = frozenset("L12345")


def has_form(vin: str) -> bool:
    """17 characters without I, O and Q, the last four digits."""
    return _FORM.fullmatch(vin) is not None


def check_digit(vin: str) -> str:
    """What the ninth character of a well-formed VIN must be."""
    remainder = sum(_VALUES[character] * weight for character, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if remainder == 10 else str(remainder)


def must_check(vin: str) -> bool:
    """Whether the VIN is of an origin whose check digit is compulsory."""
    return vin[0] in _CHECKED_ORIGINS


def is_valid(vin: str) -> bool:
    """Well formed, and with the right check digit where one is compulsory."""
    return has_form(vin) and (not must_check(vin) or vin[8] == check_digit(vin))

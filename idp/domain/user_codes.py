"""The code that a person carries from a device to a browser (RFC 8628 §6.1)."""

from __future__ import annotations

import unicodedata

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that it spells no word; 20^8 codes, and tries are counted."""
LENGTH = 8


def shown(code: str) -> str:
    """In two halves, for reading aloud."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def find_code(typed: str) -> str | None:
    """The code that was meant: case, width, spaces and hyphens don't count. None for what can be none."""
    letters = unicodedata.normalize("NFKC", typed[:100]).upper()
    code = "".join(letter for letter in letters if letter.isalnum())
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None

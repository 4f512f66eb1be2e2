"""统一社会信用代码, GB 32100-2015: the form and check character that a claim must have."""

from __future__ import annotations

import re

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_FORM = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")


def is_canonical(code: object) -> bool:
    """Whether it is a USCC in its one canonical spelling:
    18 characters, upper case, right check character.
    """
    if not isinstance(code, str) or not _FORM.fullmatch(code):
        return False
    total = sum(_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(code[:17]))
    return _ALPHABET[-total % 31] == code[17]

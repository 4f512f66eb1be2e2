"""Numbers that identify people and enterprises: their canonical form, layout and check characters.

Every ``find_`` takes what a person typed or copied (full-width, lower case, spaces, hyphens, invisible marks)
and answers the canonical form, or None when it can't be such a number. Nothing here says whether the number
was ever issued.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

DOCUMENT_TYPES: Final = (
    "id_card",
    "passport",
    "hk_macau_permit",
    "taiwan_permit",
    "foreigner_residence",
    "hmt_residence",
)
EARLIEST_BIRTH: Final = date(1900, 1, 1)
TEST_REGION: Final = "99"  # no such province: numbers there belong to nobody

# Full-width forms become ASCII, then ASCII letters upper case: str.upper() would make I and S of ı and ſ.
_ASCII_FORM: Final = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)}
_UPPER: Final = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}
# Hyphens and dashes of all lengths, as keyboards and word processors make them of one key.
_HYPHENS: Final = dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0x30FC, 0x30FB, 0x00B7, 0xFE63), "-")
# What comes along unseen when a number is copied from a page or a chat: joiners, marks of direction, BOM.
_UNSEEN: Final = dict.fromkeys(
    (0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
)
_READ: Final = {**_ASCII_FORM, **_HYPHENS, **_UNSEEN}

_CREDIT_CODE_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_CODE: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
_CREDIT_CODE_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))

_ORGANIZATION_CODE: Final = re.compile(r"([0-9A-Z]{8})-?([0-9X])", re.ASCII)
_ORGANIZATION_CODE_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)

_ID_NUMBER: Final = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_ID_NUMBER_WEIGHTS: Final = tuple(pow(2, 17 - place, 11) for place in range(17))
_ID_NUMBER_CHECKS: Final = "10X98765432"
_PROVINCES: Final = frozenset(
    str(number)
    for numbers in (
        range(11, 16),
        range(21, 24),
        range(31, 38),
        range(41, 47),
        range(50, 55),
        range(61, 66),
        [71],
    )
    for number in numbers
)
_RESIDENCE_REGIONS: Final = frozenset({"810000", "820000", "830000"})

_MOBILE: Final = re.compile(r"(?:\+86|0086)?(1[3-9][0-9]{9})", re.ASCII)
_PATTERNS: Final = {
    "passport": re.compile(r"[A-Z0-9]{5,20}", re.ASCII),  # of any state; Chinese ones are among these
    "hk_macau_permit": re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?", re.ASCII),
    "taiwan_permit": re.compile(r"[0-9]{8}|[0-9]{10}[A-Z]?", re.ASCII),
}
_OLD_FOREIGNER_RESIDENCE: Final = re.compile(r"[A-Z]{3}[0-9]{12}", re.ASCII)


def canonical(text: str) -> str:
    """``text`` as such numbers are written: ASCII instead of full-width forms, upper case, one kind of
    hyphen, neither white space nor anything invisible.
    """
    return "".join(text.translate(_READ).translate(_UPPER).split())


def unhyphenated(text: str) -> str:
    """The same without the hyphens between groups, which no number but an organisation code has."""
    return canonical(text).replace("-", "")


def find_credit_code(text: str) -> str | None:
    """A 统一社会信用代码 of 18 characters with a right check character (GB 32100-2015)."""
    code = unhyphenated(text)
    if _CREDIT_CODE.fullmatch(code) and credit_code_check(code[:17]) == code[17]:
        return code
    return None


def credit_code_check(body: str) -> str:
    """The check character of the first 17 characters of a credit code (GB 32100-2015 annex A)."""
    total = sum(_CREDIT_CODE_ALPHABET.index(c) * w for c, w in zip(body, _CREDIT_CODE_WEIGHTS, strict=True))
    return _CREDIT_CODE_ALPHABET[-total % 31]


def find_organization_code(text: str) -> str | None:
    """An organisation code of 8 characters and a right check character, without hyphen (GB 11714-1997)."""
    match = _ORGANIZATION_CODE.fullmatch(canonical(text))
    if match and organization_code_check(match[1]) == match[2]:
        return match[1] + match[2]
    return None


def organization_code_check(body: str) -> str:
    """The check character of the first 8 characters of an organisation code (GB 11714-1997)."""
    total = sum(int(c, 36) * w for c, w in zip(body, _ORGANIZATION_CODE_WEIGHTS, strict=True))
    return "0123456789X"[-total % 11]


def has_regular_organization_code(credit_code: str) -> bool:
    """Whether characters 9–17 of a canonical credit code are a right organisation code.

    Some codes in use are irregular there: a hint for a reviewer, never a reason to refuse.
    """
    return find_organization_code(credit_code[8:17]) is not None


def find_id_number(text: str, today: date, *, allow_test: bool) -> str | None:
    """A 公民身份号码 with a known province, a birth date up to ``today`` and a right check (GB 11643-1999).

    Region 99 is accepted only with ``allow_test``. The 15-digit numbers of former cards are refused.
    """
    number = unhyphenated(text)
    known = number[:2] in _PROVINCES or (allow_test and number[:2] == TEST_REGION)
    return number if known and _is_dated_and_checked(number, today) else None


def id_number_check(body: str) -> str:
    """The check character of the first 17 digits of an ID number (ISO 7064 MOD 11-2)."""
    total = sum(int(c) * w for c, w in zip(body, _ID_NUMBER_WEIGHTS, strict=True))
    return _ID_NUMBER_CHECKS[total % 11]


def find_document_number(document_type: str, text: str, today: date, *, allow_test: bool) -> str | None:
    """The canonical number of a document of one of DOCUMENT_TYPES; None for another type as well."""
    number = unhyphenated(text)
    if document_type in _PATTERNS:
        return _matching(_PATTERNS[document_type], number)
    if document_type in _DATED:
        return _DATED[document_type](number, today, allow_test=allow_test)
    return None


def find_mobile(text: str) -> str | None:
    """A mobile number of the mainland, 11 digits, without country code, spaces and hyphens."""
    match = _MOBILE.fullmatch(unhyphenated(text))
    return match[1] if match else None


def document_key(document_type: str, document_number: str) -> str:
    """What must be unique among natural persons; the value behind ``accounts.document_index``.

    The old permits end with a count of reissues (and a letter), which does not make another person.
    """
    significant = {"hk_macau_permit": 9, "taiwan_permit": 8}.get(document_type)
    return f"{document_type}:{document_number[:significant]}"


def _matching(pattern: re.Pattern[str], number: str) -> str | None:
    return number if pattern.fullmatch(number) else None


def _foreigner_residence(number: str, today: date, *, allow_test: bool) -> str | None:
    """Since 2023-12-01: 9, place, country, birth, sequence, check as in ID numbers. Old ones stay valid."""
    if number.startswith("9"):
        known = allow_test or not number.startswith(TEST_REGION)
        return number if known and _is_dated_and_checked(number, today) else None
    return _matching(_OLD_FOREIGNER_RESIDENCE, number)


def _hmt_residence(number: str, today: date, *, allow_test: bool) -> str | None:
    """港澳台居民居住证: an ID number of region 810000, 820000 or 830000."""
    known = number[:6] in _RESIDENCE_REGIONS or (allow_test and number[:2] == TEST_REGION)
    return number if known and _is_dated_and_checked(number, today) else None


def _is_dated_and_checked(number: str, today: date) -> bool:
    if not _ID_NUMBER.fullmatch(number) or id_number_check(number[:17]) != number[17]:
        return False
    try:
        birth = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return EARLIEST_BIRTH <= birth <= today


_DATED: Final = {
    "id_card": find_id_number,
    "foreigner_residence": _foreigner_residence,
    "hmt_residence": _hmt_residence,
}

"""Rules of passwords: composition, what is too easy to guess, and for how long one may be used.

What is well known is looked up in a list (services/known_passwords.py) by its folded form, the same for
``P@ssw0rd`` and ``password``; the rules here find what no list can name: the person's own data, the
platform's names, keys in a row.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

SHORTEST: Final = 9
LONGEST: Final = 16
FORMER_PASSWORDS: Final = 5
TEMPORARY_TTL: Final = timedelta(hours=24)  # for a password that an operator hands out

PLATFORM_NAMES: Final = ("zhengwu", "gongxinbu", "miit", "zwfw", "ythzxfw", "smdvs", "qcdtjcxt", "jingbanren")
"""Names of the platform and of what is done on it, as people type them."""

_CHARACTERS: Final = re.compile(r"[!-~]*", re.ASCII)
_FOLDED: Final = str.maketrans("@4831!|l09$57+", "aabeiiiiogsstt")
_ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "!@#$%^&*()",
)
_NEIGHBOURS: Final = frozenset(pair for row in _ROWS for a, b in pairwise(row) for pair in (a + b, b + a))
_SHORTEST_RUN: Final = 3  # "ab" happens by chance
_FEWEST_STEPS: Final = 6
_SHORTEST_PERSONAL: Final = 4
_WORDS: Final = re.compile(r"[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Owner:
    """What is known of the person whose password it is; nothing of it may stand in the password.

    ``further`` are texts of any kind: an e-mail address, numbers of documents, names.
    """

    login_name: str = ""
    phone: str = ""
    further: tuple[str, ...] = ()


def password_problem(password: str, owner: Owner, is_well_known: Callable[[str], bool]) -> str | None:
    """9–16 visible ASCII characters, letters, digits and others together, that can't be guessed.

    ``is_well_known`` is asked about the folded password.
    """
    if not password:
        return "required"
    if not _CHARACTERS.fullmatch(password):
        return "password_characters"
    if not SHORTEST <= len(password) <= LONGEST:
        return "password_length"
    return _composition_problem(password) or _guessable_problem(password, owner, is_well_known)


def _composition_problem(password: str) -> str | None:
    kinds = (str.isalpha, str.isdigit, lambda c: not str.isalnum(c))
    complete = all(any(is_kind(c) for c in password) for is_kind in kinds)
    return None if complete else "password_composition"


def _guessable_problem(password: str, owner: Owner, is_well_known: Callable[[str], bool]) -> str | None:
    folded = fold(password)
    if _holds(folded, owner.login_name):
        return "password_contains_login_name"
    if _holds(folded, owner.phone):
        return "password_contains_phone"
    if any(_holds(folded, word) for word in _personal_words(owner.further)):
        return "password_personal"
    if any(name in folded for name in map(fold, PLATFORM_NAMES)):
        return "password_platform_name"
    if steps(password) < _FEWEST_STEPS:
        return "password_sequence"
    return "password_common" if is_well_known(folded) else None


def fold(text: str) -> str:
    """One form for all clever spellings: lower case, ``@`` and ``4`` as ``a``, and so on."""
    return text.lower().translate(_FOLDED)


def _holds(folded: str, text: str) -> bool:
    return bool(text) and fold(text) in folded


def _personal_words(texts: tuple[str, ...]) -> list[str]:
    """The parts of an address and of long numbers too: a birth date, an organisation code."""
    words = []
    for text in texts:
        for word in _WORDS.findall(text.partition("@")[0]):
            words += [word, word[6:14], word[8:17]] if len(word) == 18 else [word]
    return [word for word in words if len(word) >= _SHORTEST_PERSONAL]


def steps(password: str) -> int:
    """How many things one has to remember of it: a row of keys, of letters, of digits, of equals is one.

    ``Abc12345!`` has three, ``qqqqqq111!!!`` too.
    """
    text = password.lower()
    count, place = 0, 0
    while place < len(text):
        length = _run_length(text[place:])
        place += length if length >= _SHORTEST_RUN else 1
        count += 1
    return count


def _run_length(text: str) -> int:
    """How many characters from the first one on are the same, or follow one another in one direction."""
    if len(text) < 2:
        return len(text)
    pair = text[:2]
    if pair[0] != pair[1] and pair not in _NEIGHBOURS:
        return 1
    length = 2
    while length < len(text) and _goes_on(text[length - 2 : length + 1]):
        length += 1
    return length


def _goes_on(three: str) -> bool:
    if three[0] == three[1]:
        return three[1] == three[2]
    return len(set(three)) == 3 and three[:2] in _NEIGHBOURS and three[1:] in _NEIGHBOURS


def confirmation_problem(password: str, confirmation: str) -> str | None:
    """The same again."""
    if not confirmation:
        return "required"
    return None if confirmation == password else "passwords_differ"


def is_over_age(changed_at: datetime, now: datetime, max_age_days: int) -> bool:
    """Whether a password has been in use for that many days; 0 days: it may be used for ever."""
    return max_age_days > 0 and now - changed_at >= timedelta(days=max_age_days)


def is_spent(temporary_until: datetime | None, now: datetime) -> bool:
    """Whether a temporary password's time is over; None: it is not a temporary one."""
    return temporary_until is not None and now >= temporary_until

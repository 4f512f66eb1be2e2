"""Finding a text by what somebody typed: Chinese has no spaces, so pairs of characters are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LONGEST_QUERY: Final = 64
ENOUGH: Final = 0.6
"""Of what was asked for, the share that a text must have to count as found."""
_ASKING: Final = re.compile(r"怎么办|怎么|如何|怎样|什么|哪里|为什么|可以|请问|[吗呢吧啊了的我在想要被把?？]")
_WORDS: Final = re.compile(r"[a-z0-9]+|[^\W\da-z_]+")
_LATIN: Final = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Text:
    """What can be found: ``key`` is the caller's; words in the title count before those in the body."""

    key: str
    title: str
    body: str


def find(texts: Iterable[Text], query: str) -> list[str]:
    """The keys of the texts that have enough of ``query``, the best first; equal ones stay in their order."""
    units = units_of(query)
    if not units:
        return []
    scored = [(_score(text, units), text.key) for text in texts]
    enough = [found for found in scored if found[0][0] >= ENOUGH]
    ranked = sorted(enough, key=lambda found: found[0], reverse=True)
    return [key for _, key in ranked]


def units_of(query: str) -> frozenset[str]:
    """What is compared: words of letters and digits whole, other characters in pairs; no asking words."""
    asked = _ASKING.sub(" ", _plain(query[:LONGEST_QUERY]))
    words = _WORDS.findall(asked) or _WORDS.findall(_plain(query[:LONGEST_QUERY]))
    return frozenset(unit for word in words for unit in _units(word))


def _units(word: str) -> list[str]:
    if len(word) == 1 or _LATIN.fullmatch(word):
        return [word]
    return [word[at : at + 2] for at in range(len(word) - 1)]


def _score(text: Text, units: frozenset[str]) -> tuple[float, float]:
    title, everything = _plain(text.title), _plain(f"{text.title} {text.body}")
    return _share(units, everything), _share(units, title)


def _share(units: frozenset[str], text: str) -> float:
    return sum(unit in text for unit in units) / len(units)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()

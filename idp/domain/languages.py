"""The languages of the pages, and which of them somebody wants (BCP 47, RFC 4647)."""

from __future__ import annotations

from collections.abc import Iterable

SOURCE = "zh-CN"
ENGLISH = "en"
LANGUAGES = (SOURCE, ENGLISH)
_BY_PRIMARY = {tag.partition("-")[0]: tag for tag in LANGUAGES}


def wanted(tags: Iterable[str]) -> str | None:
    """The first of our languages among these tags, the most wanted first; None when there is none.

    Only the language itself counts: ``en-GB`` is served English, ``zh-Hant`` Chinese.
    """
    primaries = (tag.partition("-")[0].lower() for tag in tags)
    return next((_BY_PRIMARY[primary] for primary in primaries if primary in _BY_PRIMARY), None)

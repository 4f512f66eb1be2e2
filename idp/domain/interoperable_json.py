"""JSON from outside, as far as every program reads it the same (I-JSON, RFC 7493)."""

from __future__ import annotations

import json
import math
from typing import Any, Final

DEEPEST: Final = 20
LARGEST_INTEGER: Final = 2**53 - 1


def parse(text: str, longest: int) -> Any:
    """The document in ``text`` of at most ``longest`` characters.

    None for null and for all that couldn't be stored or sent on unchanged: no JSON, numbers beyond a double,
    half of a surrogate pair, the same member twice, or deeper than :data:`DEEPEST`.
    """
    if len(text) > longest:
        return None
    try:
        document = json.loads(text, object_pairs_hook=_members, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return document if is_interoperable(document) else None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def is_interoperable(value: Any, levels: int = DEEPEST) -> bool:
    """Whether a document could be stored and sent on unchanged; ``levels`` is how many lists and objects may
    be opened, one in the other.
    """
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        return levels > 0 and all(is_interoperable(item, levels - 1) for item in value)
    return _is_text(value) if isinstance(value, str) else _is_number(value)


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _is_number(value: Any) -> bool:
    """True and null too; a double that is too large was read as infinite."""
    if isinstance(value, int):
        return abs(value) <= LARGEST_INTEGER
    return value is None or math.isfinite(value)

"""What one version of a report says differently from the one before, field by field. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Location = tuple[str | int, ...]

# Parts of a list are the same part while this member stays, wherever in the list they stand.
IDENTITY = {"vehicles": "vin", "attachments": "id"}
PEOPLE = frozenset({"reporter_phone", "owner_name", "owner_phone"})


@dataclass(frozen=True)
class Change:
    """One field: None where there was or is nothing. ``subject`` names the part of a list that it is in."""

    location: Location
    before: Any
    after: Any
    subject: str | None = None

    @property
    def name(self) -> str:
        """The field's own name."""
        return next(str(part) for part in reversed(self.location) if isinstance(part, str))

    @property
    def is_personal(self) -> bool:
        """Whether it is about a person, and so may have to be masked."""
        return self.name in PEOPLE


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """All fields that differ, in the order in which the newer document has them."""
    return tuple(_members(before, after, ()))


def _members(
    before: Mapping[str, Any], after: Mapping[str, Any], at: Location, subject: str | None = None
) -> list[Change]:
    found: list[Change] = []
    for name in dict.fromkeys((*after, *before)):
        found += _member(before.get(name), after.get(name), (*at, name), subject)
    return found


def _member(old: Any, new: Any, at: Location, subject: str | None) -> list[Change]:
    old, new = _nothing(old), _nothing(new)
    if old == new:
        return []
    if (key := IDENTITY.get(str(at[-1]))) is not None:
        return _parts(old or (), new or (), at, key)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return _members(old, new, at, subject)
    return [Change(at, old, new, subject)]


def _parts(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], at: Location, key: str
) -> list[Change]:
    """The parts of a list: added, removed, or changed inside."""
    was, now = ({str(part[key]): part for part in parts} for parts in (old, new))
    found: list[Change] = []
    for index, name in enumerate(now):
        if name in was:
            found += _members(was[name], now[name], (*at, index), name)
        else:
            found.append(Change(at, None, now[name], name))
    gone = [Change(at, was[name], None, name) for name in was if name not in now]
    return found + gone


def _nothing(value: Any) -> Any:
    """An empty list or text says as much as none."""
    return None if value in ("", []) else value

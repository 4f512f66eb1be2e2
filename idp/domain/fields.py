"""Form fields: reading them one by one, every problem kept; and the texts that several forms ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, TypeVar

from idp.domain import dates
from idp.domain.errors import Problem, Refusal

T = TypeVar("T")

_BRACKETS: Final = str.maketrans("()", "（）")
_DOTS: Final = str.maketrans("•・･‧", "····")
_NAME_MARKS: Final = frozenset(" ·.'-")
# What browsers and programs send for a ticked box.
_CHECKED: Final = frozenset({"1", "on", "y", "yes", "true"})


class Reader:
    """Reads form fields one by one and keeps a problem for each that can't be read."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self.problems: list[Problem] = []

    def typed(self, field: str) -> str:
        """What was typed, as it is."""
        return self._fields.get(field, "").strip()

    def text(self, field: str, check: Callable[[str], str | None], code: str) -> str:
        """What ``check`` makes of the field, its canonical value; an empty text and a problem if nothing."""
        typed = self.typed(field)
        if not typed:
            self.refuse("required", field)
            return ""
        value = check(typed)
        if value is None:
            self.refuse(code, field)
        return value or ""

    def choice(self, field: str, choices: tuple[str, ...]) -> str:
        """One of ``choices``."""
        return self.text(field, lambda typed: typed if typed in choices else None, "choice_unknown")

    def day(self, field: str) -> date | None:
        """A day as YYYY-MM-DD; None and a problem if it isn't one."""
        text = self.text(field, _canonical_day, "date_invalid")
        return dates.find_date(text)

    def ticked(self, field: str) -> bool:
        """Whether a box is ticked."""
        return self.typed(field).lower() in _CHECKED

    def refuse(self, code: str, field: str, **detail: object) -> None:
        """Keep a problem."""
        self.problems.append(Problem(code, field, MappingProxyType(detail)))

    def result(self, value: T) -> T | Refusal:
        """What was read, or every problem at once."""
        return Refusal(tuple(self.problems)) if self.problems else value


def find_name(text: str) -> str | None:
    """A person's name: 2 to 60 letters of any script, with spaces, dots, hyphens, apostrophes between."""
    name = " ".join(text.translate(_DOTS).split())
    marked = all(character.isalpha() or character in _NAME_MARKS for character in name)
    return name if marked and 2 <= len(name) <= 60 and name[0].isalpha() else None


def find_enterprise_name(text: str) -> str | None:
    """An enterprise's name of 2 to 100 printable characters.

    A Chinese one has no white space, and full-width brackets as in the registers.
    """
    name = " ".join(text.split())
    if not name.isascii():
        name = name.replace(" ", "").translate(_BRACKETS)
    return name if name.isprintable() and 2 <= len(name) <= 100 else None


def find_address(text: str) -> str | None:
    """A postal address: 2 to 200 printable characters in one line."""
    address = " ".join(text.split())
    return address if address.isprintable() and 2 <= len(address) <= 200 else None


def _canonical_day(typed: str) -> str | None:
    return typed if dates.find_date(typed) else None

"""What a handler authorisation covers, and until when: matters and validity, as asked for or as given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp.domain import dates
from idp.domain.errors import Refusal
from idp.domain.fields import Reader

MATTERS: Final = frozenset({"nev-accident-report", "vehicle-product-access"})
LONGEST_VALIDITY_YEARS: Final = 3


@dataclass(frozen=True, slots=True)
class Terms:
    """Matters in order, and the last moment of validity; None: until it is revoked."""

    matters: tuple[str, ...]
    valid_until: datetime | None

    def takes_away(self, former: Terms) -> bool:
        """Whether these leave less than the former: a matter missing, or an earlier end."""
        shorter = self.valid_until is not None and (
            former.valid_until is None or self.valid_until < former.valid_until
        )
        return shorter or not set(former.matters) <= set(self.matters)


def read(
    matters: Iterable[str] | None, valid_until: str | None, now: datetime, kept: Terms | None = None
) -> Terms | Refusal:
    """Terms as typed. With ``kept``, None keeps what that says: a program need not repeat it."""
    form = Reader({"valid_until": valid_until or ""})
    chosen = kept.matters if kept and matters is None else read_matters(form, matters or ())
    until = kept.valid_until if kept and valid_until is None else read_valid_until(form, now)
    return form.result(Terms(chosen, until))


def read_matters(form: Reader, matters: Iterable[str]) -> tuple[str, ...]:
    """The matters in order; ``form`` keeps the problem."""
    chosen = tuple(sorted({matter.strip() for matter in matters} - {""}))
    if not chosen:
        form.refuse("required", "matters")
    elif not MATTERS.issuperset(chosen):
        form.refuse("matter_unknown", "matters")
    return chosen


def read_valid_until(form: Reader, now: datetime) -> datetime | None:
    """The field ``valid_until`` of ``form``: a day (YYYY-MM-DD) from today to three years from now.

    The authorisation ends with that day in China. Empty: it has no end of its own.
    """
    if not form.typed("valid_until"):
        return None
    day = form.day("valid_until")
    today = dates.china_date(now)
    if day and day < today:
        form.refuse("valid_until_past", "valid_until")
    elif day and day > dates.years_later(today, LONGEST_VALIDITY_YEARS):
        form.refuse("valid_until_too_far", "valid_until", years=LONGEST_VALIDITY_YEARS)
    return dates.end_of_day(day) if day else None

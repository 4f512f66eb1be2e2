"""Finding reports: the filters that somebody asked for, on the reports that they may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clients.rp import clock
from clients.rp.entitlement import Reader
from clients.smdvs.filters import Asked, Filters, read
from clients.smdvs.storage import search as rows
from clients.smdvs.storage.reports import ReportRow
from clients.smdvs.system import System

__all__ = ["Asked", "Filters", "Page", "find_page", "read"]

SIZE = 20
# Nobody turns 500 pages: whoever has more is told to narrow the search, and counting stays cheap.
MOST = 10_000
LAST_PAGE = MOST // SIZE


@dataclass(frozen=True)
class Page:
    """One page of a list. ``total`` is exact below MOST, ``more`` says that there are more than that."""

    rows: Sequence[ReportRow]
    total: int
    number: int
    size: int
    more: bool = False

    @property
    def count(self) -> int:
        """How many pages can be turned, at least one."""
        return max(1, -(-self.total // self.size))


def find_page(system: System, reader: Reader, filters: Filters, number: int, size: int = SIZE) -> Page:
    """A page of the reports that this person may read and these filters leave, newest first.

    ``number`` counts from 1. Two statements at most: a page that isn't full tells the number of all.
    """
    wanted = rows.conditions(filters, reader.enterprise_credit_code, clock.now())
    before = (number - 1) * size
    with system.database.reading() as session:
        found = rows.list_page(session, wanted, before, size)
        if 0 < len(found) < size or (number == 1 and not found):
            return Page(found, before + len(found), number, size)
        total = rows.count(session, wanted, MOST + 1)
    return Page(found, min(total, MOST), number, size, more=total > MOST)

"""What waits for whom: the tabs above the list, each a selection with the number of reports in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from clients.rp.entitlement import Reader
from clients.smdvs.filters import Filters, Overdue
from clients.smdvs.storage import search as rows
from clients.smdvs.system import System
from clients.smdvs.vocabulary import Status

# Beyond it a tab says "more than".
MOST = 999

OF_REGULATOR: Mapping[str, Filters] = {
    "待审核": Filters(status=(Status.DETAILED_SUBMITTED,)),
    "审核中": Filters(status=(Status.UNDER_REVIEW,)),
    "已逾期": Filters(overdue=(Overdue.DETAILED,)),
    "全部": Filters(),
}
OF_ENTERPRISE: Mapping[str, Filters] = {
    "待提交详报": Filters(status=(Status.INITIAL_SUBMITTED, Status.SUPPLEMENTED)),
    "待补正": Filters(status=(Status.RETURNED,)),
    "待调查结果": Filters(status=(Status.ACCEPTED, Status.INVESTIGATING)),
    "全部": Filters(),
}


@dataclass(frozen=True)
class Queue:
    """One tab: its name, where it leads, whether it is the one shown, and how many reports are in it."""

    name: str
    query: str
    is_shown: bool
    total: int

    @property
    def total_words(self) -> str:
        """The number, or that there are more than anybody counts."""
        return str(self.total) if self.total <= MOST else f"{MOST}+"


def queues(system: System, reader: Reader, shown: Filters, now: datetime) -> Sequence[Queue]:
    """The tabs of this person; counted no further than MOST, one statement each."""
    table = OF_REGULATOR if reader.enterprise_credit_code is None else OF_ENTERPRISE
    with system.database.reading() as session:
        return [
            Queue(
                name,
                filters.query(),
                filters == shown,
                rows.count(session, rows.conditions(filters, reader.enterprise_credit_code, now), MOST + 1),
            )
            for name, filters in table.items()
        ]

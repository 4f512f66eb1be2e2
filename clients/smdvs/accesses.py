"""Looking at the people behind a report: only with a reason, and only after it is in the log.

``python -m clients.smdvs.accesses`` prints the log as JSON lines, oldest first; no names are in it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from clients.smdvs.config import ConfigError, Settings
from clients.smdvs.persons import Viewer, kinds_of
from clients.smdvs.reports import ReportView
from clients.smdvs.storage import accesses as rows
from clients.smdvs.storage.accesses import Access
from clients.smdvs.storage.database import Database
from clients.smdvs.system import System

MAX_REASON = 200
BATCH = 500
CONTINUING = "续填同事的上报"


class Look(StrEnum):
    """By which act people were shown."""

    SHOW_CONTACTS = "show_contacts"
    CONTINUE_REPORT = "continue_report"


@dataclass(frozen=True)
class NoReason:
    """Nothing is shown without a reason: ``code`` is ``reason_missing`` or ``reason_too_long``."""

    code: str


def check_reason(text: str) -> str | NoReason:
    """The reason as it is kept, on one line; or what is wrong with it."""
    reason = " ".join(text.split())
    if not reason:
        return NoReason("reason_missing")
    return reason if len(reason) <= MAX_REASON else NoReason("reason_too_long")


def record(
    system: System,
    viewer: Viewer,
    report_id: int,
    look: Look,
    reason: str,
    shown: Sequence[str],
    now: datetime,
) -> None:
    """Put the look in the log. It is committed when this returns: show only then."""
    access = Access(
        report_id=report_id,
        at=now,
        sub=viewer.sub,
        account_type="regulator" if viewer.is_regulator else viewer.account_type,
        act=look,
        reason=reason,
        shown=" ".join(shown),
    )
    with system.database.transaction() as session:
        session.add(access)


def record_continuing(system: System, viewer: Viewer, view: ReportView, now: datetime) -> None:
    """Whoever goes on with a colleague's report is shown the owners in the form: in the log before that.

    One's own words are no look at anybody; the contact in the form is whoever goes on.
    """
    kinds = [kind for kind in kinds_of(view.content.personal) if kind.startswith("owner_")]
    if kinds and viewer.sub != view.content.version.sub:
        record(system, viewer, view.row.id, Look.CONTINUE_REPORT, CONTINUING, kinds, now)


def of_report(system: System, report_id: int) -> Sequence[Access]:
    """The looks at one report's people, oldest first."""
    with system.database.reading() as session:
        return rows.list_accesses(session, report_id)


def lines(database: Database) -> Iterator[str]:
    """The whole log, a JSON object a line."""
    after = 0
    while True:
        with database.reading() as session:
            batch = rows.list_after(session, after, BATCH)
        for access, report_no in batch:
            yield json.dumps(_line(access, report_no), ensure_ascii=False)
        if len(batch) < BATCH:
            return
        after = batch[-1][0].id


def _line(access: Access, report_no: str) -> dict[str, Any]:
    return {
        "id": access.id,
        "at": access.at.isoformat(),
        "report_no": report_no,
        "sub": access.sub,
        "account_type": access.account_type,
        "act": access.act,
        "reason": access.reason,
        "shown": access.shown.split(),
    }


def main() -> int:
    """Print the log of the environment's database."""
    try:
        settings = Settings.from_env(os.environ)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    database = Database(settings.database_url)
    for line in lines(database):
        sys.stdout.write(line + "\n")
    database.engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())

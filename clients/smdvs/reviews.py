"""What the regulator does to a report: each act one transaction, at the end of the report's chain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from clients.smdvs import versions
from clients.smdvs.access import Reviewer
from clients.smdvs.lifecycle import Act, NotNow, Side, next_status
from clients.smdvs.storage import reports as rows
from clients.smdvs.submissions import Accepted, Changed, NotFound
from clients.smdvs.system import System
from clients.smdvs.versions import Author
from clients.smdvs.vocabulary import Status


def carry_out(
    system: System,
    reviewer: Reviewer,
    name: str,
    report_no: str,
    act: Act,
    reason: str | None,
    expected_version: int | None,
    now: datetime,
) -> Accepted | NotFound | Changed | NotNow:
    """Review, accept, return, investigate, close or void a report.

    ``name`` is what the sign-in told of the person (may be empty); ``expected_version`` is the version
    that the regulator has read (None: whatever it is now). Of two at once exactly one is accepted.
    """
    author = Author(reviewer.sub, reviewer.client_id, "regulator", "", None, "browser", name)
    made = versions.Made(act, {}, reason or None, author, now)
    try:
        with system.database.transaction() as session:
            return _advance(system, session, report_no, made, expected_version)
    except versions.Raced as raced:
        return Changed(raced.version)


def _advance(
    system: System, session: Session, report_no: str, made: versions.Made, expected_version: int | None
) -> Accepted | NotFound | Changed | NotNow:
    row = rows.find_report(session, report_no, None)
    if row is None:
        return NotFound()
    if expected_version not in (None, row.version):
        return Changed(row.version)
    status = next_status(
        Status(row.status),
        made.act,
        Side.REGULATOR,
        reason=made.reason,
        has_final=row.final_received_at is not None,
    )
    if isinstance(status, NotNow):
        return status
    version = versions.append(system, session, row, made, _changes(made, status))
    return Accepted(report_no, version.version)


def _changes(made: versions.Made, status: Status) -> dict[str, Any]:
    changes: dict[str, Any] = {"status": status}
    return changes | {"closed_at": made.now} if made.act is Act.CLOSE else changes

"""Whose form it is, written into the form itself, sealed: a form outlives the session that it was opened in.

Whoever sends it back, with or without a session, can only add to its owner's drafts. Reading them, and
submitting, takes a session of the owner's (docs/adr/0023).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from clients.rp.sealed import SealBroken
from clients.smdvs.lifecycle import Act
from clients.smdvs.system import System

TICKET_TTL = timedelta(days=30)


@dataclass(frozen=True)
class Owner:
    """A person, acting for an enterprise."""

    sub: str
    enterprise_credit_code: str


@dataclass(frozen=True)
class Sheet:
    """What a form is for: a first report, or a later act on that report."""

    kind: Act
    report_no: str | None = None

    @property
    def path(self) -> str:
        """Where the form is, below /smdvs/."""
        return "reports/new" if self.report_no is None else f"reports/{self.report_no}/{self.kind}"


FIRST = Sheet(Act.INITIAL)


@dataclass(frozen=True)
class Ticket:
    """Whose form, and what for."""

    owner: Owner
    sheet: Sheet


def issue(system: System, draft_id: str, ticket: Ticket, now: datetime) -> str:
    """The hidden field for a form with that draft id; good for TICKET_TTL."""
    content = {**asdict(ticket), "until": int((now + TICKET_TTL).timestamp())}
    return system.cookies.seal(json.dumps(content), _context(draft_id))


def read(system: System, draft_id: str, text: str, now: datetime) -> Ticket | None:
    """What was written; None when it isn't ours, was made for another form, or is too old."""
    try:
        content = json.loads(system.cookies.open(text, _context(draft_id)))
    except SealBroken:
        return None
    if now.timestamp() >= content["until"]:
        return None
    sheet = Sheet(Act(content["sheet"]["kind"]), content["sheet"]["report_no"])
    return Ticket(Owner(**content["owner"]), sheet)


def _context(draft_id: str) -> str:
    return f"draft:{draft_id}"

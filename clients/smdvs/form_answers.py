"""What a form is answered with: itself, with what was typed, kept as a draft wherever that is possible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import Response

from clients.rp import clock
from clients.smdvs import deadline_words, drafts, forms, messages, pages, reports
from clients.smdvs.cookies import system
from clients.smdvs.deadlines import Due, Measure
from clients.smdvs.documents import Fault
from clients.smdvs.drafts import Kept, NotKept
from clients.smdvs.lifecycle import Act
from clients.smdvs.papers import Paper
from clients.smdvs.report import MAX_VEHICLES
from clients.smdvs.storage.database import DatabaseUnavailable
from clients.smdvs.storage.sessions import BrowserSession

# Another window's draft stays as it is: this one's words become a draft of their own.
_APART = frozenset({NotKept.NEWER, NotKept.GONE, NotKept.NOT_YOURS})
_STATUS = {NotKept.NEWER: 409, NotKept.FULL: 409, NotKept.TOO_LARGE: 413}


@dataclass(frozen=True)
class Keeping:
    """How keeping a form went: as which draft, or why not; ``apart`` says why it became a draft of its own,
    and ``elsewhere`` is then the draft that it is not.
    """

    paper: Paper
    kept: Kept | None = None
    refused: NotKept | None = None
    apart: NotKept | None = None
    elsewhere: str | None = None

    @property
    def status(self) -> int:
        """The status of an answer that says nothing but this."""
        trouble = self.refused or self.apart
        return _STATUS.get(trouble, 200) if trouble is not None else 200


def keep(paper: Paper, now: datetime) -> Keeping:
    """Write what was typed where it belongs, or, if that would lose another's words, apart."""
    outcome = _written(paper, now)
    if outcome not in _APART:
        return _keeping(paper, outcome)
    anew = paper.anew()
    apart = _keeping(anew, _written(anew, now))
    return replace(apart, apart=NotKept(str(outcome)), elsewhere=paper.draft_id)


def keep_in_place(paper: Paper, now: datetime) -> Keeping:
    """Write what was typed where it belongs, or not at all."""
    return _keeping(paper, _written(paper, now))


def kept(row: BrowserSession | None, paper: Paper, status: int = 200, **values: Any) -> Response:
    """The form again, after what was typed in it has been kept."""
    keeping = keep(paper, clock.now())
    status = keeping.status if status == 200 else status
    return show(row, keeping.paper, status, keeping=keeping, **values)


def show(row: BrowserSession | None, paper: Paper, status: int = 200, **values: Any) -> Response:
    """The form. ``faults`` are told at their fields, ``notice`` above it."""
    faults: tuple[Fault, ...] = values.pop("faults", ())
    now = clock.now()
    return pages.render(
        "report_form.html",
        status,
        session=row,
        paper=paper,
        act=paper.sheet.kind,
        ticket=paper.ticket(system(), now),
        fields=paper.fields,
        vehicles=range(forms.vehicle_count(paper.fields)),
        max_vehicles=MAX_VEHICLES,
        faults=faults,
        draft_apart=messages.DRAFT_APART,
        draft_refused=messages.DRAFT_REFUSED,
        deadline=_deadline(paper, now),
        errors={fault.name: messages.fault_text(fault) for fault in reversed(faults)},
        **{"keeping": Keeping(paper)} | values,
    )


def measure_of(paper: Paper) -> Measure:
    """What the form is measured by: a later act by its report's own policy; only what can be late is."""
    policy = system().settings.deadline_policy
    if paper.sheet.report_no is None:
        return Measure(policy, Due.INITIAL)
    if paper.owner is None or paper.sheet.kind is Act.FINAL:
        return Measure(policy)
    row = reports.find_row(system(), paper.owner.enterprise_credit_code, paper.sheet.report_no)
    if row is None:
        return Measure(policy)
    first = paper.sheet.kind is Act.DETAILED and row.detailed_received_at is None
    return Measure(row.deadline_policy, Due.DETAILED if first else None)


def _deadline(paper: Paper, now: datetime) -> deadline_words.Hint | None:
    try:
        return deadline_words.hint(paper.fields, measure_of(paper), now)
    except DatabaseUnavailable:
        return None  # the form is shown all the same


def _written(paper: Paper, now: datetime) -> Kept | NotKept | None:
    if paper.owner is None:
        return None
    return drafts.keep(system(), paper.owner, paper.draft_id, paper.sheet, paper.fields, paper.seen, now)


def _keeping(paper: Paper, outcome: Kept | NotKept | None) -> Keeping:
    if isinstance(outcome, Kept):
        return Keeping(paper.as_of(outcome.revision), kept=outcome)
    return Keeping(paper, refused=outcome)

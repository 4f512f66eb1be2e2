"""Taking in what an enterprise sends: the first report, later versions, a withdrawal.

Who may is decided in access; here it is a Reporter. Each use case is one transaction: it is stored whole,
acknowledged, or not there at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from clients.rp.entitlement import Reporter
from clients.smdvs import attachments, chain, summaries, versions
from clients.smdvs.attachment_kinds import missing_files
from clients.smdvs.contents import canonical
from clients.smdvs.deadlines import measured, remeasured
from clients.smdvs.detailed import DetailedReport
from clients.smdvs.documents import Fault
from clients.smdvs.lifecycle import Act, NotNow, Side, next_status
from clients.smdvs.outcomes import Accepted, Changed, KeyReused, NotFound, Refused, Unattached
from clients.smdvs.report import CHINA_TIME, Part, Report
from clients.smdvs.storage import drafts
from clients.smdvs.storage import reports as rows
from clients.smdvs.storage.reports import ReportRow, Submission
from clients.smdvs.system import System
from clients.smdvs.versions import Link, Origin
from clients.smdvs.vocabulary import Status

__all__ = ["Accepted", "Changed", "KeyReused", "NotFound", "Refused", "Unattached"]


class _NotClaimed(Exception):
    """The files can't be taken in: rolls the transaction back."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults[0].code)
        self.outcome = Unattached(faults)


class _Duplicate(Exception):
    """Another request with the same key was first: rolls the transaction back."""


@dataclass(frozen=True)
class _Keyed:
    """A submission under its key: what would be bound to it."""

    reporter: Reporter
    key: str | None
    body_digest: str
    now: datetime

    def known(self, session: Session) -> Submission | None:
        if self.key is None:
            return None
        return rows.find_submission(session, self.reporter.client_id, self.reporter.sub, key_hash(self.key))

    def claim(self, session: Session, report_no: str, version: int) -> None:
        if self.key is None:
            return
        submission = Submission(
            client_id=self.reporter.client_id,
            sub=self.reporter.sub,
            key_hash=key_hash(self.key),
            body_digest=self.body_digest,
            report_no=report_no,
            version=version,
            created_at=self.now,
        )
        if not rows.claim_submission(session, submission):
            raise _Duplicate
        # A form's key is the name of its draft, which is over now.
        drafts.discard(session, self.key, self.reporter.sub)


@dataclass(frozen=True)
class _Later:
    """What a later act brings: its document, its reason, and the report in it, if it is one;
    ``expected_version`` is what the caller has seen.
    """

    report_no: str
    act: Act
    document: Mapping[str, Any]
    reason: str | None
    report: Report | None
    expected_version: int | None
    attachment_ids: tuple[str, ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        """What must be the same under the same key."""
        said = {
            "report_no": self.report_no,
            "act": self.act,
            "document": self.document,
            "reason": self.reason,
        }
        return _with_files(said, self.attachment_ids)


@dataclass(frozen=True)
class _First:
    """What the first act brings."""

    report: Report
    document: Mapping[str, Any]
    attachment_ids: tuple[str, ...]


def submit_initial(
    system: System,
    reporter: Reporter,
    report: Report,
    origin: Origin,
    key: str | None,
    now: datetime,
    attachment_ids: tuple[str, ...] = (),
) -> Accepted | KeyReused | Unattached:
    """Store an initial report and take those files into it; with a ``key`` (Idempotency-Key) at most once for
    this person at this client.
    """
    _must_be_own(report, reporter)
    document = report.model_dump(mode="json")
    first = _First(report, document, attachment_ids)
    keyed = _Keyed(reporter, key, _body_digest(system, _with_files(document, attachment_ids)), now)
    outcome = _once(system, keyed, lambda session: _store_first(system, session, first, origin, keyed))
    if isinstance(outcome, NotFound | Changed | NotNow):
        raise TypeError("a first report can only be accepted")
    return outcome


def first_sent_at(system: System, reporter: Reporter, key: str | None) -> datetime | None:
    """When this person at this client submitted something under that key."""
    if key is None:
        return None
    with system.database.reading() as session:
        known = rows.find_submission(session, reporter.client_id, reporter.sub, key_hash(key))
    return None if known is None else known.created_at


def submit_version(
    system: System,
    reporter: Reporter,
    report_no: str,
    act: Act,
    document: Part,
    origin: Origin,
    key: str | None,
    expected_version: int | None,
    now: datetime,
    attachment_ids: tuple[str, ...] = (),
) -> Accepted | Refused:
    """Store a later version: a supplement, a detailed report or the result of the investigation, and take
    those files into the report.

    ``expected_version`` is the version that the caller has seen (None: whatever it is now).
    """
    report = document if isinstance(document, Report) else None
    if report is not None:
        _must_be_own(report, reporter)
    said = document.model_dump(mode="json")
    later = _Later(report_no, act, said, None, report, expected_version, attachment_ids)
    return _store_later(system, reporter, later, origin, key, now)


def void(
    system: System,
    reporter: Reporter,
    report_no: str,
    reason: str,
    origin: Origin,
    key: str | None,
    expected_version: int | None,
    now: datetime,
) -> Accepted | Refused:
    """Withdraw a report before its review, for a reason."""
    later = _Later(report_no, Act.VOID, {}, reason, None, expected_version)
    return _store_later(system, reporter, later, origin, key, now)


def _once(
    system: System, keyed: _Keyed, store: Callable[[Session], Accepted | NotFound | Changed | NotNow]
) -> Accepted | Refused:
    """Do it, unless the key says that it is done."""
    outcome: Accepted | NotFound | Changed | NotNow | Unattached | None = None
    try:
        with system.database.transaction() as session:
            known = keyed.known(session)
            if known is None:
                outcome = store(session)
    except versions.Raced as raced:
        outcome = Changed(raced.version)
    except _NotClaimed as not_claimed:
        # Unless this very submission, sent twice, has them already.
        outcome = not_claimed.outcome
    except _Duplicate:
        pass
    if isinstance(outcome, Accepted | NotFound):
        return outcome
    # The one that came first may have been this very submission, sent twice.
    with system.database.reading() as session:
        known = keyed.known(session)
    if known is not None:
        same = known.body_digest == keyed.body_digest
        return Accepted(known.report_no, known.version) if same else KeyReused()
    if outcome is None:
        raise RuntimeError("a submission was there and is gone")
    return outcome


def _store_first(
    system: System,
    session: Session,
    first: _First,
    origin: Origin,
    keyed: _Keyed,
) -> Accepted:
    report_no = rows.next_report_no(session, keyed.now.astimezone(CHINA_TIME).date())
    keyed.claim(session, report_no, 1)
    row = _row(system, first.report, report_no, origin, keyed.now)
    session.add(row)
    document = first.document
    if first.attachment_ids:
        session.flush()
        document = _attached(system, session, document, row.id, first.attachment_ids, keyed)
    made = versions.Made(Act.INITIAL, document, None, versions.author_of(keyed.reporter, origin), keyed.now)
    version = versions.make(system, Link(report_no, 1, chain.FIRST), made)
    row.head_digest = version.digest
    session.flush()
    version.report_id = row.id
    session.add(version)
    rows.add_vehicles(session, row.id, summaries.vins(first.report))
    return Accepted(report_no)


def _attached(
    system: System,
    session: Session,
    document: Mapping[str, Any],
    report_id: int,
    attachment_ids: tuple[str, ...],
    keyed: _Keyed,
) -> Mapping[str, Any]:
    """The document with every file that the report has then; raises _NotClaimed."""
    if not document:
        return document
    entries = attachments.claim(system, session, attachment_ids, keyed.reporter, report_id, keyed.now)
    if isinstance(entries, Fault):
        raise _NotClaimed((entries,))
    return {**document, "attachments": entries} if entries else document


def _row(system: System, report: Report, report_no: str, origin: Origin, now: datetime) -> ReportRow:
    standing = measured(report.deadlines(system.settings.deadline_policy), now)
    return ReportRow(
        report_no=report_no,
        enterprise_credit_code=report.enterprise_credit_code,
        enterprise_name=origin.enterprise_name or None,
        status=Status.INITIAL_SUBMITTED,
        version=1,
        received_at=now,
        updated_at=now,
        **summaries.of(report),
        **summaries.standing_columns(standing),
    )


def _store_later(
    system: System, reporter: Reporter, later: _Later, origin: Origin, key: str | None, now: datetime
) -> Accepted | Refused:
    keyed = _Keyed(reporter, key, _body_digest(system, later.body), now)
    return _once(system, keyed, lambda session: _advance(system, session, later, origin, keyed))


def _advance(
    system: System, session: Session, later: _Later, origin: Origin, keyed: _Keyed
) -> Accepted | NotFound | Changed | NotNow:
    row = rows.find_report(session, later.report_no, keyed.reporter.enterprise_credit_code)
    if row is None:
        return NotFound()
    if later.expected_version not in (None, row.version):
        return Changed(row.version)
    status = next_status(Status(row.status), later.act, Side.ENTERPRISE, reason=later.reason)
    if isinstance(status, NotNow):
        return status
    keyed.claim(session, row.report_no, row.version + 1)
    vins, author = row.vins.split(), versions.author_of(keyed.reporter, origin)
    document = _attached(system, session, later.document, row.id, later.attachment_ids, keyed)
    if isinstance(later.report, DetailedReport) and (lacking := missing_files(later.act, document)):
        raise _NotClaimed(lacking)
    made = versions.Made(later.act, document, later.reason, author, keyed.now)
    version = versions.append(system, session, row, made, _changes(row, later, status, keyed.now))
    if later.report is not None and summaries.vins(later.report) != vins:
        rows.put_vehicles(session, row.id, summaries.vins(later.report))
    return Accepted(row.report_no, version.version)


def _changes(row: ReportRow, later: _Later, status: Status, now: datetime) -> dict[str, Any]:
    """The columns of the report's row that the act changes."""
    changes: dict[str, Any] = {"status": status}
    if later.report is not None:
        # Measured by the policy that the report began with.
        newest, detailed = later.report.deadlines(row.deadline_policy), later.act is Act.DETAILED
        standing = remeasured(summaries.standing_of(row), newest, now, detailed=detailed)
        changes |= summaries.of(later.report) | summaries.standing_columns(standing)
    if later.act is Act.FINAL:
        changes["final_received_at"] = now
    return changes


def _must_be_own(report: Report, reporter: Reporter) -> None:
    if report.enterprise_credit_code != reporter.enterprise_credit_code:
        raise ValueError("the report is not the reporter's enterprise's")


def _with_files(body: Mapping[str, Any], attachment_ids: tuple[str, ...]) -> dict[str, Any]:
    """A body with the files that it names; which ones they are is part of what was said."""
    return {**body, "attachment_ids": sorted(attachment_ids)} if attachment_ids else dict(body)


def _body_digest(system: System, body: Mapping[str, Any]) -> str:
    return system.fields.digest(canonical(body), "submissions.body")


def key_hash(key: str) -> str:
    """How an idempotency key is kept."""
    return hashlib.sha256(key.encode()).hexdigest()

"""Taking in reports and giving them out. Who may is decided in access; here it is a Reporter or a Reader."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from clients.rp.entitlement import Reader, Reporter
from clients.smdvs import masking
from clients.smdvs.report import CHINA_TIME, Report
from clients.smdvs.storage import reports as rows
from clients.smdvs.storage.reports import ReportRow, ReportVersion, Submission
from clients.smdvs.system import System
from clients.smdvs.vocabulary import Status


@dataclass(frozen=True)
class Origin:
    """How a submission came: ``browser`` or ``api``, and what the sign-in told of the person
    (may be empty).
    """

    channel: str
    reporter_name: str = ""
    enterprise_name: str = ""


@dataclass(frozen=True)
class Accepted:
    """The number of the stored report; the same again for a repeated submission."""

    report_no: str


@dataclass(frozen=True)
class KeyReused:
    """The idempotency key belongs to another body."""


@dataclass(frozen=True)
class Entry:
    """One submission in a report's history, as it may be shown."""

    version: ReportVersion
    reporter_name: str


@dataclass(frozen=True)
class ReportView:
    """A report as it may be shown: personal data masked, the history oldest first."""

    row: ReportRow
    document: dict[str, Any]
    history: Sequence[Entry]


@dataclass(frozen=True)
class Page:
    """One page of a list, and how many there are in all."""

    rows: Sequence[ReportRow]
    total: int
    number: int
    size: int

    @property
    def count(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))


class _Duplicate(Exception):
    """Another request with the same key was first: rolls the transaction back."""


def submit(
    system: System, reporter: Reporter, report: Report, origin: Origin, key: str | None, now: datetime
) -> Accepted | KeyReused:
    """Store an initial report; with a ``key`` (Idempotency-Key) at most once for this person at
    this client.
    """
    if report.enterprise_credit_code != reporter.enterprise_credit_code:
        raise ValueError("the report is not the reporter's enterprise's")
    body_digest = system.fields.digest(_canonical(report.model_dump(mode="json")), "submissions.body")
    try:
        with system.database.transaction() as session:
            known = _known(session, reporter, key)
            if known is None:
                return Accepted(_store(system, session, reporter, report, origin, key, body_digest, now))
    except _Duplicate:
        with system.database.reading() as session:
            known = _known(session, reporter, key)
    if known is None:
        raise RuntimeError("a submission was there and is gone")
    return Accepted(known.report_no) if known.body_digest == body_digest else KeyReused()


def list_page(system: System, reader: Reader, number: int, size: int) -> Page:
    """A page of what this person may read, newest first; ``number`` counts from 1."""
    with system.database.reading() as session:
        total = rows.count_reports(session, reader.enterprise_credit_code)
        found = rows.list_reports(session, reader.enterprise_credit_code, (number - 1) * size, size)
    return Page(found, total, number, size)


def find(system: System, reader: Reader, report_no: str) -> ReportView | None:
    """A report that this person may read; for one of another enterprise the answer is the same
    as for none.
    """
    with system.database.reading() as session:
        row = rows.find_report(session, report_no, reader.enterprise_credit_code)
        versions = rows.list_versions(session, row.id) if row is not None else []
    return _view(system, row, versions) if row is not None else None


def get_row(system: System, report_no: str) -> ReportRow:
    """The row of a report that is known to exist."""
    with system.database.reading() as session:
        return rows.get_report(session, report_no)


def _store(
    system: System,
    session: Session,
    reporter: Reporter,
    report: Report,
    origin: Origin,
    key: str | None,
    body_digest: str,
    now: datetime,
) -> str:
    report_no = rows.next_report_no(session, now.astimezone(CHINA_TIME).date())
    if key is not None and not rows.claim_submission(
        session, reporter.client_id, reporter.sub, _key_hash(key), body_digest, report_no, now
    ):
        raise _Duplicate
    row = _row(system, report, report_no, origin, now)
    session.add(row)
    session.flush()
    session.add(_version(system, row, reporter, report, origin, now))
    return report_no


def _known(session: Session, reporter: Reporter, key: str | None) -> Submission | None:
    if key is None:
        return None
    return rows.find_submission(session, reporter.client_id, reporter.sub, _key_hash(key))


def _row(system: System, report: Report, report_no: str, origin: Origin, now: datetime) -> ReportRow:
    due = report.deadlines(system.settings.deadline_policy)
    return ReportRow(
        report_no=report_no,
        enterprise_credit_code=report.enterprise_credit_code,
        enterprise_name=origin.enterprise_name or None,
        status=Status.INITIAL_SUBMITTED,
        accident_type=report.accident_type,
        province=report.place.province,
        city=report.place.city,
        vins=" ".join(vehicle.vin for vehicle in report.vehicles),
        deaths=report.deaths,
        injured=report.injured_heavy + report.injured_light,
        occurred_at=report.occurred_at,
        received_at=now,
        deadline_policy=due.policy.reference,
        deadline_class=due.deadline_class,
        due_at=due.initial_due_at,
        initial_overdue=due.missed_at(now),
    )


def _version(
    system: System, row: ReportRow, reporter: Reporter, report: Report, origin: Origin, now: datetime
) -> ReportVersion:
    document = report.model_dump(mode="json")
    context = f"report_versions:{row.report_no}:1"
    digest = system.fields.digest(_canonical(document), context)
    personal = {"reporter_name": origin.reporter_name, **_take_personal(document)}
    return ReportVersion(
        report_id=row.id,
        version=1,
        kind="initial",
        document=_canonical(document),
        personal_sealed=system.fields.seal(_canonical(personal), context),
        digest=digest,
        channel=origin.channel,
        client_id=reporter.client_id,
        sub=reporter.sub,
        account_type=reporter.account_type,
        enterprise_credit_code=reporter.enterprise_credit_code,
        handler_authorization_id=reporter.handler_authorization_id,
        received_at=now,
    )


def _take_personal(document: dict[str, Any]) -> dict[str, Any]:
    """Take what is about people out of the document: it rests sealed, apart from the rest."""
    owners = [
        {name: vehicle.pop(name) for name in ("owner_name", "owner_phone")}
        for vehicle in document["vehicles"]
    ]
    return {"reporter_phone": document.pop("reporter_phone"), "owners": owners}


def _view(system: System, row: ReportRow, versions: Sequence[ReportVersion]) -> ReportView:
    opened = [_personal(system, row, version) for version in versions]
    document = json.loads(versions[-1].document)
    _put_masked(document, opened[-1])
    history = [
        Entry(version, masking.name(personal["reporter_name"]))
        for version, personal in zip(versions, opened, strict=True)
    ]
    return ReportView(row, document, history)


def _personal(system: System, row: ReportRow, version: ReportVersion) -> dict[str, Any]:
    context = f"report_versions:{row.report_no}:{version.version}"
    opened: dict[str, Any] = json.loads(system.fields.open(version.personal_sealed, context))
    return opened


def _put_masked(document: dict[str, Any], personal: dict[str, Any]) -> None:
    document["reporter_phone"] = masking.phone(personal["reporter_phone"])
    for vehicle, owner in zip(document["vehicles"], personal["owners"], strict=True):
        vehicle["owner_name"] = masking.name(owner["owner_name"] or "") or None
        vehicle["owner_phone"] = masking.phone(owner["owner_phone"] or "") or None


def _canonical(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _key_hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()

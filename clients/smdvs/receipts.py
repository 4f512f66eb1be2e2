"""What was answered when an act was stored: worked out from the acts alone, so that it is the same whenever
it is asked for again, whatever has happened to the report since.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from clients.smdvs.answers import DeadlineAnswer, Receipt, Summary
from clients.smdvs.contents import Document
from clients.smdvs.deadlines import Deadlines, Measure, Standing, measured, remeasured
from clients.smdvs.lifecycle import CONTENT, Act, NotNow, Side, next_status
from clients.smdvs.storage import reports as rows
from clients.smdvs.storage.reports import ReportRow, ReportVersion
from clients.smdvs.system import System
from clients.smdvs.vocabulary import AccidentType, DeadlineClass, Status


def receipt(system: System, report_no: str, version: int) -> Receipt:
    """The receipt of an act that is stored; raises NoResultFound for one that isn't."""
    with system.database.reading() as session:
        row = rows.get_report(session, report_no)
        acts = [act for act in rows.list_versions(session, row.id) if act.version <= version]
    newest = next(act for act in reversed(acts) if act.kind in CONTENT)
    document: Document = json.loads(newest.document)
    last = acts[-1]
    return Receipt(
        report_no=report_no,
        version=version,
        status=_status(acts),
        enterprise_credit_code=row.enterprise_credit_code,
        accident_type=AccidentType(document["accident_type"]),
        vins=tuple(vehicle["vin"] for vehicle in document["vehicles"]),
        occurred_at=datetime.fromisoformat(document["occurred_at"]),
        received_at=acts[0].received_at,
        updated_at=last.received_at,
        deadline=_deadline(_standing(acts, row.deadline_policy)),
        kind=Act(last.kind),
        digest=last.digest,
    )


def summary(row: ReportRow) -> Summary:
    """A report as it stands now."""
    return Summary(
        report_no=row.report_no,
        version=row.version,
        status=Status(row.status),
        enterprise_credit_code=row.enterprise_credit_code,
        accident_type=AccidentType(row.accident_type),
        vins=tuple(row.vins.split()),
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        updated_at=row.updated_at or row.received_at,
        deadline=DeadlineAnswer(
            policy=row.deadline_policy,
            deadline_class=DeadlineClass(row.deadline_class),
            due_at=row.due_at,
            overdue=row.initial_overdue,
            detailed_due_at=row.detailed_due_at,
            detailed_received_at=row.detailed_received_at,
            detailed_overdue=row.detailed_overdue,
        ),
    )


def _status(acts: Sequence[ReportVersion]) -> Status:
    """Where the acts have led."""
    status: Status | None = None
    for act in acts:
        side = Side.REGULATOR if act.account_type == "regulator" else Side.ENTERPRISE
        led = next_status(status, Act(act.kind), side, reason=act.reason)
        status = status if isinstance(led, NotNow) else led
    if status is None:
        raise ValueError("a report without its first act")
    return status


def _standing(acts: Sequence[ReportVersion], policy: str) -> Standing:
    first, *later = [act for act in acts if act.kind in CONTENT]
    standing = measured(_deadlines(first, policy), first.received_at)
    for act in later:
        newest, detailed = _deadlines(act, policy), act.kind == Act.DETAILED
        standing = remeasured(standing, newest, act.received_at, detailed=detailed)
    return standing


def _deadlines(act: ReportVersion, policy: str) -> Deadlines:
    document: Document = json.loads(act.document)
    return Measure(policy).deadlines(
        datetime.fromisoformat(document["occurred_at"]),
        document["deaths"],
        document["injured_heavy"] + document["injured_light"],
        document["major_social_impact"],
    )


def _deadline(standing: Standing) -> DeadlineAnswer:
    due = standing.deadlines
    return DeadlineAnswer(
        policy=due.policy.reference,
        deadline_class=due.deadline_class,
        due_at=due.initial_due_at,
        overdue=standing.initial_overdue,
        detailed_due_at=due.detailed_due_at,
        detailed_received_at=standing.detailed_received_at,
        detailed_overdue=standing.detailed_overdue,
    )

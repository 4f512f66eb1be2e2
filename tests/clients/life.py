"""A report brought to any point of its life, past the pages."""

from __future__ import annotations

from typing import Any

from clients.rp import clock
from clients.rp.entitlement import Reporter
from clients.smdvs import attachments, reviews, submissions
from clients.smdvs.access import Reviewer
from clients.smdvs.attachments import Kept, Upload
from clients.smdvs.detailed import FinalResult
from clients.smdvs.documents import report_from_json
from clients.smdvs.lifecycle import NEEDS_REASON, Act
from clients.smdvs.report import Report
from clients.smdvs.submissions import Accepted
from clients.smdvs.system import System
from clients.smdvs.tickets import Owner
from clients.smdvs.versions import Origin
from clients.smdvs.vocabulary import RecallIntention, Responsibility, RootCause, Status
from tests.clients.documents import report_json
from tests.clients.files import pdf, picture
from tests.clients.provider import ENTERPRISE

REPORTER = Reporter("person-1", "smdvs", "handler", ENTERPRISE, "authorization-1")
REVIEWER = Reviewer("regulator-1", "smdvs")
ORIGIN = Origin("browser", "李示例", "示例新能源汽车有限公司")

# The acts that lead to each status.
WAYS: dict[Status, tuple[Act, ...]] = {
    Status.INITIAL_SUBMITTED: (Act.INITIAL,),
    Status.SUPPLEMENTED: (Act.INITIAL, Act.SUPPLEMENT),
    Status.DETAILED_SUBMITTED: (Act.INITIAL, Act.DETAILED),
    Status.UNDER_REVIEW: (Act.INITIAL, Act.DETAILED, Act.REVIEW),
    Status.RETURNED: (Act.INITIAL, Act.DETAILED, Act.REVIEW, Act.RETURN),
    Status.ACCEPTED: (Act.INITIAL, Act.DETAILED, Act.REVIEW, Act.ACCEPT),
    Status.INVESTIGATING: (Act.INITIAL, Act.DETAILED, Act.REVIEW, Act.ACCEPT, Act.INVESTIGATE),
    Status.CLOSED: (Act.INITIAL, Act.DETAILED, Act.REVIEW, Act.ACCEPT, Act.FINAL, Act.CLOSE),
    Status.VOIDED: (Act.INITIAL, Act.VOID),
}
OF_REGULATOR = frozenset({Act.REVIEW, Act.ACCEPT, Act.RETURN, Act.INVESTIGATE, Act.CLOSE})


FINDING = FinalResult(
    root_cause=RootCause.BATTERY,
    root_cause_note=(
        "拆解检测发现第 3 模组 12 号电芯极耳焊接虚焊，充电末段局部过热引发热失控，"
        "与后台温度曲线和现场痕迹一致，排除外部火源和充电设施原因。"
    ),
    responsibility=Responsibility.SUPPLIER,
    responsibility_note="电芯供应商的焊接工序失控",
    corrective_action="封存同批次电池包，逐台检测后更换，修订来料检验规范。",
    recall_intention=RecallIntention.UNDER_ASSESSMENT,
)


def brought_to(system: System, status: Status, reporter: Reporter = REPORTER, **changes: Any) -> str:
    """The number of a new report in that status; ``changes`` are of its content."""
    report_no = ""
    for act in WAYS[status]:
        report_no = act_on(system, report_no, act, reporter, **changes)
    return report_no


def act_on(system: System, report_no: str, act: Act, reporter: Reporter = REPORTER, **changes: Any) -> str:
    """One more act, by whom it belongs to; returns the report's number."""
    now = clock.now()
    reason = "请补充车辆铭牌照片" if act in NEEDS_REASON else None
    outcome: object
    if act in OF_REGULATOR:
        outcome = reviews.carry_out(system, REVIEWER, "周示例", report_no, act, reason, None, now)
    elif act is Act.VOID:
        outcome = submissions.void(system, reporter, report_no, reason or "", ORIGIN, None, None, now)
    elif act is Act.INITIAL:
        outcome = submissions.submit_initial(system, reporter, report(**changes), ORIGIN, None, now)
    else:
        document = FINDING if act is Act.FINAL else report(**changes)
        outcome = submissions.submit_version(
            system, reporter, report_no, act, document, ORIGIN, None, None, now
        )
    assert isinstance(outcome, Accepted), outcome
    return outcome.report_no


def files(system: System, reporter: Reporter = REPORTER) -> tuple[str, ...]:
    """The ids of new files of that person: all that a detailed report needs."""
    owner = Owner(reporter.sub, reporter.enterprise_credit_code)
    needed = (("现场.png", picture(), "site_photo"), ("调查报告.pdf", pdf(), "investigation_report"))
    return tuple(_kept(system, owner, Upload(name, content), kind) for name, content, kind in needed)


def _kept(system: System, owner: Owner, upload: Upload, kind: str) -> str:
    kept = attachments.keep_upload(system, owner, None, upload, kind, clock.now())
    assert isinstance(kept, Kept), kept
    return kept.id


def report(**changes: Any) -> Report:
    """A report that is right."""
    made = report_from_json(report_json(**changes), clock.now())
    assert isinstance(made, Report), made
    return made

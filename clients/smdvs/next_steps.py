"""What whoever looks at a report does next: one step, or nothing but waiting, and what else they could do.

The step is always one that lifecycle allows; a test holds both tables against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from clients.smdvs.lifecycle import Act, Side, possible
from clients.smdvs.vocabulary import Status

_S = Status


@dataclass(frozen=True)
class NextStep:
    """``primary`` is the one act that moves the report on, None while somebody else must act; ``others`` are
    the acts that are possible besides, ``words`` say it in a sentence, ``short`` in a list's column.
    """

    primary: Act | None
    others: tuple[Act, ...]
    words: str
    short: str


class Stage(StrEnum):
    """The stages of the status bar, in the order in which a report passes them."""

    INITIAL = "initial"
    DETAILED = "detailed"
    REVIEW = "review"
    ACCEPTED = "accepted"
    CLOSED = "closed"


class Reached(StrEnum):
    """How far a stage is: passed, where the report stands, asked for again, cut off, or still to come."""

    DONE = "done"
    NOW = "now"
    BACK = "back"
    VOID = "void"
    LATER = "later"


_ENTERPRISE: Mapping[Status, tuple[Act | None, str, str]] = {
    _S.INITIAL_SUBMITTED: (
        Act.DETAILED,
        "快报已收到。请在时限内查明情况并提交详报；有新情况的，可以先续报。",
        "提交详报",
    ),
    _S.SUPPLEMENTED: (
        Act.DETAILED,
        "续报已收到。请在时限内提交详报；有新情况的，可以再次续报。",
        "提交详报",
    ),
    _S.DETAILED_SUBMITTED: (
        None,
        "详报已收到，等待监管部门审核。审核开始前，您可以再次提交详报来替换。",
        "等待审核",
    ),
    _S.UNDER_REVIEW: (None, "监管部门正在审核，暂时不需要您办理。", "等待审核结果"),
    _S.RETURNED: (Act.DETAILED, "监管部门要求补正。请按退回原因修改详报后重新提交。", "补正详报"),
    _S.ACCEPTED: (Act.FINAL, "上报已受理。调查结束后，请提交调查结果，监管部门据此结案。", "提交调查结果"),
    _S.INVESTIGATING: (
        Act.FINAL,
        "监管部门正在组织深度调查。请配合调查，查明原因后提交调查结果。",
        "提交调查结果",
    ),
    _S.CLOSED: (None, "本次上报已结案，不需要再办理。", "已办结"),
    _S.VOIDED: (None, "本次上报已作废，不再办理。事故确需上报的，请重新填报。", "已作废"),
}
_REGULATOR: Mapping[Status, tuple[Act | None, str, str]] = {
    _S.INITIAL_SUBMITTED: (None, "企业已快报，等待企业提交详报。", "等待详报"),
    _S.SUPPLEMENTED: (None, "企业已续报，等待企业提交详报。", "等待详报"),
    _S.DETAILED_SUBMITTED: (Act.REVIEW, "企业已提交详报，等待审核。", "开始审核"),
    _S.UNDER_REVIEW: (
        Act.ACCEPT,
        "请核对事故情况、车辆信息和附件。内容齐全的予以受理，需要补正的写明原因退回。",
        "受理或退回",
    ),
    _S.RETURNED: (None, "已退回企业，等待企业补正详报。", "等待补正"),
    _S.ACCEPTED: (Act.CLOSE, "企业已提交调查结果，核对后可以结案。", "结案"),
    _S.INVESTIGATING: (Act.CLOSE, "深度调查已有结果，核对后可以结案。", "结案"),
    _S.CLOSED: (None, "本次上报已结案。", "已办结"),
    _S.VOIDED: (None, "本次上报已作废。", "已作废"),
}
_TABLES = {Side.ENTERPRISE: _ENTERPRISE, Side.REGULATOR: _REGULATOR}
_RESULT_IN = (None, "调查结果已收到，等待监管部门结案。有更正的，可以再次提交。", "等待结案")
_RESULT_MISSING = {
    _S.ACCEPTED: (None, "已受理，等待企业提交调查结果；情况复杂的可以转入深度调查。", "等待调查结果"),
    _S.INVESTIGATING: (None, "正在深度调查，等待企业提交调查结果。", "等待调查结果"),
}

_REACHED: Mapping[Status, tuple[Stage, Reached]] = {
    _S.INITIAL_SUBMITTED: (Stage.DETAILED, Reached.NOW),
    _S.SUPPLEMENTED: (Stage.DETAILED, Reached.NOW),
    _S.DETAILED_SUBMITTED: (Stage.REVIEW, Reached.NOW),
    _S.UNDER_REVIEW: (Stage.REVIEW, Reached.NOW),
    _S.RETURNED: (Stage.DETAILED, Reached.BACK),
    _S.ACCEPTED: (Stage.CLOSED, Reached.NOW),
    _S.INVESTIGATING: (Stage.CLOSED, Reached.NOW),
}


_BUTTONS = {
    Act.SUPPLEMENT: "续报",
    Act.DETAILED: "提交详报",
    Act.FINAL: "提交调查结果",
    Act.REVIEW: "开始审核",
    Act.ACCEPT: "受理",
    Act.RETURN: "退回补正",
    Act.INVESTIGATE: "转入深度调查",
    Act.CLOSE: "结案",
    Act.VOID: "作废",
}


def button(act: Act, status: Status, *, has_final: bool = False) -> str:
    """What is written on the button of an act."""
    if act is Act.DETAILED and status in (_S.RETURNED, _S.DETAILED_SUBMITTED):
        return "补正详报" if status is _S.RETURNED else "更新详报"
    return "更新调查结果" if act is Act.FINAL and has_final else _BUTTONS[act]


def next_step(status: Status, side: Side, *, has_final: bool) -> NextStep:
    """What that side does next to a report; ``has_final``: whether a 调查结果 is on file."""
    primary, words, short = _row(status, side, has_final=has_final)
    acts = possible(status, side, has_final=has_final)
    return NextStep(primary, tuple(act for act in acts if act is not primary), words, short)


def stages(status: Status, passed: frozenset[Act]) -> tuple[tuple[Stage, Reached], ...]:
    """The status bar. ``passed`` are the acts of the report's history: they tell where a void one was cut."""
    if status is Status.CLOSED:
        return tuple((stage, Reached.DONE) for stage in Stage)
    at, how = _REACHED.get(status) or (_cut(passed), Reached.VOID)
    position = list(Stage).index(at)
    return tuple(
        (stage, Reached.DONE if index < position else how if index == position else Reached.LATER)
        for index, stage in enumerate(Stage)
    )


def _row(status: Status, side: Side, *, has_final: bool) -> tuple[Act | None, str, str]:
    if status not in _RESULT_MISSING:
        return _TABLES[side][status]
    if side is Side.ENTERPRISE:
        return _RESULT_IN if has_final else _ENTERPRISE[status]
    return _REGULATOR[status] if has_final else _RESULT_MISSING[status]


def _cut(passed: frozenset[Act]) -> Stage:
    """Where a report that was declared void had come to."""
    if Act.ACCEPT in passed:
        return Stage.CLOSED
    return Stage.REVIEW if Act.DETAILED in passed else Stage.DETAILED

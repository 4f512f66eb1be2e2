"""The life of a report (domain: status lifecycle): which act is possible when, by whom, and what it leads to.

A draft is not part of it: a report begins with its 快报. ``version`` of a report counts its acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from clients.smdvs.vocabulary import Status


class Side(StrEnum):
    """Who acts: the enterprise that reports, or the regulator who reads."""

    ENTERPRISE = "enterprise"
    REGULATOR = "regulator"


class Act(StrEnum):
    """What can be done to a report. Each act is one version of it."""

    INITIAL = "initial"
    SUPPLEMENT = "supplement"
    DETAILED = "detailed"
    FINAL = "final"
    REVIEW = "review"
    ACCEPT = "accept"
    RETURN = "return"
    INVESTIGATE = "investigate"
    CLOSE = "close"
    VOID = "void"


# The acts that bring a report's content, and so can be what a report says now.
CONTENT = frozenset({Act.INITIAL, Act.SUPPLEMENT, Act.DETAILED})
NEEDS_REASON = frozenset({Act.RETURN, Act.VOID})

_S = Status
_ENTERPRISE: Mapping[Status | None, Mapping[Act, Status]] = {
    None: {Act.INITIAL: _S.INITIAL_SUBMITTED},
    _S.INITIAL_SUBMITTED: {
        Act.SUPPLEMENT: _S.SUPPLEMENTED,
        Act.DETAILED: _S.DETAILED_SUBMITTED,
        Act.VOID: _S.VOIDED,
    },
    _S.SUPPLEMENTED: {
        Act.SUPPLEMENT: _S.SUPPLEMENTED,
        Act.DETAILED: _S.DETAILED_SUBMITTED,
        Act.VOID: _S.VOIDED,
    },
    # Until the regulator begins to read, a better detailed report takes the place of a worse one.
    _S.DETAILED_SUBMITTED: {Act.DETAILED: _S.DETAILED_SUBMITTED, Act.VOID: _S.VOIDED},
    _S.RETURNED: {Act.DETAILED: _S.DETAILED_SUBMITTED},
    _S.ACCEPTED: {Act.FINAL: _S.ACCEPTED},
    _S.INVESTIGATING: {Act.FINAL: _S.INVESTIGATING},
}
_REGULATOR: Mapping[Status | None, Mapping[Act, Status]] = {
    _S.INITIAL_SUBMITTED: {Act.VOID: _S.VOIDED},
    _S.SUPPLEMENTED: {Act.VOID: _S.VOIDED},
    _S.DETAILED_SUBMITTED: {Act.REVIEW: _S.UNDER_REVIEW, Act.VOID: _S.VOIDED},
    _S.UNDER_REVIEW: {Act.ACCEPT: _S.ACCEPTED, Act.RETURN: _S.RETURNED, Act.VOID: _S.VOIDED},
    _S.RETURNED: {Act.VOID: _S.VOIDED},
    _S.ACCEPTED: {Act.INVESTIGATE: _S.INVESTIGATING, Act.CLOSE: _S.CLOSED, Act.VOID: _S.VOIDED},
    _S.INVESTIGATING: {Act.CLOSE: _S.CLOSED, Act.VOID: _S.VOIDED},
}
_TRANSITIONS = {Side.ENTERPRISE: _ENTERPRISE, Side.REGULATOR: _REGULATOR}


@dataclass(frozen=True)
class NotNow:
    """The act is not possible: ``code`` is ``act_not_possible``, ``reason_missing`` or ``final_missing``."""

    code: str
    status: Status | None
    act: Act


def possible(status: Status | None, side: Side, *, has_final: bool = True) -> tuple[Act, ...]:
    """What that side can do to a report in this status, in the order of the transitions.

    ``has_final``: whether a 调查结果 is on file, without which a report is not closed.
    """
    acts = _TRANSITIONS[side].get(status, {})
    return tuple(act for act in acts if has_final or act is not Act.CLOSE)


def next_status(
    status: Status | None, act: Act, side: Side, *, reason: str | None = None, has_final: bool = True
) -> Status | NotNow:
    """Where the act leads. ``status`` None is a report that isn't there yet."""
    leads_to = _TRANSITIONS[side].get(status, {}).get(act)
    if leads_to is None:
        return NotNow("act_not_possible", status, act)
    if act in NEEDS_REASON and not (reason or "").strip():
        return NotNow("reason_missing", status, act)
    if act is Act.CLOSE and not has_final:
        return NotNow("final_missing", status, act)
    return leads_to

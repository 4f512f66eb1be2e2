"""What the JSON API answers: these models build the answers, and the OpenAPI document is made from them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from clients.smdvs.lifecycle import Act
from clients.smdvs.vocabulary import AccidentType, DeadlineClass, Status


def _in_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


Moment = Annotated[
    datetime,
    PlainSerializer(_in_utc, return_type=Annotated[str, Field(json_schema_extra={"format": "date-time"})]),
]


class Answer(BaseModel):
    """What all answers share: nothing is in them that isn't declared."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class DeadlineAnswer(Answer):
    """上报时限. ``overdue`` is about the initial report."""

    policy: str
    deadline_class: Annotated[DeadlineClass, Field(alias="class")]
    due_at: Moment
    overdue: bool
    detailed_due_at: Moment | None
    detailed_received_at: Moment | None
    detailed_overdue: bool | None


class Summary(Answer):
    """一份上报的概要. ``version`` counts its acts and is its ETag."""

    report_no: str
    version: int
    status: Status
    enterprise_credit_code: str
    accident_type: AccidentType
    vins: tuple[str, ...]
    occurred_at: Moment
    received_at: Moment
    updated_at: Moment
    deadline: DeadlineAnswer


class Receipt(Summary):
    """回执: the report as it stood when this act had been stored, the same however often it is asked for."""

    kind: Act
    digest: str


class ReportList(Answer):
    """一页上报. ``total`` is exact unless there are ``more``."""

    reports: tuple[Summary, ...]
    page: int
    per_page: int
    total: int
    more: bool


class HistoryEntry(Answer):
    """一次办理: who did what when, for which enterprise, resting on what."""

    version: int
    kind: Act
    channel: str
    client_id: str
    submitted_by: str
    account_type: str
    enterprise_credit_code: str
    handler_authorization_id: str | None
    received_at: Moment
    reason: str | None
    digest: str
    previous_digest: str | None


class WholeReport(Summary):
    """上报全文: the newest content, the result of the investigation if there is one, and the history.

    ``chain_intact`` says whether the digests of the history fit together and to what they are of.
    """

    report: dict[str, Any]
    result: dict[str, Any] | None
    history: tuple[HistoryEntry, ...]
    chain_intact: bool


class VersionList(Answer):
    """全部版本, oldest first."""

    report_no: str
    versions: tuple[HistoryEntry, ...]


class VersionAnswer(HistoryEntry):
    """一个版本 with what was said in it; empty for an act that says nothing."""

    report_no: str
    document: dict[str, Any]


class FaultAnswer(Answer):
    """一处错误: ``pointer`` is a JSON pointer (RFC 6901) into the body, or the name of a parameter."""

    pointer: str
    code: str
    field: str
    detail: str


class Problem(BaseModel):
    """RFC 9457 问题说明. ``field`` is the first thing at fault: a JSON pointer, a header or a parameter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
    reason: str | None = None
    error_description: str | None = None
    errors: tuple[FaultAnswer, ...] | None = None
    current_version: int | None = None
    report_status: Status | None = None
    possible: tuple[Act, ...] | None = None


def etag(version: int) -> str:
    """The entity tag of a version (RFC 9110 §8.8.3)."""
    return f'"{version}"'


def private(answer: Answer, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The answer, for this caller alone."""
    text = answer.model_dump_json(by_alias=True)
    own = {"Cache-Control": "no-store", "Vary": "Authorization"}
    return Response(text, status, mimetype="application/json", headers={**own, **(headers or {})})

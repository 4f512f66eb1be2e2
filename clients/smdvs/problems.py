"""Answers of the JSON API when it says no: RFC 9457 problem details, with RFC 6750 challenges."""

from __future__ import annotations

from typing import Any

from flask import Response

from clients.rp.challenges import challenges
from clients.rp.errors import Refusal
from clients.smdvs import messages
from clients.smdvs.answers import FaultAnswer, Problem
from clients.smdvs.documents import Fault

REALM = "smdvs"


def problem(status: int, code: str, detail: str, **members: Any) -> Response:
    """A problem of that code. ``title`` is English and constant for the code, ``detail`` says
    it in Chinese.
    """
    body = Problem(
        type=f"urn:smdvs:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        code=code,
        detail=detail,
        **members,
    )
    text = body.model_dump_json(exclude_none=True)
    return Response(text, status, mimetype="application/problem+json", headers={"Cache-Control": "no-store"})


def refused(refusal: Refusal, pointer: str | None = None) -> Response:
    """401 or 403 with the challenge of RFC 6750 §3, the reason in ``error_description``.

    ``pointer`` is where the body names the enterprise.
    """
    field = {"field": pointer} if pointer and refusal.reason == "enterprise_mismatch" else {}
    response = problem(
        refusal.status,
        refusal.error or "authentication_required",
        messages.reason_text(refusal.reason),
        reason=refusal.reason,
        error_description=refusal.description,
        **field,
    )
    for challenge in challenges(refusal, REALM):
        response.headers.add("WWW-Authenticate", challenge)
    return response


def not_found() -> Response:
    """404, the same for another enterprise's report as for none."""
    return problem(404, "not_found", "没有这份上报，或它不属于您的企业")


def invalid_report(faults: tuple[Fault, ...]) -> Response:
    """422 with every fault, each with its field; ``field`` is the first."""
    return _faulty(422, "invalid_report", faults, tuple(fault.pointer for fault in faults))


def invalid_parameters(faults: tuple[Fault, ...]) -> Response:
    """400 with every parameter of the query that is wrong."""
    return _faulty(400, "invalid_parameter", faults, tuple(fault.name for fault in faults))


def _faulty(status: int, code: str, faults: tuple[Fault, ...], pointers: tuple[str, ...]) -> Response:
    errors = tuple(
        FaultAnswer(
            pointer=pointer,
            code=fault.code,
            field=messages.field_label(fault),
            detail=messages.fault_text(fault),
        )
        for fault, pointer in zip(faults, pointers, strict=True)
    )
    detail = f"{errors[0].field}：{errors[0].detail}"
    return problem(status, code, detail, field=pointers[0], errors=errors)

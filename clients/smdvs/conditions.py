"""What a request of the JSON API says beside its token: body, idempotency key, preconditions, page."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from flask import Response, abort, request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from clients.smdvs import answers, documents, filters, problems
from clients.smdvs.documents import Fault
from clients.smdvs.filters import Filters
from clients.smdvs.messages import BODY_FAULTS

IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH = "Idempotency-Key", "If-Match", "If-None-Match"
PAGE_SIZE, MAX_PAGE_SIZE = 50, 200
MAX_PAGE = 100_000
MAX_KEY = 255
NO_VERSION = 0


def _digits(value: Any) -> Any:
    """Plain decimal digits: Python would read others too."""
    return value if isinstance(value, str) and value.isascii() and value.isdecimal() else "?"


class Paging(BaseModel):
    """Which page of a list; pages count from 1."""

    model_config = ConfigDict(frozen=True)

    page: Annotated[int, BeforeValidator(_digits), Field(ge=1, le=MAX_PAGE)] = 1
    per_page: Annotated[int, BeforeValidator(_digits), Field(ge=1, le=MAX_PAGE_SIZE)] = PAGE_SIZE


def paging() -> Paging:
    """The page asked for; answers with the problem otherwise."""
    given = {name: request.args[name] for name in Paging.model_fields if name in request.args}
    try:
        return Paging.model_validate(given)
    except ValidationError as error:
        entry = error.errors(include_url=False, include_input=False)[0]
        abort(problems.invalid_parameters((Fault(entry["loc"], entry["type"], entry.get("ctx", {})),)))


def asked_filters() -> Filters:
    """The filters asked for; answers with the problem when one is wrong."""
    asked = filters.read(request.args.getlist)
    if asked.faults:
        abort(problems.invalid_parameters(asked.faults))
    return asked.filters


def links(base: str, narrowed: Filters, wanted: Paging, count: int, *, more: bool) -> str:
    """The ``Link`` header of a page (RFC 8288): first, prev, next, and last where it is known."""
    pages = {"first": 1}
    if wanted.page > 1:
        pages["prev"] = min(wanted.page - 1, count)
    if wanted.page < count or more:
        pages["next"] = wanted.page + 1
    if not more:
        pages["last"] = count
    own = {"per_page": wanted.per_page}
    return ", ".join(
        f'<{base}?{urlencode([*narrowed.parameters(), ("page", page), *own.items()])}>; rel="{rel}"'
        for rel, page in pages.items()
    )


def idempotency_key() -> str | None:
    """The key of this POST, if it has one; answers with the problem when it is none."""
    keys = request.headers.getlist(IDEMPOTENCY_KEY)
    if not keys:
        return None
    if len(keys) > 1 or not 0 < len(keys[0]) <= MAX_KEY or not keys[0].isascii() or not keys[0].isprintable():
        detail = f"Idempotency-Key 应为 1 至 {MAX_KEY} 个可见 ASCII 字符"
        abort(problems.problem(400, "invalid_idempotency_key", detail, field=IDEMPOTENCY_KEY))
    return keys[0]


def json_body() -> dict[str, Any]:
    """The body's JSON object; answers with the problem otherwise."""
    if request.mimetype != "application/json":
        abort(problems.problem(415, "unsupported_media_type", "请求内容应为 application/json"))
    try:
        return documents.parse_json(request.get_data())
    except documents.NotJson as error:
        abort(problems.problem(400, error.code, BODY_FAULTS[error.code]))


def known_version(current: int) -> int | None:
    """The version that the caller has seen, by ``If-Match`` (RFC 9110 §13.1.1): None for any, NO_VERSION for
    one that never was. Answers 428 when there is no such header (RFC 6585 §3).
    """
    if IF_MATCH not in request.headers:
        detail = "请在 If-Match 请求头中给出您所依据的版本（查询时答复的 ETag）"
        abort(problems.problem(428, "precondition_required", detail, field=IF_MATCH))
    tags = request.if_match
    if tags.star_tag:
        return None
    numbers = {int(tag) for tag in tags.as_set() if tag.isascii() and tag.isdecimal() and len(tag) < 10}
    if len(numbers) == 1:
        return numbers.pop()
    return current if current in numbers else NO_VERSION


def not_modified(version: int) -> Response | None:
    """304 when the caller has this version already (``If-None-Match``, RFC 9110 §13.1.2)."""
    tag = answers.etag(version)
    if IF_NONE_MATCH in request.headers and request.if_none_match.contains_weak(str(version)):
        return Response(
            status=304, headers={"ETag": tag, "Cache-Control": "no-store", "Vary": "Authorization"}
        )
    return None

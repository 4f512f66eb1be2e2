"""The API's OpenAPI 3.1 document, made from the declarations that serve, check and answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from clients.smdvs.answers import Problem
from clients.smdvs.conditions import IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, MAX_KEY
from clients.smdvs.config import Settings
from clients.smdvs.labels import FIELDS
from clients.smdvs.operations import OPERATIONS, Body, Operation
from clients.smdvs.report import CHINA_TIME, Report
from clients.smdvs.retention import IDEMPOTENCY_KEYS

REFERENCE = "#/components/schemas/{model}"
HEADERS: dict[str, dict[str, Any]] = {
    IDEMPOTENCY_KEY: {
        "description": f"同一键与同一内容在 {IDEMPOTENCY_KEYS.days} 天内得到同一答复",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
    },
    IF_MATCH: {"required": True, "schema": {"type": "string"}, "example": '"1"'},
    IF_NONE_MATCH: {"schema": {"type": "string"}, "example": '"1"'},
    "ETag": {"schema": {"type": "string"}, "example": '"1"'},
    "Link": {"schema": {"type": "string"}},
    "Location": {"schema": {"type": "string", "format": "uri"}},
}

_EXAMPLE = {
    "enterprise_credit_code": "91990101MADEM00117",
    "reporter_phone": "19900000001",
    "accident_type": "fire",
    "place": {"province": "110000", "city": "示例区", "address": "示例路 1 号充电站"},
    "site_type": "charging_station",
    "vehicle_state": "charging",
    "vehicles": [
        {
            "vin": "LTEST00A0R1000001",
            "brand": "示例",
            "model": "SL7000BEV",
            "vehicle_class": "passenger",
            "energy_type": "bev",
            "odometer_km": 12345.6,
            "battery": {
                "cell_maker": "样板动力电池有限公司",
                "pack_maker": "样板动力电池有限公司",
                "battery_type": "lfp",
            },
        }
    ],
    "fire_locations": ["battery_pack"],
    "narrative": "车辆充电约 40 分钟后底部冒烟，随后起火，现场人员断电并报警，消防到场后扑灭。",
    "deaths": 0,
    "injured_heavy": 0,
    "injured_light": 0,
    "property_loss": 80000,
    "major_social_impact": False,
    "preliminary_cause": "under_investigation",
}


def example(now: datetime) -> dict[str, Any]:
    """A report that would be accepted now, of an enterprise of the demonstration data."""
    moments = {"occurred_at": now - timedelta(hours=3), "learned_at": now - timedelta(hours=2)}
    return _EXAMPLE | {
        name: moment.astimezone(CHINA_TIME).isoformat(timespec="seconds") for name, moment in moments.items()
    }


def document(settings: Settings, now: datetime) -> dict[str, Any]:
    """The whole document for this installation."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "新能源汽车事故上报平台", "version": "1"},
        "servers": [{"url": settings.resource}],
        "paths": _paths(now),
        "components": {"schemas": schemas(), "securitySchemes": _security_schemes(settings)},
    }


def _paths(now: datetime) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, now)
    return paths


def _described(operation: Operation, now: datetime) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": [] if operation.scope is None else [{"platform": [operation.scope]}],
        "parameters": _parameters(operation),
        "responses": _responses(operation),
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body is not None:
        described["requestBody"] = _request_body(operation.body, now)
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    text = {"type": "string"}
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    known = schemas_of(operation.query, "validation")
    in_query = [
        {"name": name, "in": "query", "schema": schema}
        for model in operation.query
        for name, schema in known[model.__name__]["properties"].items()
    ]
    in_header = [{"name": name, "in": "header", **HEADERS[name]} for name in operation.request_headers]
    return in_path + in_query + in_header


def _request_body(body: Body, now: datetime) -> dict[str, Any]:
    if not body.models:
        return {"required": True, "content": {body.media_type: {}}}
    content: dict[str, Any] = {"schema": _one_of([_reference(model.__name__) for model in body.models])}
    if all(issubclass(model, Report) for model in body.models):
        content["example"] = example(now)
    return {"required": True, "content": {body.media_type: content}}


def _responses(operation: Operation) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": operation.summary}
    if operation.answer is not None:
        answer["content"] = {operation.media_type: {"schema": _reference(operation.answer.__name__)}}
    elif operation.status != 204:
        answer["content"] = {operation.media_type: {}}
    if operation.answer_headers:
        answer["headers"] = {name: HEADERS[name] for name in operation.answer_headers}
    responses = {str(operation.status): answer}
    if operation.not_modified:
        responses["304"] = {"description": "与 If-None-Match 给出的版本相同"}
    problem = {"application/problem+json": {"schema": _reference(Problem.__name__)}}
    for status in operation.refusals:
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    return responses


@cache
def schemas() -> dict[str, Any]:
    """Every schema that the operations name, and what those are made of."""
    said = tuple(model for each in OPERATIONS if each.body for model in each.body.models)
    asked = tuple(model for each in OPERATIONS for model in each.query)
    given = tuple(each.answer for each in OPERATIONS if each.answer)
    found = schemas_of(asked + said, "validation") | schemas_of((*given, Problem), "serialization") | _shown()
    for name in {model.__name__ for model in asked}:
        found.pop(name)
    for schema in found.values():
        _name_members(schema)
    found["WholeReport"]["properties"]["report"] = _reference("ShownReport")
    return found


def schemas_of(models: Iterable[type[BaseModel]], mode: JsonSchemaMode) -> dict[str, Any]:
    """The schemas of these models and their parts, by name."""
    _, found = models_json_schema([(model, mode) for model in models], ref_template=REFERENCE)
    return dict(found.get("$defs", {}))


def _shown() -> dict[str, Any]:
    """A report as it is shown: amounts are text, and what is about people is masked."""
    found = schemas_of([Report], "serialization")
    renamed = {name for name, schema in found.items() if schema["type"] == "object"}
    text = json.dumps(found)
    for name in renamed:
        text = text.replace(f'{REFERENCE.format(model=name)}"', f'{REFERENCE.format(model=f"Shown{name}")}"')
    shown: dict[str, Any] = {
        f"Shown{name}": schema for name, schema in json.loads(text).items() if name in renamed
    }
    shown["ShownReport"]["properties"]["reporter_phone"] = {"type": "string"}
    for name in ("owner_name", "owner_phone"):
        shown["ShownVehicle"]["properties"][name] = {"type": ["string", "null"]}
    return shown


def _name_members(schema: dict[str, Any]) -> None:
    """The Chinese name of each member that has one; pydantic's own are the code with spaces."""
    for name, member in schema.get("properties", {}).items():
        member.pop("title", None)
        if name in FIELDS:
            member["title"] = FIELDS[name]


def _one_of(references: list[dict[str, str]]) -> dict[str, Any]:
    return references[0] if len(references) == 1 else {"oneOf": references}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=name)}


def _security_schemes(settings: Settings) -> dict[str, Any]:
    discovery = settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
    return {"platform": {"type": "openIdConnect", "openIdConnectUrl": discovery}}

"""The API's OpenAPI 3.1 document, made from the same declaration that checks the reports."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from clients.smdvs.access import READ_SCOPE, SUBMIT_SCOPE
from clients.smdvs.config import Settings
from clients.smdvs.labels import FIELDS
from clients.smdvs.report import CHINA_TIME, Report

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
        "paths": {
            "/reports": {"post": _submit(now), "get": _list()},
            "/reports/{report_no}": {"get": _show()},
        },
        "components": {"schemas": _schemas(), "securitySchemes": _security_schemes(settings)},
    }


def _submit(now: datetime) -> dict[str, Any]:
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}}
    body = {"schema": _reference("Report"), "example": example(now)}
    return {
        "summary": "提交事故快报",
        "description": "同一 Idempotency-Key 与同一内容得到同一答复；企业须与访问令牌中的企业一致。",
        "security": _security(SUBMIT_SCOPE),
        "parameters": [key],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "201": {
                **_json("已接收", "Summary"),
                "headers": {"Location": {"schema": {"type": "string", "format": "uri"}}},
            },
            **_refusals("400", "401", "403", "413", "415", "422", "503"),
        },
    }


def _list() -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1}
    return {
        "summary": "本企业（监管人员：全部）的上报",
        "security": _security(READ_SCOPE),
        "parameters": [{"name": name, "in": "query", "schema": number} for name in ("page", "per_page")],
        "responses": {"200": _json("一页上报", "Page"), **_refusals("400", "401", "403", "503")},
    }


def _show() -> dict[str, Any]:
    return {
        "summary": "一份上报及其历史",
        "security": _security(READ_SCOPE),
        "parameters": [{"name": "report_no", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {"200": _json("上报", "Whole"), **_refusals("401", "403", "404", "503")},
    }


def _schemas() -> dict[str, Any]:
    schema = Report.model_json_schema(ref_template="#/components/schemas/{model}")
    parts: dict[str, Any] = schema.pop("$defs")
    for part in (schema, *parts.values()):
        for name, member in part.get("properties", {}).items():
            member["title"] = FIELDS[name]
    text, moment = {"type": "string"}, {"type": "string", "format": "date-time"}
    deadline = {"policy": text, "class": text, "due_at": moment, "overdue": {"type": "boolean"}}
    summary = {
        **dict.fromkeys(("report_no", "status", "enterprise_credit_code", "accident_type"), text),
        "vins": {"type": "array", "items": text},
        **dict.fromkeys(("occurred_at", "received_at"), moment),
        "deadline": _object(deadline),
    }
    counts = {name: {"type": "integer"} for name in ("page", "per_page", "total")}
    history = {"type": "array", "items": {"type": "object"}}
    return {
        "Report": schema,
        **parts,
        "Summary": _object(summary),
        "Page": _object({"reports": {"type": "array", "items": _reference("Summary")}, **counts}),
        "Whole": _object({**summary, "report": {"type": "object"}, "history": history}),
        "Problem": _problem(),
    }


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    fault = _object(dict.fromkeys(("pointer", "code", "field", "detail"), text))
    required = _object(
        {**dict.fromkeys(("type", "title", "code", "detail"), text), "status": {"type": "integer"}}
    )
    optional = {"field": text, "reason": text, "error_description": text}
    required["properties"] |= {**optional, "errors": {"type": "array", "items": fault}}
    return required


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(description: str, name: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _reference(name)}}}


def _refusals(*statuses: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _reference("Problem")}}
    return {status: {"description": "RFC 9457 问题说明", "content": content} for status in statuses}


def _security(scope: str) -> list[dict[str, list[str]]]:
    return [{"platform": [scope]}]


def _security_schemes(settings: Settings) -> dict[str, Any]:
    discovery = settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
    return {"platform": {"type": "openIdConnect", "openIdConnectUrl": discovery}}

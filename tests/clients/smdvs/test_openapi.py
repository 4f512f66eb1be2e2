"""The OpenAPI document says what is there, and what is there answers as the document says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from flask import Flask
from pydantic import BaseModel
from werkzeug.test import TestResponse

from clients.smdvs.answers import Problem
from clients.smdvs.operations import OPERATIONS, Operation
from tests.clients.documents import report_json
from tests.clients.provider import TestProvider
from tests.clients.smdvs.calls import REPORTS, Program, member

BASE = "/smdvs/api/v1"
Document = dict[str, Any]


@pytest.fixture
def described(smdvs: Flask) -> Document:
    found = smdvs.test_client().get(f"{BASE}/openapi.json").json
    assert found is not None
    return dict(found)


@pytest.fixture
def maker(smdvs: Flask, provider: TestProvider) -> Program:
    return Program.of(smdvs, provider)


def test_every_route_is_described_and_nothing_else(smdvs: Flask, described: Document) -> None:
    routes = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).removeprefix(BASE))
        for rule in smdvs.url_map.iter_rules()
        if rule.rule.startswith(BASE) and rule.methods
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert routes == {(method, path) for path, item in described["paths"].items() for method in item}


def test_every_reference_leads_somewhere_and_every_schema_is_used(described: Document) -> None:
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert used == set(described["components"]["schemas"])


def test_every_operation_says_what_openapi_asks_for(described: Document) -> None:
    operations = [op for item in described["paths"].values() for op in item.values()]
    assert len({op["operationId"] for op in operations}) == len(operations)
    for path, item in described["paths"].items():
        for op in item.values():
            in_path = {p["name"] for p in op["parameters"] if p["in"] == "path"}
            assert in_path == set(re.findall(r"{(\w+)}", path))
            assert all(p["required"] for p in op["parameters"] if p["in"] == "path")
            assert all(response["description"] for response in op["responses"].values())
            assert all(p["schema"] for p in op["parameters"])


def test_every_post_takes_a_key_and_every_change_a_version(described: Document) -> None:
    for path, item in described["paths"].items():
        headers = {p["name"]: p.get("required") for p in item.get("post", {}).get("parameters", [])}
        if "post" in item and "{report_no}" in path:
            assert headers.get("If-Match") is True, path
        assert "post" not in item or "Idempotency-Key" in headers, path


def test_every_field_has_its_chinese_name(described: Document) -> None:
    schema = described["components"]["schemas"]["Report"]
    assert all(re.search("[\u4e00-\u9fff]", member["title"]) for member in schema["properties"].values())


def test_a_shown_report_says_nothing_of_how_phones_must_look(described: Document) -> None:
    schemas = described["components"]["schemas"]
    assert schemas["ShownReport"]["properties"]["reporter_phone"]["type"] == "string"
    assert "pattern" not in json.dumps(schemas["ShownVehicle"]["properties"]["owner_phone"])
    assert schemas["WholeReport"]["properties"]["report"] == {"$ref": "#/components/schemas/ShownReport"}


def walk(maker: Program) -> Iterator[tuple[str, TestResponse]]:
    """Every operation of reports once as it should go, and each way that it refuses."""
    created = maker.post("", report_json(), key="k")
    number = member(created, "report_no")
    yield "submit_report", created
    yield "submit_report", maker.post("", report_json(deaths=5), key="k")
    yield "submit_report", maker.post("", report_json(deaths=-1))
    yield "submit_report", maker.app.test_client().post(REPORTS, json={})
    yield "submit_version", maker.supplement(number)
    yield "submit_version", maker.supplement(number)
    yield "submit_version", maker.supplement(number, None)
    yield "submit_version", maker.supplement("SMDVS-20200101-0001")
    yield "list_reports", maker.get()
    yield "list_reports", maker.get("?page=0")
    yield "show_report", maker.get(f"/{number}")
    yield "show_report", maker.get(f"/{number}", **{"If-None-Match": '"2"'})
    yield "show_report", maker.get("/x")
    yield "list_versions", maker.get(f"/{number}/versions")
    yield "list_versions", maker.get("/x/versions")
    yield "show_version", maker.get(f"/{number}/versions/2")
    yield "show_version", maker.get(f"/{number}/versions/9")
    yield "void_report", maker.post(f"/{number}/void", {"reason": "重复上报"}, seen='"2"')
    yield "void_report", maker.post(f"/{number}/void", {"reason": "重复上报"}, seen='"3"')
    yield "void_report", maker.post(f"/{number}/void", {"reason": ""}, seen='"3"')
    yield "describe", maker.app.test_client().get(f"{BASE}/openapi.json")


def test_every_answer_is_as_described(maker: Program) -> None:
    operations = {operation.name: operation for operation in OPERATIONS}
    walked = list(walk(maker))
    for name, answer in walked:
        check(operations[name], answer)
    missing = {name for name, op in operations.items() if "attachment" not in op.path} - dict(walked).keys()
    assert not missing


def check(operation: Operation, answer: TestResponse) -> None:
    if answer.status_code == HTTPStatus.NOT_MODIFIED:
        assert operation.not_modified
    elif answer.status_code == operation.status:
        assert set(operation.answer_headers) <= {name for name, _ in answer.headers}
        assert answer.mimetype == operation.media_type
        if operation.answer is not None:
            fits(operation.answer, answer)
    else:
        assert answer.status_code in operation.refusals, (operation.name, answer.text)
        assert answer.mimetype == "application/problem+json"
        fits(Problem, answer)


def fits(model: type[BaseModel], answer: TestResponse) -> None:
    """Every member is declared, every declared member is there and right."""
    model.model_validate_json(answer.data)
    required = model.model_json_schema(mode="serialization").get("required", [])
    assert answer.json is not None
    assert set(required) <= answer.json.keys()


def test_a_member_that_is_not_declared_can_not_be_answered() -> None:
    for operation in OPERATIONS:
        if operation.answer is not None:
            assert operation.answer.model_config.get("extra") == "forbid"

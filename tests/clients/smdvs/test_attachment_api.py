"""Files by the JSON API: uploaded once, named by a report, read with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clients.smdvs.attachment_kinds import MAX_BYTES
from tests.clients.documents import report_json
from tests.clients.files import archive, multipart, picture
from tests.clients.provider import OTHER_ENTERPRISE, Person, TestProvider
from tests.clients.smdvs.calls import REPORTS, Program, member

FILES = "/smdvs/api/v1/attachments"
PHOTO = picture()
ALIEN = replace(Person.handler(OTHER_ENTERPRISE), sub="alien")


@pytest.fixture
def maker(smdvs: Flask, provider: TestProvider) -> Program:
    return Program.of(smdvs, provider)


def upload(
    maker: Program,
    content: bytes | None = PHOTO,
    name: str = "现场.png",
    kind: str = "site_photo",
    key: str = "",
) -> TestResponse:
    headers = maker._headers({"Idempotency-Key": key} if key else {})
    body = multipart({"kind": kind}, None if content is None else (name, content))
    return maker.app.test_client().post(FILES, headers=headers, **body)


def test_an_uploaded_file_is_named_by_a_report_and_read_with_it(maker: Program) -> None:
    answer = upload(maker)
    assert answer.status_code == 201, answer.text
    assert (member(answer, "content_type"), member(answer, "size")) == ("image/png", len(PHOTO))
    report_no = maker.report(attachment_ids=[member(answer, "id")])
    whole = member(maker.get(f"/{report_no}"), "report")
    assert whole["attachments"] == [answer.json]
    given = maker.get(f"/{report_no}/attachments/{member(answer, 'id')}")
    assert (given.status_code, given.data) == (200, PHOTO)
    assert given.headers["Content-Disposition"].startswith("attachment")


def test_a_later_version_adds_files_and_keeps_those_before(maker: Program) -> None:
    first, second = (member(upload(maker), "id") for _ in range(2))
    report_no = maker.report(attachment_ids=[first])
    body = {"kind": "supplement", "report": report_json(), "attachment_ids": [second]}
    assert maker.post(f"/{report_no}/versions", body, seen='"1"').status_code == 201
    newest = member(maker.get(f"/{report_no}"), "report")
    assert [entry["id"] for entry in newest["attachments"]] == [first, second]
    before = member(maker.get(f"/{report_no}/versions/1"), "document")
    assert [entry["id"] for entry in before["attachments"]] == [first]
    assert member(maker.get(f"/{report_no}"), "chain_intact") is True


def test_a_report_that_names_another_files_is_not_stored(maker: Program, provider: TestProvider) -> None:
    taken = member(upload(maker), "id")
    maker.report(attachment_ids=[taken])
    alien = Program.of(maker.app, provider, ALIEN)
    theirs = member(upload(alien), "id")
    mine = member(upload(maker), "id")
    for bad in (taken, theirs, "unknown"):
        answer = maker.post("", report_json(attachment_ids=[mine, bad]))
        assert answer.status_code == 422
        assert (member(answer, "code"), member(answer, "field")) == ("attachment_gone", "/attachment_ids")
    assert member(maker.get(), "total") == 1
    assert maker.report(attachment_ids=[mine])


def test_the_same_submission_sent_twice_claims_once_and_other_files_are_another_body(maker: Program) -> None:
    first, second = (member(upload(maker), "id") for _ in range(2))
    body = report_json(attachment_ids=[first])
    answers = [maker.post("", body, key="k") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert maker.post("", {**body, "attachment_ids": [second]}, key="k").status_code == 422


def test_the_same_upload_sent_twice_is_stored_once(maker: Program) -> None:
    one, same = upload(maker, key="k"), upload(maker, key="k")
    assert one.json == same.json
    other = upload(maker, picture(size=(9, 9)), key="k")
    assert (other.status_code, member(other, "code")) == (422, "idempotency_key_reused")
    assert member(upload(maker, key="l"), "id") != member(one, "id")


@pytest.mark.parametrize(
    ("content", "name", "kind", "status", "code"),
    [
        (None, "", "site_photo", 422, "invalid_report"),
        (PHOTO, "a.png", "", 422, "attachment_kind_missing"),
        (archive(), "a.zip", "site_photo", 422, "attachment_type_not_allowed"),
        (b"x", "a.png", "site_photo", 422, "attachment_type_unknown"),
        (PHOTO + b"\0" * MAX_BYTES, "a.png", "site_photo", 413, "attachment_too_large"),
        (b"\0" * (MAX_BYTES + 2_000_000), "a.png", "site_photo", 413, "request_entity_too_large"),
    ],
)
def test_a_file_that_is_refused_is_a_problem_with_its_code(
    maker: Program, content: bytes | None, name: str, kind: str, status: int, code: str
) -> None:
    answer = upload(maker, content, name, kind)
    assert (answer.status_code, member(answer, "code")) == (status, code)


def test_only_a_form_with_a_file_is_taken(maker: Program) -> None:
    answer = maker.app.test_client().post(FILES, json={}, headers=maker._headers({}))
    assert answer.status_code == 415
    assert maker.app.test_client().post(FILES, data={}).status_code == 401


def test_another_enterprise_finds_no_file(maker: Program, provider: TestProvider) -> None:
    one = member(upload(maker), "id")
    report_no = maker.report(attachment_ids=[one])
    alien = Program.of(maker.app, provider, ALIEN)
    assert alien.get(f"/{report_no}/attachments/{one}").status_code == 404
    assert maker.app.test_client().get(f"{REPORTS}/{report_no}/attachments/{one}").status_code == 401


def test_the_form_of_an_upload_is_described(maker: Program) -> None:
    described = maker.app.test_client().get("/smdvs/api/v1/openapi.json").json
    assert described is not None
    body = described["paths"]["/attachments"]["post"]["requestBody"]["content"]
    assert body == {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/UploadForm"}}}
    form = described["components"]["schemas"]["UploadForm"]
    assert form["required"] == ["file", "kind"]
    assert form["properties"]["file"]["format"] == "binary"

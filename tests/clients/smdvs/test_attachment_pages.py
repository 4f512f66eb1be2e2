"""Files in the form and on a report's page: kept with what was typed, shown to those who may read them."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clients.rp import clock
from clients.smdvs import attachments
from clients.smdvs.attachment_kinds import MAX_BYTES
from clients.smdvs.attachments import Kept, Upload
from clients.smdvs.tickets import Owner
from tests.clients.conftest import HIDDEN, Browser, system_of
from tests.clients.files import multipart, pdf, picture
from tests.clients.provider import ENTERPRISE, OTHER_ENTERPRISE, Person

PHOTO = picture("JPEG")
ALIEN = replace(Person.handler(OTHER_ENTERPRISE), sub="alien")
COLLEAGUE = replace(Person.handler(), sub="person-2")
REGULATOR = replace(Person.natural_person(roles=["regulator"]), sub="regulator-1")


def attach(browser: Browser, content: bytes = PHOTO, name: str = "现场.jpg", **changes: str) -> TestResponse:
    fields = browser.form(**{"action": "attach", "attachment_kind": "site_photo", **changes})
    return browser.http.post("/smdvs/reports/new", **multipart(fields, (name, content)))


def by_script(
    browser: Browser, content: bytes = PHOTO, name: str = "现场.jpg", **changes: str
) -> TestResponse:
    form = {**browser.form(), "attachment_kind": "site_photo", **changes}
    sent = {key: form[key] for key in ("csrf_token", "enterprise_credit_code", "attachment_kind")}
    where = f"/smdvs/drafts/{form['draft']}/attachments"
    return browser.http.post(where, **multipart(sent, (name, content)))


def links(page: str) -> list[str]:
    return re.findall(r'class="file-name" href="([^"]+)"', page)


def sent_again(page: str) -> dict[str, str]:
    """The hidden fields of a form that was given back."""
    names = HIDDEN
    return {name: page.split(f'name="{name}" value="', 1)[1].split('"', 1)[0] for name in names}


def test_a_file_is_put_in_without_a_script_and_what_was_typed_stays(browser: Browser) -> None:
    browser.sign_in()
    answer = attach(browser, narrative="写了一半的经过")
    assert answer.status_code == 200
    assert "写了一半的经过" in answer.text
    assert "现场.jpg" in answer.text
    (link,) = links(answer.text)
    given = browser.get(link)
    assert given.data == PHOTO


def test_a_submitted_report_has_the_files_of_its_form(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    hidden = sent_again(attach(browser).text)
    done = browser.submit(**hidden)
    assert done.status_code == 303, done.text
    page = browser.get(done.location).text
    (link,) = links(page)
    assert browser.get(link).data == PHOTO
    assert "现场照片" in page
    with system_of(smdvs).database.engine.connect() as connection:
        query = "SELECT document, personal_sealed FROM report_versions"
        stored = "".join(connection.exec_driver_sql(query).one())
    assert '"sha256"' in stored
    assert "现场.jpg" not in stored


def test_a_file_is_taken_out_again(browser: Browser) -> None:
    browser.sign_in()
    page = attach(browser).text
    button = page.split('value="detach_', 1)[1].split('"', 1)[0]
    answer = browser.submit(**sent_again(page), action=f"detach_{button}", narrative="写了一半的经过")
    assert answer.status_code == 200
    assert links(answer.text) == []
    assert "写了一半的经过" in answer.text


@pytest.mark.parametrize(
    ("content", "name", "changes", "text"),
    [
        (b"", "a.jpg", {}, "文件是空的"),
        (PHOTO, "", {}, "请选择文件"),
        (PHOTO, "a.jpg", {"attachment_kind": "x"}, "请选择附件类型"),
        (b"MZ" + b"\0" * 200, "a.jpg", {}, "无法识别文件内容"),
        (PHOTO + b"\0" * MAX_BYTES, "a.jpg", {}, "不能超过 20 MB"),
        (pdf(script="x"), "a.pdf", {}, "含有脚本"),
    ],
)
def test_a_file_that_is_refused_says_why_and_loses_nothing(
    browser: Browser, content: bytes, name: str, changes: dict[str, str], text: str
) -> None:
    browser.sign_in()
    answer = attach(browser, content, name, narrative="写了一半的经过", **changes)
    assert answer.status_code == 422
    assert text in answer.text
    assert "写了一半的经过" in answer.text
    assert links(answer.text) == []


def test_the_script_is_told_what_was_stored(browser: Browser) -> None:
    browser.sign_in()
    answer = by_script(browser, name="<b>现场.jpg")
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    assert answer.json["filename"] == "<b>现场.jpg"
    assert answer.json["content_type"] == "image/jpeg"
    assert (answer.json["kind_words"], answer.json["size_words"]) == ("现场照片", "1 KB")


def test_the_script_is_told_why_not(browser: Browser) -> None:
    browser.sign_in()
    refused = by_script(browser, b"x")
    assert (refused.status_code, refused.json["code"]) == (422, "attachment_type_unknown")  # type: ignore[index] # it is JSON
    assert by_script(browser, csrf_token="x").status_code == 400
    assert by_script(browser, enterprise_credit_code=OTHER_ENTERPRISE).status_code == 403
    assert by_script(browser, PHOTO + b"\0" * MAX_BYTES).status_code == 413
    assert by_script(browser, b"\0" * (MAX_BYTES + 2 * 1024 * 1024)).status_code == 413
    browser.http.delete_cookie("smdvs_session", path="/smdvs/")
    assert browser.http.post("/smdvs/drafts/x/attachments", data={}).status_code == 401


def test_other_routes_take_no_more_than_before(browser: Browser) -> None:
    browser.sign_in()
    large = {"csrf_token": "x", "narrative": "x" * 300_000}
    assert browser.http.post("/smdvs/reports/new", data=large).status_code == 413
    assert attach(browser, narrative="x" * 300_000).status_code == 413


@pytest.mark.parametrize("text", ["a\0b", "\ufffd"])
def test_a_form_with_a_file_is_read_as_strictly_as_one_without(browser: Browser, text: str) -> None:
    browser.sign_in()
    assert attach(browser, narrative=text).status_code == 400


def test_uploads_never_touch_the_disk_in_clear(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_args: object, **_more: object) -> None:
        raise AssertionError("a temporary file")

    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, never)
    browser.sign_in()
    assert by_script(browser, PHOTO + os.urandom(3_000_000)).status_code == 201


def stored_in_report(browser: Browser, smdvs: Flask, name: str = "报告 “一”\u202e.pdf") -> tuple[str, Kept]:
    """A report with one file more than its form shows."""
    form = browser.form()
    owner, content = Owner("person-1", ENTERPRISE), pdf()
    now = clock.now()
    system = system_of(smdvs)
    one = attachments.keep_upload(
        system, owner, form["draft"], Upload(name, content), "investigation_report", now
    )
    assert isinstance(one, Kept), one
    done = browser.http.post("/smdvs/reports/new", data=form)
    assert done.status_code == 303, done.text
    return done.location.split("?")[0], one


def test_a_download_does_nothing_in_a_browser(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    path, one = stored_in_report(browser, smdvs)
    for query in ("", "?inline"):
        answer = browser.get(f"{path}/attachments/{one.id}{query}")
        assert answer.data == pdf()
        headers = answer.headers
        assert headers["Content-Type"] == "application/pdf"
        assert headers["Content-Length"] == str(one.size)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "sandbox" in headers["Content-Security-Policy"]
        disposition = headers["Content-Disposition"]
        assert disposition.isascii()
        assert disposition.startswith('attachment; filename="attachment.pdf"; ')
        assert "%E2%80%9C" in disposition
        assert "%E2%80%AE" not in disposition


def test_only_photos_are_shown_in_place(browser: Browser) -> None:
    browser.sign_in()
    (link,) = links(attach(browser).text)
    assert browser.get(link).headers["Content-Disposition"].startswith("attachment;")
    assert browser.get(link + "?inline").headers["Content-Disposition"].startswith("inline;")


@pytest.mark.parametrize(
    ("person", "status"),
    [
        (COLLEAGUE, 200),
        (REGULATOR, 200),
        (ALIEN, 404),
    ],
)
def test_a_file_is_read_by_who_may_read_its_report(
    browser: Browser, smdvs: Flask, person: Person, status: int
) -> None:
    browser.sign_in()
    path, one = stored_in_report(browser, smdvs)
    other = Browser(smdvs.test_client(), browser.provider)
    other.sign_in(person)
    assert other.get(f"{path}/attachments/{one.id}").status_code == status
    assert other.get(f"{path}/attachments/unknown").status_code == 404


def test_a_forms_file_is_its_owners_alone(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    (link,) = links(attach(browser).text)
    colleague = Browser(smdvs.test_client(), browser.provider)
    colleague.sign_in(COLLEAGUE)
    assert colleague.get(link).status_code == 404
    assert smdvs.test_client().get(link).status_code == 303


def test_a_damaged_file_is_an_error_not_a_file(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    (link,) = links(attach(browser).text)
    with system_of(smdvs).database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE attachment_chunks SET sealed = x'00'")
    assert browser.get(link).status_code == 500

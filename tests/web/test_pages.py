from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from idp.storage.accounts import Account
from idp.storage.database import reading
from tests.web.visitor import LI, PASSWORD, Visitor, hidden, picture, problems

FORM = "application/x-www-form-urlencoded"
HOSTILE_TEXTS = {"nul": "a\x00b", "escape": "a\x1bb", "not utf-8": b"a\xff\xfeb", "delete": "a\x7fb"}


def accounts(visitor: Visitor) -> int:
    with visitor.app.app_context(), reading() as session:
        return session.scalar(select(func.count()).select_from(Account)) or 0


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
@pytest.mark.parametrize("path", ["/register", "/login"])
def test_characters_nobody_types_are_refused(visitor: Visitor, path: str, text: str | bytes) -> None:
    token = hidden(visitor.get(path), "csrf_token")
    form = {"csrf_token": token, "identifier": text, "login_name": text, "action": "send_code"}
    page = visitor.http.post(path, data=urlencode(form), content_type=FORM)
    assert page.status_code == 400
    assert "请求无法识别" in page.text
    assert accounts(visitor) == 0


def test_a_repeated_field_is_refused(visitor: Visitor) -> None:
    for fields in ({"identifier": ["one_name", "other_name"]}, {"action": ["send_code", "login"]}):
        assert visitor.send("/login", fields).status_code == 400
    assert visitor.get("/login?request=a&request=b").status_code == 400


@pytest.mark.parametrize("path", ["/admin/clients/%00", "/admin/reviews/%00", "/captcha/%00.png", "/?a=%00"])
def test_hostile_addresses_are_refused(administrator: Visitor, path: str) -> None:
    assert administrator.get(path).status_code in {400, 404}


def test_a_file_where_a_text_belongs_is_a_missing_text(visitor: Visitor) -> None:
    page = visitor.send("/login", {"identifier": (io.BytesIO(b"x"), "x.txt"), "action": "login"})
    assert page.status_code == 422
    assert problems(page)


def test_a_text_where_a_file_belongs_is_a_missing_file(visitor: Visitor) -> None:
    visitor.register("li_shili", "19900001002")
    page = visitor.verify(LI, document_scan="a text")
    assert problems(page) == ["请选择证件扫描件"]


@pytest.mark.parametrize(
    "options",
    [
        {"json": ["a", "list"]},
        {"json": {"identifier": 1}},
        {"data": b"{", "content_type": "application/json"},
        {"data": b"--x\r\n\r\n", "content_type": "multipart/form-data; boundary=x"},
        {"data": b"\xff" * 100, "content_type": "multipart/form-data"},
        {"data": b"%ff%00=%zz", "content_type": "application/x-www-form-urlencoded"},
        {},
    ],
)
@pytest.mark.parametrize("path", ["/login", "/register"])
def test_a_body_that_is_no_form_of_ours_is_refused(visitor: Visitor, path: str, options: Any) -> None:
    visitor.get("/login")
    assert visitor.http.post(path, **options).status_code == 400


@pytest.mark.parametrize("options", [{"json": ["a"]}, {"data": b"{", "content_type": "application/json"}, {}])
def test_a_sign_out_of_nobody_changes_nothing(visitor: Visitor, options: Any) -> None:
    assert visitor.http.post("/logout", **options).location == "/"


def test_an_oversize_form_is_refused_with_advice(visitor: Visitor) -> None:
    page = visitor.send("/login", {"identifier": "a" * 70_000})
    assert page.status_code == 413
    assert "提交的内容过大" in page.text


def test_uploads_have_a_larger_limit_than_forms_and_a_limit(visitor: Visitor) -> None:
    visitor.register("li_shili", "19900001002")
    too_large_scan = (io.BytesIO(picture().getvalue() + b"\0" * (6 * 1024**2)), "scan.png")
    page = visitor.verify(LI, document_scan=too_large_scan)
    assert (page.status_code, problems(page)) == (422, ["文件超过 5 MB，请压缩后重新选择"])
    page = visitor.verify(LI, document_scan=(io.BytesIO(b"\0" * (13 * 1024**2)), "scan.png"))
    assert page.status_code == 413
    assert "每个扫描件不能超过 5 MB" in page.text


def test_a_form_without_our_value_changes_nothing(person: Visitor) -> None:
    stranger = Visitor(person.app)
    token = hidden(stranger.get("/login"), "csrf_token")
    for fields in ({}, {"csrf_token": "made up"}, {"csrf_token": token}):
        page = person.http.post("/account/sessions", data=fields | {"session": "x", "action": "end"})
        assert page.status_code == 400
        assert "页面已过期，请重试" in page.text


def test_what_was_typed_comes_back_escaped(visitor: Visitor) -> None:
    page = visitor.send("/login", {"identifier": '"><script>alert(1)</script>', "action": "login"})
    assert "<script>alert" not in page.text


def test_an_unknown_action_counts_as_the_main_one(visitor: Visitor) -> None:
    page = visitor.send("/login", {"identifier": "x", "password": PASSWORD, "action": "explode"})
    assert problems(page) == ["请输入短信验证码"]

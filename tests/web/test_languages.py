"""Which language a page is in, and how a person changes it."""

from __future__ import annotations

import pytest
from flask import Flask

from idp.domain.errors import Problem
from idp.web.languages import translated
from idp.web.messages import problem_text
from tests.web.visitor import Visitor


def language_of(visitor: Visitor, path: str = "/login", accepted: str | None = None) -> str:
    """What ``<html lang>`` says."""
    page = visitor.get(path, headers={"Accept-Language": accepted} if accepted else {})
    return page.text.partition('<html lang="')[2].partition('"')[0]


@pytest.mark.parametrize("accepted", [None, "zh-CN,zh;q=0.9", "en-US", "en-GB,en;q=0.9", ";;;,=q,\t"])
def test_a_page_is_chinese_whatever_the_browser_is_set_to(visitor: Visitor, accepted: str | None) -> None:
    assert language_of(visitor, "/", accepted) == "zh-CN"


def test_the_sign_in_page_is_kept_for_each_language(visitor: Visitor) -> None:
    for _ in range(2):
        visitor.get("/language?to=en&back=/")
        assert language_of(visitor) == "en"
        visitor.get("/language?to=zh-CN&back=/")
        assert language_of(visitor) == "zh-CN"


def test_a_choice_is_kept_and_leads_back(visitor: Visitor) -> None:
    chosen = visitor.get("/language?to=en&back=/help?a%3D1")
    assert (chosen.status_code, chosen.location) == (303, "/help?a=1")
    assert language_of(visitor, accepted="zh-CN") == "en"
    visitor.get("/language?to=zh-CN&back=/")
    assert language_of(visitor, accepted="en") == "zh-CN"


def test_the_header_has_a_link_to_the_other_language(visitor: Visitor) -> None:
    page = visitor.get("/help")
    assert 'hreflang="en" rel="nofollow" href="/language?to=en&amp;back=/help">English</a>' in page.text
    assert "简体中文" not in page.text
    assert "English" not in visitor.get("/language?to=en&back=/help", follow_redirects=True).text


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/ x", "/%0d%0aX: y"]
)
def test_the_way_back_stays_on_the_platform(visitor: Visitor, back: str) -> None:
    location = visitor.get("/language", query_string={"to": "en", "back": back}).location or ""
    assert location in {"/", "/%0d%0aX:%20y"} or location.startswith("/%")


@pytest.mark.parametrize("to", ["", "fr", "EN", "../en"])
def test_only_languages_there_are_can_be_chosen(visitor: Visitor, to: str) -> None:
    response = visitor.get("/language", query_string={"to": to, "back": "/"})
    assert response.status_code == 404
    assert "Set-Cookie" not in response.headers


def test_a_cookie_of_nonsense_is_no_choice(visitor: Visitor) -> None:
    visitor.http.set_cookie("language", "xx")
    assert language_of(visitor) == "zh-CN"


def test_after_a_form_the_switch_leads_to_the_page_of_the_form(visitor: Visitor) -> None:
    page = visitor.send("/login", {"action": "login", "password": "Secret#2026"})
    assert page.status_code == 422
    assert 'href="/language?to=en&amp;back=/login"' in page.text


def test_from_an_address_that_only_takes_forms_the_switch_leads_home(visitor: Visitor) -> None:
    page = visitor.http.post("/admin/accounts/one/status")
    assert page.status_code == 400
    assert 'href="/language?to=en&amp;back=/"' in page.text


def test_without_a_request_texts_are_chinese(app: Flask) -> None:
    with app.app_context():
        assert translated("登录") == "登录"
    assert problem_text(Problem("required")) == "请填写此项"

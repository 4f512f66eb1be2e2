from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from idp.domain import throttling as limits
from idp.domain.errors import Problem
from idp.web.messages import duration, problem_text
from tests.services.people import LostStore
from tests.web.conftest import MakeApp
from tests.web.visitor import LI, PASSWORD, Visitor, hidden, problems

WRONG = {"identifier": "no_such_one", "password": PASSWORD, "sms_code": "000000", "action": "login"}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An application that counts."""
    return make_app(captcha="off")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 秒"),
        (60, "60 秒"),
        (61, "2 分钟"),
        (900, "15 分钟"),
        (7200, "120 分钟"),
        (7201, "3 小时"),
        (86400, "24 小时"),
    ],
)
def test_a_wait_is_said_in_words(seconds: int, text: str) -> None:
    assert duration(seconds) == text
    assert text in problem_text(Problem("registration_limit", None, {"seconds": seconds}))


def test_a_lock_says_when_to_come_back(visitor: Visitor) -> None:
    answers = [visitor.send("/login", WRONG) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 4 + [429] * 2
    assert answers[-1].headers["Retry-After"] == "900"
    assert "Retry-After" not in answers[0].headers
    assert problems(answers[-1]) == ["连续多次登录失败，为保护账号安全，请在 15 分钟后再试"]


def test_a_second_code_too_soon_says_when_to_come_back(visitor: Visitor) -> None:
    form = {"action": "send_code", "phone": "19900001005"}
    assert visitor.send("/register", form).status_code == 200
    page = visitor.send("/register", form)
    assert page.status_code == 429
    assert 55 <= int(page.headers["Retry-After"]) <= 60
    data = form | {"csrf_token": hidden(page, "csrf_token")}
    script = visitor.http.post("/register", data=data, headers={"Accept": "application/json"})
    assert script.status_code == 429
    assert int(script.headers["Retry-After"]) <= 60
    assert "sms_code" in script.get_json()["problems"]


def test_registration_tells_known_and_unknown_phones_alike(visitor: Visitor) -> None:
    visitor.register("li_shili", "19900001002")
    stranger = Visitor(visitor.app)

    def asked(phone: str) -> tuple[int, list[str], str | None]:
        page = stranger.send("/register", {"action": "send_code", "phone": phone})
        return page.status_code, problems(page), page.headers.get("Retry-After", "")[:1]

    assert [asked("19900001002")[0], asked("19900001009")[0]] == [429, 200]  # the registration just asked
    assert asked("19900001002") == asked("19900001009")


def test_too_many_devices_codes_say_when_to_come_back(visitor: Visitor) -> None:
    for _ in range(20):
        visitor.send("/device", {"user_code": "BCDF-GHJK"})
    page = visitor.send("/device", {"user_code": "BCDF-GHJK"})
    assert (page.status_code, page.headers["Retry-After"]) == (429, "900")


def test_recordings_come_only_so_often_and_the_page_says_when_again(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(limits.RECORDINGS_OF_ADDRESS, most=3)
    monkeypatch.setattr(limits, "RECORDINGS_OF_ADDRESS", few)
    visitor = Visitor(make_app(env="production"))
    path = visitor.get("/captcha/new").get_json()["sound"]
    answers = [visitor.get(path).status_code for _ in range(few.most)]
    assert set(answers) == {200}
    refused = visitor.get(path)
    assert refused.status_code == 429
    assert 3500 < int(refused.headers["Retry-After"]) <= 3600
    assert "分钟后再试" in refused.text


def test_twenty_submissions_a_day_and_then_the_form_says_when(visitor: Visitor) -> None:
    visitor.register("newcomer", "19900001005")
    wrong = LI | {"real_name": "李别人"}
    answers = [visitor.verify(wrong) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [422] * 20 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 80_000
    assert problems(answers[-1]) == ["提交次数过多，请在 24 小时后再试"]


def test_when_the_store_is_away_forms_say_so_and_nothing_is_let_through(visitor: Visitor) -> None:
    page = visitor.get("/login")
    platform = visitor.app.extensions["idp"]
    visitor.app.extensions["idp"] = replace(platform, ephemeral=LostStore())
    answer = visitor.http.post("/login", data=WRONG | {"csrf_token": hidden(page, "csrf_token")})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    form = {"csrf_token": hidden(page, "csrf_token"), "phone": "19900001005", "action": "send_code"}
    answer = visitor.http.post("/register", data=form)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    visitor.app.extensions["idp"] = platform
    assert visitor.get("/dev/outbox", headers={"Accept": "application/json"}).get_json() == []

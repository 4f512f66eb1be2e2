from __future__ import annotations

import io
import wave
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from idp import clock
from idp.domain import captchas as rules
from idp.web import captchas
from tests.web.conftest import MakeApp
from tests.web.visitor import LI, Visitor, hidden, problems

PHONE = "19900001005"
WRONG = ["图片验证码不正确或已失效，请按新图片重新输入"]
MISSING = ["请输入图片中的验证码"]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An application that asks for captchas."""
    return make_app(throttle=False)


def answers(app: Flask, handle: str) -> rules.Answers:
    """What only the picture and the recording tell."""
    with app.app_context():
        octets = rules.read_handle(handle, clock.now())
        assert octets is not None
        return captchas._answers(octets)


def ask(visitor: Visitor, text: str, handle: str, phone: str = PHONE) -> TestResponse:
    """获取验证码 at the registration."""
    form = {"action": "send_code", "phone": phone, "captcha": text, "captcha_handle": handle}
    return visitor.send("/register", form)


def sent(visitor: Visitor) -> int:
    """How many codes have been sent."""
    return len(visitor.get("/dev/outbox", headers={"Accept": "application/json"}).get_json())


def test_no_code_is_sent_to_a_stranger_without_a_captcha(visitor: Visitor) -> None:
    handle = hidden(visitor.get("/register"), "captcha_handle")
    assert problems(ask(visitor, "", handle)) == MISSING
    assert problems(ask(visitor, "????", handle)) == WRONG
    assert problems(ask(visitor, answers(visitor.app, handle).seen, handle)) == WRONG  # it takes one answer
    assert problems(ask(visitor, "3A7K", "")) == WRONG
    assert problems(ask(visitor, "3A7K", "no handle of ours")) == WRONG
    assert sent(visitor) == 0


def test_a_page_with_a_wrong_answer_shows_another_picture(visitor: Visitor) -> None:
    handle = hidden(visitor.get("/register"), "captcha_handle")
    page = ask(visitor, "????", handle)
    assert page.status_code == 422
    assert hidden(page, "captcha_handle") not in {handle, ""}
    assert 'id="captcha"' in page.text
    assert '"????"' not in page.text


def test_the_picture_or_the_recording_is_enough(visitor: Visitor) -> None:
    for kind in ("seen", "heard"):
        handle = hidden(visitor.get("/register"), "captcha_handle")
        page = ask(visitor, getattr(answers(visitor.app, handle), kind).lower(), handle)
        assert (page.status_code, problems(page)) == (200, [])
    assert sent(visitor) == 2


def test_an_answer_is_good_for_a_few_codes_and_for_the_form_it_was_given_in(visitor: Visitor) -> None:
    handle = hidden(visitor.get("/register"), "captcha_handle")
    page = ask(visitor, answers(visitor.app, handle).seen, handle)
    for _ in range(rules.USES - 1):
        assert hidden(page, "captcha_handle") == handle
        assert 'id="captcha"' not in page.text
        page = ask(visitor, "", handle)
        assert page.status_code == 200
    page = ask(visitor, "", handle)
    assert problems(page) == MISSING
    assert hidden(page, "captcha_handle") != handle
    assert sent(visitor) == rules.USES


def test_an_answer_given_at_one_form_opens_no_other(make_app: MakeApp) -> None:
    easy = Visitor(make_app(throttle=False, captcha="off"))
    easy.register("newcomer", "19900001006")
    visitor = Visitor(make_app(throttle=False))
    visitor.http = visitor.app.test_client()
    cookie = easy.http.get_cookie("login")
    assert cookie is not None
    visitor.http.set_cookie("login", cookie.value)
    handle = hidden(visitor.get("/register"), "captcha_handle")
    ask(visitor, answers(visitor.app, handle).seen, handle)
    assert problems(visitor.verify(LI, captcha="", captcha_handle=handle)) == MISSING
    page = visitor.get("/account/verification?subject_type=natural_person")
    handle = hidden(page, "captcha_handle")
    right = answers(visitor.app, handle).seen
    page = visitor.verify(LI | {"address": ""}, captcha=right, captcha_handle=handle)
    assert problems(page) == ["请输入联系地址"]
    assert hidden(page, "captcha_handle") == handle
    assert visitor.verify(LI, captcha="", captcha_handle=handle).status_code == 303


def test_an_answer_is_good_for_ten_minutes(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = hidden(visitor.get("/register"), "captcha_handle")
    right = answers(visitor.app, handle).seen
    later = clock.now() + timedelta(minutes=10, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert visitor.get(f"/captcha/{handle}.png").status_code == 404
    assert problems(ask(visitor, right, handle)) == WRONG


def test_of_many_answers_at_once_one_is_looked_at(visitor: Visitor) -> None:
    handle = hidden(visitor.get("/register"), "captcha_handle")
    page = visitor.get("/register")
    form = {
        "csrf_token": hidden(page, "csrf_token"),
        "action": "send_code",
        "phone": PHONE,
        "captcha_handle": handle,
    }
    cookie = visitor.http.get_cookie("page")
    assert cookie is not None

    def guess(text: str) -> int:
        http = visitor.app.test_client()
        http.set_cookie("page", cookie.value)
        return http.post("/register", data=form | {"captcha": text}).status_code

    guesses = [f"{number:05}" for number in range(7)]
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(guess, guesses)) == {422}
    assert guess(answers(visitor.app, handle).heard) == 422


def test_a_script_hears_of_the_captcha(visitor: Visitor) -> None:
    page = visitor.get("/register")
    handle = hidden(page, "captcha_handle")
    form = {"csrf_token": hidden(page, "csrf_token"), "action": "send_code", "phone": PHONE}
    script = {"Accept": "application/json"}
    wrong = visitor.http.post("/register", data=form | {"captcha_handle": handle}, headers=script)
    assert wrong.status_code == 422
    answer = wrong.get_json()
    assert answer["problems"] == {"captcha": MISSING[0]}
    assert answer["captcha"]["solved"] is False
    handle = answer["captcha"]["handle"]
    assert visitor.get(answer["captcha"]["picture"]).mimetype == "image/png"
    form |= {"captcha_handle": handle, "captcha": answers(visitor.app, handle).seen}
    right = visitor.http.post("/register", data=form, headers=script)
    assert right.status_code == 200
    assert right.get_json()["captcha"] | {"picture": "", "sound": ""} == {
        "solved": True,
        "handle": handle,
        "picture": "",
        "sound": "",
    }


def test_another_picture_comes_without_script_and_keeps_what_was_typed(visitor: Visitor) -> None:
    page = visitor.get("/register")
    form = {"phone": PHONE, "login_name": "newcomer", "action": "new_captcha", "password": "Demo#2026pass"}
    again = visitor.send("/register", form | {"captcha_handle": hidden(page, "captcha_handle")})
    assert again.status_code == 200
    assert problems(again) == []
    assert f'value="{PHONE}"' in again.text
    assert hidden(again, "captcha_handle") != hidden(page, "captcha_handle")
    assert sent(visitor) == 0


def test_another_picture_comes_with_a_script(visitor: Visitor) -> None:
    first, second = (visitor.get("/captcha/new").get_json() for _ in range(2))
    assert first["handle"] != second["handle"]
    assert visitor.get(first["picture"]).status_code == 200


def test_the_picture_is_a_picture_and_the_recording_a_recording(visitor: Visitor) -> None:
    handle = hidden(visitor.get("/register"), "captcha_handle")
    picture = visitor.get(f"/captcha/{handle}.png")
    assert picture.headers["Cache-Control"] == "no-store"
    assert Image.open(io.BytesIO(picture.data)).size == (150, 54)
    sound = visitor.get(f"/captcha/{handle}.wav")
    assert sound.mimetype == "audio/wav"
    with wave.open(io.BytesIO(sound.data)) as recording:
        assert recording.getnframes() / recording.getframerate() > 3
    for ending in ("png", "wav"):
        assert visitor.get(f"/captcha/nothing.{ending}").status_code == 404


def test_where_captchas_are_off_nobody_sees_one(make_app: MakeApp) -> None:
    visitor = Visitor(make_app(throttle=False, captcha="off"))
    assert 'name="captcha' not in visitor.get("/register").text
    assert ask(visitor, "", "").status_code == 200

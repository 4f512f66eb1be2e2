from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from idp import sms
from idp.config import Settings
from idp.sms import DevelopmentOutbox, HttpSmsGateway, SmsError


@dataclass
class Answer:
    status: int


class Wire:
    """Notes what is posted and answers as told."""

    def __init__(self, status: int = 200) -> None:
        self.posted: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = []
        self._status = status

    def post(self, url: str, body: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        self.posted.append((url, body, headers))
        return Answer(self._status)


def test_the_http_gateway_posts_phone_text_and_reference_with_its_token() -> None:
    wire = Wire()
    HttpSmsGateway("https://sms.example/send", "secret", wire.post).send("19900000001", "验证码123456", "7")
    assert wire.posted == [
        (
            "https://sms.example/send",
            {"phone": "19900000001", "text": "验证码123456", "reference": "7"},
            {"Authorization": "Bearer secret"},
        )
    ]


@pytest.mark.parametrize("status", [301, 400, 401, 429, 500, 503])
def test_an_answer_that_is_no_success_is_an_error_without_the_phone(status: int) -> None:
    gateway = HttpSmsGateway("https://sms.example/send", "secret", Wire(status).post)
    with pytest.raises(SmsError, match=f"answered {status}") as error:
        gateway.send("19900000001", "text", "7")
    assert "1990000" not in str(error.value)


def test_settings_choose_the_gateway() -> None:
    wire = Wire()
    assert isinstance(sms.gateway(Settings(env="development"), wire.post), DevelopmentOutbox)
    http = Settings(env="production", sms="http", sms_url="https://sms.example/send", sms_token="secret")
    sms.gateway(http, wire.post).send("19900000001", "text", "7")
    assert len(wire.posted) == 1


def test_the_development_outbox_sends_nothing_anywhere() -> None:
    wire = Wire()
    sms.gateway(Settings(env="development"), wire.post).send("19900000001", "text", "7")
    assert wire.posted == []


@pytest.mark.parametrize("purpose", ["register", "login"])
def test_a_code_message_says_what_it_is_for_and_how_long_it_lives(purpose: str) -> None:
    message = sms.text(purpose, code="123456")
    assert message.startswith("【政务服务平台】验证码123456，用于用户")
    assert "5分钟" in message


@pytest.mark.parametrize(
    ("purpose", "values"),
    [
        ("password_changed", {"login_name": "alice_1"}),
        ("real_name_approved", {"login_name": "alice_1"}),
        ("real_name_rejected", {"login_name": "alice_1"}),
        ("handler_applied", {"applicant_name": "*测试", "enterprise_name": "测试汽车有限公司"}),
        ("handler_withdrawn", {"applicant_name": "*测试", "enterprise_name": "测试汽车有限公司"}),
        ("handler_approved", {"enterprise_name": "测试汽车有限公司"}),
        ("handler_refused", {"enterprise_name": "测试汽车有限公司"}),
        ("handler_revoked", {"enterprise_name": "测试汽车有限公司"}),
    ],
)
def test_a_notice_names_whom_it_concerns(purpose: str, values: dict[str, str]) -> None:
    message = sms.text(purpose, **values)
    assert all(value in message for value in values.values())
    assert "{" not in message


@pytest.mark.parametrize(
    "call",
    [lambda: sms.text("unknown"), lambda: sms.text("login"), lambda: sms.text("handler_approved", name="x")],
)
def test_an_unknown_purpose_or_a_missing_value_is_an_error(call: Callable[[], str]) -> None:
    with pytest.raises(KeyError):
        call()


def test_a_name_is_cut_and_its_braces_mean_nothing() -> None:
    message = sms.text("handler_approved", enterprise_name="{code}" + "长" * 300)
    assert "{code}" in message
    assert len(message) < 150

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from idp.services.platform import Platform
from tests.oauth.browser import hidden_fields
from tests.oauth.conftest import RegisterClient
from tests.oauth.people import People
from tests.oauth.upstream.guest import (
    CRYPTOGRAPHIC,
    TWO_FACTORS,
    Guest,
    add_li,
    assert_refused,
    onward,
    request_of,
    trail,
)
from tests.oauth.upstream.other_platform import OtherPlatform


def test_a_key_there_counts_as_one_here_only_if_that_is_set(
    make: Callable[..., Flask], upstream: OtherPlatform
) -> None:
    upstream.acr, upstream.amr = CRYPTOGRAPHIC, ["hwk", "user", "mfa"]
    for highest, level in (("2fa", TWO_FACTORS), ("2fa-crypto", CRYPTOGRAPHIC)):
        app = make(upstream_highest_level=highest)
        platform: Platform = app.extensions["idp"]
        guest = Guest(app)
        with app.app_context():
            if highest == "2fa":
                add_li(People(platform), platform)
            guest.walk(upstream)
            login = guest.login()
        assert login is not None
        assert (login.acr, login.amr) == (level, ("hwk", "user", "mfa"))


@pytest.mark.parametrize("amr", [["sms"], ["tel"], [], None])
def test_one_factor_that_may_be_the_telephone_is_too_weak(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str, amr: list[str] | None
) -> None:
    upstream.acr, upstream.amr = "urn:other:1", amr
    assert_refused(guest, guest.walk(upstream), platform, "upstream_too_weak")


class SecondFactor:
    """The page that asks for a code."""

    def __init__(self, guest: Guest, response: TestResponse) -> None:
        assert response.status_code == 303, response.text
        assert response.location == "/login/national/code"
        self.guest, self.address = guest, response.location
        self.page = guest.http.get(response.location)

    def send(self, **fields: str) -> TestResponse:
        form = hidden_fields(self.page.text) | fields
        return self.guest.http.post("/login/national/code", data=form)

    def code(self) -> str:
        answer = self.guest.http.get("/dev/outbox", headers={"Accept": "application/json"}).get_json()
        return str(next(m["code"] for m in answer if m["purpose"] == "upstream_login"))


@pytest.fixture
def second_factor(guest: Guest, upstream: OtherPlatform, li: str) -> SecondFactor:
    upstream.acr, upstream.amr = None, ["pwd"]
    return SecondFactor(guest, guest.walk(upstream))


def test_a_password_alone_needs_a_code_to_the_bound_phone_as_well(
    guest: Guest, second_factor: SecondFactor, platform: Platform, li: str
) -> None:
    assert guest.login() is None
    assert trail(platform, "upstream:link") == []
    assert "199****0001" in second_factor.page.text
    sent = second_factor.send(action="send_code")
    assert (sent.status_code, "验证码已发送" in sent.text) == (200, True)
    response = second_factor.send(action="login", sms_code=second_factor.code())
    assert (response.status_code, response.location) == (303, "/account")
    login = guest.login()
    assert login is not None
    assert (login.account_id, login.acr, login.amr) == (li, TWO_FACTORS, ("pwd", "sms", "mfa"))
    assert second_factor.send(action="login", sms_code="000000").status_code == 400


def test_a_script_sends_the_code_without_leaving_the_page(guest: Guest, second_factor: SecondFactor) -> None:
    form = hidden_fields(second_factor.page.text) | {"action": "send_code"}
    answer = guest.http.post("/login/national/code", data=form, headers={"Accept": "application/json"})
    assert answer.get_json() == {"problems": {}, "wait": 0}


@pytest.mark.parametrize("typed", ["", "000000"])
def test_without_the_code_there_is_no_login(guest: Guest, second_factor: SecondFactor, typed: str) -> None:
    second_factor.send(action="send_code")
    page = second_factor.send(action="login", sms_code=typed)
    assert page.status_code == 422
    assert guest.login() is None


def test_the_second_factor_is_this_browser_s_alone(
    app: Flask, second_factor: SecondFactor, upstream: OtherPlatform
) -> None:
    other = Guest(app)
    assert other.http.get(second_factor.address).status_code == 400
    assert second_factor.send(csrf_token="forged", action="send_code").status_code == 400


def test_wrong_codes_lock_the_account_as_at_the_sign_in(
    make: Callable[..., Flask], upstream: OtherPlatform
) -> None:
    app = make(throttle=True)
    platform: Platform = app.extensions["idp"]
    upstream.acr, upstream.amr = None, ["pwd"]
    with app.app_context():
        add_li(People(platform), platform)
        guest = Guest(app)
        second = SecondFactor(guest, guest.walk(upstream))
        second.send(action="send_code")
        assert second.send(action="send_code").status_code == 429
        code = second.code()
        wrong = "111111" if code != "111111" else "222222"
        pages = [second.send(action="login", sms_code=wrong) for _ in range(5)]
        assert "分钟后再试" in pages[-1].text
        assert "分钟后再试" in second.send(action="login", sms_code=code).text
        assert guest.login() is None


def test_a_client_s_request_goes_on_after_the_code(
    guest: Guest, upstream: OtherPlatform, register: RegisterClient, li: str
) -> None:
    upstream.acr, upstream.amr = None, ["pwd"]
    request_id = request_of(guest, register(scope="openid profile"), scope="openid")
    second = SecondFactor(guest, guest.walk(upstream, request=request_id))
    second.send(action="send_code")
    page = second.send(action="login", sms_code=second.code())
    assert onward(page) == f"/interaction/resume?request={request_id}"

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.services.software_authenticator import SoftwareAuthenticator
from tests.web.conftest import MakeApp
from tests.web.test_factors import CODES, CONFIRM, PASSKEYS, PHONE, acr_of, shown_codes
from tests.web.test_step_up import grow_old
from tests.web.visitor import Visitor, hidden, problems

ORIGIN = "http://localhost:5000"
SCRIPT = {"Accept": "application/json"}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Where browsers make passkeys: under a name."""
    return make_app(throttle=False, captcha="off", issuer=ORIGIN)


@pytest.fixture
def device() -> SoftwareAuthenticator:
    """Somebody's telephone."""
    return SoftwareAuthenticator(ORIGIN)


@pytest.fixture
def someone(app: Flask) -> Visitor:
    """A registered person."""
    someone = Visitor(app)
    someone.register("someone", PHONE)
    return someone


def options(visitor: Visitor, address: str, page: str) -> dict[str, Any]:
    """What the script of the page is told."""
    form = {"csrf_token": hidden(visitor.get(page), "csrf_token")}
    answer = visitor.http.post(address, data=form, headers=SCRIPT)
    assert answer.headers["Cache-Control"] == "no-store"
    told: dict[str, Any] = answer.get_json()
    return told


def add(visitor: Visitor, device: SoftwareAuthenticator, name: str = "办公电脑") -> TestResponse:
    credential = device.create(options(visitor, f"{PASSKEYS}/options", PASSKEYS))
    return visitor.send(PASSKEYS, {"action": "add", "passkey_name": name, "credential": credential})


def sign_in(visitor: Visitor, device: SoftwareAuthenticator) -> TestResponse:
    credential = device.get(options(visitor, "/login/passkey", "/login"))
    return visitor.send("/login", {"action": "passkey", "credential": credential})


def test_a_passkey_is_added_under_a_name_and_signs_in(
    someone: Visitor, device: SoftwareAuthenticator, app: Flask
) -> None:
    answer = add(someone, device)
    assert urlsplit(answer.location).path == CODES
    assert len(shown_codes(someone.get(answer.location))) == 10
    other = Visitor(app)
    assert sign_in(other, device).location == "/account"
    assert acr_of(app)[-1] == "urn:gsp:acr:2fa-crypto"
    page = other.get(PASSKEYS)
    assert "办公电脑" in page.text
    assert other.send(PASSKEYS, {"action": "remove", "id": hidden(page, "id")}).location == PASSKEYS
    assert "还没有通行密钥" in other.get(PASSKEYS).text
    assert "通行密钥未通过核验" in problems(sign_in(Visitor(app), device))[0]


def test_without_javascript_the_forms_of_passkeys_are_not_there(someone: Visitor, app: Flask) -> None:
    for page in (Visitor(app).get("/login"), someone.get(PASSKEYS)):
        form = page.text[page.text.index("data-passkey=") :]
        assert " hidden" in form[: form.index(">")]


def test_a_passkey_confirms_a_sensitive_act(
    someone: Visitor, device: SoftwareAuthenticator, app: Flask
) -> None:
    add(someone, device)
    grow_old(app)
    page = someone.get(f"{CONFIRM}?next=/account")
    assert "使用通行密钥确认" in page.text
    credential = device.get(options(someone, f"{CONFIRM}/passkey", CONFIRM))
    fields = {"action": "passkey", "next": "/account/security", "credential": credential}
    assert someone.send(CONFIRM, fields).location == "/account/security"
    assert acr_of(app) == ["urn:gsp:acr:2fa-crypto"]
    grow_old(app)
    assert someone.send(CONFIRM, fields).status_code == 422


def test_whoever_has_only_passkeys_confirms_by_one_or_by_a_recovery_code(
    someone: Visitor, device: SoftwareAuthenticator
) -> None:
    add(someone, device)
    page = someone.get(someone.get(PASSKEYS).location)
    assert "使用通行密钥确认" in page.text
    assert 'id="totp_code"' in page.text
    assert 'id="sms_code"' not in page.text


def test_a_nameless_or_refused_passkey_is_told_in_words(
    someone: Visitor, device: SoftwareAuthenticator
) -> None:
    assert problems(add(someone, device, " ")) == ["请给通行密钥起个名称，如“办公电脑”"]
    elsewhere = SoftwareAuthenticator("https://evil.example")
    assert "没有识别这个通行密钥" in problems(add(someone, elsewhere))[0]
    page = someone.send(PASSKEYS, {"action": "add", "passkey_name": "电脑"})
    assert "操作已超时" in problems(page)[0]


def test_challenges_are_given_to_pages_of_ours_alone(someone: Visitor, visitor: Visitor) -> None:
    for address in ("/login/passkey", f"{CONFIRM}/passkey", f"{PASSKEYS}/options"):
        assert someone.http.post(address, headers=SCRIPT).status_code == 400
    token = {"csrf_token": hidden(visitor.get("/login"), "csrf_token")}
    for address in (f"{CONFIRM}/passkey", f"{PASSKEYS}/options"):
        assert visitor.http.post(address, data=token, headers=SCRIPT).location == "/login"
    grow_old(someone.app)
    token = {"csrf_token": hidden(someone.get(CONFIRM), "csrf_token")}
    answer = someone.http.post(f"{PASSKEYS}/options", data=token, headers=SCRIPT)
    assert urlsplit(answer.location).path == CONFIRM

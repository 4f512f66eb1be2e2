"""``acr_values=urn:gsp:acr:2fa-crypto``: the way from a client's request to a strong sign-in (RFC 9470)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pyotp
import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from idp import clock
from idp.domain.assurance import PASSWORD_AND_RECOVERY_CODE
from idp.domain.errors import Refusal
from idp.services import authentication, totp
from idp.services.platform import Platform
from idp.storage.database import transaction
from idp.storage.factors import TotpSecret
from tests.oauth.browser import Browser, answer_of, hidden_fields, page_of
from tests.oauth.people import People
from tests.oauth.relying_party import RelyingParty, claims_of
from tests.services.people import ORIGIN, PASSWORD, password_hash, signed_in

STRONG = "urn:gsp:acr:2fa-crypto"
ESSENTIAL = '{"id_token":{"acr":{"value":"urn:gsp:acr:2fa-crypto","essential":true}}}'


@pytest.fixture
def account_id(people: People) -> str:
    """Somebody with a password."""
    return people.person(password_hash=password_hash())


@pytest.fixture
def authenticator(platform: Platform, account_id: str) -> pyotp.TOTP:
    """Their one-time password, whose code of this half minute can be used."""
    _, login = authentication.open_login(platform, signed_in(account_id), ORIGIN, replaces=None)
    app = pyotp.TOTP(totp.begin(platform, login).secret)
    assert not isinstance(totp.confirm(platform, login, app.at(clock.now()), ORIGIN), Refusal)
    with transaction() as session:
        session.execute(update(TotpSecret).values(last_step=0))
    return app


def by_totp(browser: Browser, address: str, code: str) -> TestResponse:
    """Choose the one-time password on the page at this address, and sign in with it."""
    page = browser.get(f"{address}&method=totp")
    assert 'id="totp_code"' in page.text
    fields = {"identifier": "person1", "password": PASSWORD, "totp_code": code, "action": "login"}
    return browser.send(page, "/login", **fields)


@pytest.mark.checklist(73)
@pytest.mark.parametrize("asked", [{"acr_values": STRONG}, {"claims": ESSENTIAL}])
def test_a_strong_sign_in_ends_in_a_token_that_says_so(
    rp: RelyingParty, browser: Browser, account_id: str, authenticator: pyotp.TOTP, asked: dict[str, str]
) -> None:
    browser.allow(rp, account_id)
    redirected = browser.authorize(rp, **asked)
    assert page_of(redirected) == "/login"
    assert "该业务系统要求更强的登录方式" in browser.get(redirected.location).text
    answer = by_totp(browser, redirected.location, authenticator.at(clock.now()))
    claims = claims_of(rp.redeem(answer_of(answer)["code"]).get_json()["id_token"], rp.http)
    assert (claims["acr"], claims["amr"]) == (STRONG, ["pwd", "otp", "mfa"])


@pytest.mark.checklist(73)
def test_whoever_is_signed_in_is_led_to_the_strong_page_and_keeps_the_session(
    rp: RelyingParty, browser: Browser, account_id: str, authenticator: pyotp.TOTP
) -> None:
    browser.allow(rp, account_id)
    sid = browser.sign_in(account_id).sid
    redirected = browser.authorize(rp, acr_values=STRONG)
    page = browser.get(redirected.location).text
    assert 'id="totp_code"' in page
    assert 'value="person1"' in page
    answer = by_totp(browser, redirected.location, authenticator.at(clock.now()))
    claims = claims_of(rp.redeem(answer_of(answer)["code"]).get_json()["id_token"], rp.http)
    assert (claims["acr"], claims["sid"]) == (STRONG, sid)
    again = browser.authorize(rp, acr_values=STRONG)
    assert "code" in answer_of(again)


@pytest.mark.checklist(73)
def test_whoever_has_no_factor_is_told_how_to_get_one_and_comes_back(
    rp: RelyingParty, browser: Browser, account_id: str
) -> None:
    browser.allow(rp, account_id)
    browser.sign_in(account_id)
    redirected = browser.authorize(rp, acr_values=STRONG)
    page = browser.get(redirected.location).text
    assert "您还没有设置通行密钥或动态口令" in page
    request_id = urlsplit(redirected.location).query.removeprefix("request=")
    assert f"/account/security/totp?next=/interaction/resume?request%3D{request_id}" in page
    assert page_of(browser.get(f"/interaction/resume?request={request_id}")) == "/login"


@pytest.mark.checklist(73)
def test_a_weaker_sign_in_within_the_request_is_told_as_what_it_is(
    rp: RelyingParty, browser: Browser, account_id: str
) -> None:
    browser.allow(rp, account_id)
    redirected = browser.authorize(rp, acr_values=STRONG)
    browser.sign_in(account_id)
    answer = browser.get(redirected.location.replace("/login", "/interaction/resume"))
    claims = claims_of(rp.redeem(answer_of(answer)["code"]).get_json()["id_token"], rp.http)
    assert claims["acr"] == "urn:gsp:acr:2fa"


@pytest.mark.checklist(73)
def test_an_essential_strength_fails_for_whoever_can_not_reach_it(
    rp: RelyingParty, browser: Browser, account_id: str
) -> None:
    redirected = browser.authorize(rp, claims=ESSENTIAL)
    browser.sign_in(account_id)
    answer = browser.get(redirected.location.replace("/login", "/interaction/resume"))
    assert answer_of(answer)["error"] == "unmet_authentication_requirements"


@pytest.mark.checklist(73)
def test_an_essential_strength_is_asked_for_again_of_whoever_has_the_factor(
    rp: RelyingParty, browser: Browser, account_id: str, authenticator: pyotp.TOTP
) -> None:
    browser.allow(rp, account_id)
    redirected = browser.authorize(rp, claims=ESSENTIAL)
    browser.sign_in(account_id)
    again = browser.get(redirected.location.replace("/login", "/interaction/resume"))
    assert page_of(again) == "/login"
    assert "code" in answer_of(by_totp(browser, again.location, authenticator.at(clock.now())))


@pytest.mark.checklist(73)
def test_silence_can_not_be_stepped_up(rp: RelyingParty, browser: Browser, account_id: str) -> None:
    browser.sign_in(account_id)
    silent = browser.authorize(rp, acr_values=STRONG, prompt="none")
    assert answer_of(silent)["error"] == "login_required"


def test_the_other_way_of_signing_in_keeps_the_request(rp: RelyingParty, browser: Browser) -> None:
    address = browser.authorize(rp).location
    page = browser.get(f"{address}&method=totp")
    request_id = hidden_fields(page.text)["request"]
    assert address == f"/login?request={request_id}"
    assert f"/login?request={request_id}&amp;method=sms" in page.text
    assert "要求更强的登录方式" not in page.text


def test_a_client_does_not_hear_of_a_recovery_code(
    rp: RelyingParty, browser: Browser, platform: Platform, account_id: str
) -> None:
    browser.allow(rp, account_id)
    shown = authentication.just_shown(account_id, PASSWORD_AND_RECOVERY_CODE)
    token, _ = authentication.open_login(platform, shown, ORIGIN, replaces=None)
    browser.http.set_cookie("login", token)
    claims = claims_of(rp.redeem(browser.code_for(rp)).get_json()["id_token"], rp.http)
    assert (claims["acr"], claims["amr"]) == ("urn:gsp:acr:2fa", ["pwd", "mfa"])

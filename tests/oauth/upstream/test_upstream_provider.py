from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import ECKey

from idp import clock
from idp.oauth.client_keys import JWKS_PAUSE
from idp.oauth.upstream.provider import METADATA_TTL, PAUSE
from idp.outbound import Outbound
from idp.services.platform import Platform
from tests.oauth.upstream.guest import (
    Guest,
    assert_refused,
    title,
)
from tests.oauth.upstream.other_platform import OtherPlatform, new_key
from tests.services.conftest import MovableClock


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"userinfo_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://169.254.169.254/latest"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"token_endpoint": ["x"]},
        {"pushed_authorization_request_endpoint": 7},
    ],
)
def test_a_discovery_document_of_another_or_with_other_addresses_is_none(
    guest: Guest, upstream: OtherPlatform, platform: Platform, change: dict[str, Any]
) -> None:
    upstream.metadata = change
    assert_refused(guest, guest.press(), platform, "upstream_unavailable")


@pytest.mark.parametrize("answer", [lambda: ("x", 200), lambda: ([1], 200), lambda: ({}, 404)])
def test_no_discovery_document_is_asked_for_again_after_a_pause(
    guest: Guest, upstream: OtherPlatform, time: MovableClock, answer: Callable[[], Any]
) -> None:
    path = "/.well-known/openid-configuration"
    upstream.answers[path] = answer
    assert guest.press().status_code == 503
    assert guest.press().status_code == 503
    assert upstream.calls == [path]
    del upstream.answers[path]
    time.advance(seconds=PAUSE.total_seconds() + 1)
    assert guest.press().status_code == 200


def test_a_good_discovery_document_is_kept_for_a_while(
    guest: Guest, upstream: OtherPlatform, time: MovableClock
) -> None:
    path = "/.well-known/openid-configuration"
    guest.press()
    guest.press()
    assert upstream.calls.count(path) == 1
    time.advance(seconds=METADATA_TTL.total_seconds() + 1)
    guest.press()
    assert upstream.calls.count(path) == 2


def test_nobody_is_at_home(make: Callable[..., Flask], upstream: OtherPlatform) -> None:
    app = make(upstream_issuer="http://127.0.0.1:9")
    page = Guest(app).press()
    assert (page.status_code, title(page)) == (503, "暂时无法使用国家政务服务平台账号登录")


def test_no_private_network_is_looked_into(make: Callable[..., Flask], upstream: OtherPlatform) -> None:
    """The other platform's answers choose addresses: a compromised one must not reach behind the wall."""
    app = make()
    platform: Platform = app.extensions["idp"]
    object.__setattr__(platform, "outbound", Outbound(plain_http=True))
    page = Guest(app).press()
    assert page.status_code == 503
    assert upstream.calls == []


@pytest.mark.parametrize("endpoint", ["token_endpoint", "userinfo_endpoint"])
def test_an_endpoint_that_nobody_answers_at(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str, endpoint: str
) -> None:
    upstream.metadata = {endpoint: "http://127.0.0.1:9/"}
    assert_refused(guest, guest.walk(upstream), platform, "upstream_unavailable")


def test_keys_that_have_rolled_over_are_fetched(
    app: Flask, guest: Guest, upstream: OtherPlatform, li: str, time: MovableClock
) -> None:
    assert Guest(app).walk(upstream).location == "/account"
    upstream.keys = [new_key()]
    time.advance(seconds=JWKS_PAUSE.total_seconds() + 1)
    assert guest.walk(upstream).location == "/account"


def test_the_other_platform_may_encrypt_to_our_former_key(
    app: Flask, guest: Guest, upstream: OtherPlatform, platform: Platform, li: str
) -> None:
    former = upstream.our_keys
    platform.keyring.rotate(
        "ECDH-ES", clock.now() + timedelta(seconds=1)
    )  # births are told apart by the second
    published = app.test_client().get("/login/national/jwks.json").get_json()["keys"]
    assert [key["use"] for key in published] == ["sig", "enc", "enc"]
    assert all("d" not in key for key in published)
    assert published[1]["kid"] not in {key.kid for key in former or ()}
    assert guest.walk(upstream).location == "/account"


def test_our_keys_for_the_other_platform_stay_apart_from_those_of_tokens(app: Flask) -> None:
    tokens = app.test_client().get("/oauth/jwks.json").get_json()["keys"]
    assert {key["use"] for key in tokens} == {"sig"}


def test_former_keys_open_and_only_those_that_others_encrypt_to(app: Flask, platform: Platform) -> None:
    keyring = platform.keyring
    (kid,) = [key["kid"] for key in keyring.client_jwks(clock.now())["keys"] if key["use"] == "enc"]
    found = keyring.decryption_key(kid)
    assert isinstance(found, ECKey)
    assert found.is_private
    signing = keyring.signing_key("ES256", clock.now())
    assert keyring.decryption_key(str(signing.kid)) is None
    assert keyring.decryption_key("unknown") is None

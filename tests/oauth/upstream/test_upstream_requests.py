from __future__ import annotations

import pytest

from idp.services.platform import Platform
from tests.oauth.browser import answer_of, hidden_fields
from tests.oauth.conftest import RegisterClient
from tests.oauth.relying_party import claims_of
from tests.oauth.upstream.guest import (
    CRYPTOGRAPHIC,
    TWO_FACTORS,
    Guest,
    assert_refused,
    onward,
    request_of,
)
from tests.oauth.upstream.other_platform import OtherPlatform


def test_a_client_s_request_goes_on(
    guest: Guest, upstream: OtherPlatform, register: RegisterClient, li: str
) -> None:
    rp = register(scope="openid profile")
    request_id = request_of(guest, rp, scope="openid profile")
    assert f'value="{request_id}"' in guest.http.get(f"/login?request={request_id}").text
    page = guest.walk(upstream, request=request_id)
    assert onward(page) == f"/interaction/resume?request={request_id}"
    consent = guest.http.get(onward(page))
    assert consent.location.startswith("/interaction/consent")
    form = hidden_fields(guest.http.get(consent.location).text)
    code = answer_of(guest.http.post("/interaction/consent", data=form | {"decision": "allow"}))["code"]
    told = claims_of(rp.redeem(code).get_json()["id_token"], rp.http)
    assert (told["acr"], told["amr"]) == (TWO_FACTORS, ["pwd", "sms", "mfa"])


def test_a_request_that_is_no_more_leads_nowhere(guest: Guest, upstream: OtherPlatform) -> None:
    form = hidden_fields(guest.http.get("/login").text) | {"request": "unknown"}
    assert guest.http.post("/login/national", data=form).status_code == 400
    assert upstream.calls == []


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"max_age": "60"}, {"max_age": "60"}),
        ({"prompt": "login"}, {"prompt": "login"}),
        ({"prompt": "select_account"}, {"prompt": "login"}),
        ({"acr_values": CRYPTOGRAPHIC}, {"acr_values": TWO_FACTORS}),
    ],
)
def test_what_the_client_asks_of_the_sign_in_is_asked_there(
    guest: Guest,
    upstream: OtherPlatform,
    register: RegisterClient,
    changes: dict[str, str],
    asked: dict[str, str],
) -> None:
    rp = register(scope="openid profile")
    upstream.answer(guest.depart(request=request_of(guest, rp, scope="openid", **changes)))
    assert asked.items() <= upstream.asked.items()


@pytest.mark.parametrize("changes", [{"max_age": "60"}, {"prompt": "login"}])
def test_an_old_sign_in_there_is_not_passed_off_as_a_new_one(
    guest: Guest,
    upstream: OtherPlatform,
    register: RegisterClient,
    platform: Platform,
    li: str,
    changes: dict[str, str],
) -> None:
    rp = register(scope="openid profile")
    upstream.auth_age = 300
    request_id = request_of(guest, rp, scope="openid", **changes)
    page = guest.walk(upstream, request=request_id)
    assert f'value="{request_id}"' in page.text
    assert_refused(guest, page, platform, "upstream_stale")
    upstream.auth_age = 0
    assert guest.walk(upstream, request=request_id, another="1").status_code == 200
    assert upstream.asked["prompt"] == "login"
    assert guest.login() is not None


def test_the_way_back_to_the_password_keeps_the_request(
    guest: Guest, upstream: OtherPlatform, register: RegisterClient
) -> None:
    rp = register(scope="openid profile")
    request_id = request_of(guest, rp, scope="openid")
    page = guest.back(upstream.answer(guest.depart(request=request_id), code=None, error="access_denied"))
    assert f'href="/login?request={request_id}"' in page.text

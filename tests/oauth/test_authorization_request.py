from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from idp.oauth.authorization_request import MAX_NONCE, MAX_STATE
from idp.oauth.requests import MAX_BYTES, MAX_FIELDS, UnreadableRequest, parse
from tests.oauth.browser import Browser, answer_of, is_error_page, page_of, without
from tests.oauth.conftest import RegisterClient, Scene
from tests.oauth.relying_party import ISSUER, REDIRECT_URI, RelyingParty, claims_of

# --- reading parameters


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=MAX_FIELDS))
def test_what_a_form_encodes_is_read_back(parameters: dict[str, str]) -> None:
    encoded = urlencode(parameters, errors="surrogatepass").encode()
    hostile = any("\0" in text or not _is_utf8(text) for pair in parameters.items() for text in pair)
    if hostile or len(encoded) > MAX_BYTES:
        with pytest.raises(UnreadableRequest):
            parse(encoded)
    else:
        assert parse(encoded) == parameters
        assert parse(encoded).repeated == ()


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@given(st.binary())
@example(b"%")
@example(b"a=%ff")
@example(b"a=%ed%a0%80")
@example("a=中".encode())
@example(b"&".join(b"a=1" for _ in range(MAX_FIELDS + 1)))
@example(b"a" * (MAX_BYTES + 1))
def test_any_octets_are_parameters_or_unreadable(encoded: bytes) -> None:
    try:
        parameters = parse(encoded)
    except UnreadableRequest:
        return
    for name, value in parameters.items():
        assert value
        (name + value).encode()
        assert "\0" not in name + value


def test_empty_parameters_count_as_left_out_and_repeated_ones_are_noticed() -> None:
    parameters = parse(b"a=&b=1&b=2&c=3&d&e=5&e=6&b=")
    assert parameters == {"b": "1", "c": "3", "e": "5"}
    assert parameters.repeated == ("b", "e")


# --- what is accepted


@pytest.mark.checklist(13)
def test_get_and_post_are_accepted_alike(scene: Scene) -> None:
    response = scene.browser.http.post("/oauth/authorize", data=scene.rp.request())
    assert answer_of(response).keys() == {"code", "state", "iss"}
    assert answer_of(scene.browser.authorize(scene.rp)).keys() == {"code", "state", "iss"}


@pytest.mark.checklist(13)
def test_a_post_needs_no_session_and_no_anti_forgery_value(rp: RelyingParty, browser: Browser) -> None:
    assert page_of(browser.http.post("/oauth/authorize", data=rp.request())) == "/login"


@pytest.mark.checklist(13)
def test_the_query_of_a_post_is_not_read(rp: RelyingParty, browser: Browser) -> None:
    response = browser.http.post("/oauth/authorize", query_string=rp.request(), data={"x": "1"})
    assert is_error_page(response, "client_id")


@pytest.mark.checklist(14)
def test_unknown_parameters_and_scopes_and_any_order_do_no_harm(scene: Scene) -> None:
    scene.browser.allow(scene.rp, scene.account_id)
    parameters = dict(reversed(scene.rp.request(scope="email unknown:scope openid 中 x").items()))
    response = scene.browser.http.get("/oauth/authorize", query_string=parameters | {"unknown": "中\n"})
    tokens = scene.rp.redeem(answer_of(response)["code"]).get_json()
    assert tokens["scope"] == "email openid"


@pytest.mark.checklist(25)
@pytest.mark.parametrize(
    "parameters",
    [
        {"display": "wap"},
        {"display": "hologram"},
        {"ui_locales": "zh-CN en"},
        {"ui_locales": "!!"},
        {"claims_locales": "xx-YY"},
        {"login_hint": "无人"},
        {"login_hint": "x" * 5000},
        {"acr_values": "urn:gsp:acr:2fa"},
        {"acr_values": "unknown"},
    ],
)
def test_hints_never_cause_an_error(scene: Scene, parameters: dict[str, str]) -> None:
    assert "code" in answer_of(scene.browser.authorize(scene.rp, **parameters))


@pytest.mark.checklist(25)
def test_login_hint_fills_the_name_box(rp: RelyingParty, browser: Browser) -> None:
    page = browser.get(browser.authorize(rp, login_hint='li"><b>示例').location)
    assert 'value="li&#34;&gt;&lt;b&gt;示例"' in page.text


@pytest.mark.checklist(22)
@pytest.mark.parametrize("state", ["x" * 128, "x" * MAX_STATE, "中文 +&=%20?#\"'<>\\"])
def test_state_comes_back_unchanged(scene: Scene, state: str) -> None:
    assert answer_of(scene.browser.authorize(scene.rp, state=state))["state"] == state
    error = answer_of(scene.browser.authorize(scene.rp, state=state, response_type="token"))
    assert error["state"] == state


@pytest.mark.checklist(22)
def test_state_is_not_invented(scene: Scene) -> None:
    assert answer_of(scene.browser.authorize(scene.rp, state=None)).keys() == {"code", "iss"}
    error = answer_of(scene.browser.authorize(scene.rp, state=None, response_type="x"))
    assert error.keys() == {"error", "error_description", "iss"}


@pytest.mark.checklist(22, 23)
def test_what_is_too_long_is_refused_and_never_cut(scene: Scene) -> None:
    answer = answer_of(scene.browser.authorize(scene.rp, state="x" * (MAX_STATE + 1)))
    assert answer["error"] == "invalid_request"
    assert "state" not in answer
    answer = answer_of(scene.browser.authorize(scene.rp, nonce="x" * (MAX_NONCE + 1)))
    assert answer["error"] == "invalid_request"


@pytest.mark.pitfall(19)
@pytest.mark.checklist(23)
@pytest.mark.parametrize("nonce", ["x" * 64, "x" * MAX_NONCE, "中文 \"'<>\\", None])
def test_a_nonce_comes_back_unchanged_and_is_not_needed(scene: Scene, nonce: str | None) -> None:
    claims = claims_of(scene.tokens(nonce=nonce).id_token, scene.rp.http)
    assert claims.get("nonce") == nonce
    assert ("nonce" in claims) is (nonce is not None)


@pytest.mark.checklist(37)
def test_a_client_gets_registered_scopes_only_and_is_told_which(
    register: RegisterClient, scene: Scene
) -> None:
    narrow = register(scope="openid email")
    scene.browser.allow(narrow, scene.account_id)
    code = scene.browser.code_for(narrow, scope="openid email phone enterprise")
    assert narrow.redeem(code).get_json()["scope"] == "email openid"


# --- no redirect


@pytest.mark.checklist(16, 19)
@pytest.mark.parametrize(
    "redirect_uri",
    [
        f"{REDIRECT_URI}/",
        f"{REDIRECT_URI}?x=1",
        f"{REDIRECT_URI}#x",
        "https://rp.example:8443/callback",
        "https://evil.example/callback",
        "http://rp.example/callback",
        "https://rp.example/callback 中",
        "javascript:alert(1)",
        "x" * 5000,
    ],
)
def test_an_unregistered_redirect_uri_gets_a_page(scene: Scene, redirect_uri: str) -> None:
    response = scene.browser.authorize(scene.rp, redirect_uri=redirect_uri)
    assert is_error_page(response, "redirect_uri")


@pytest.mark.checklist(18, 19)
def test_a_missing_redirect_uri_gets_a_page(scene: Scene) -> None:
    assert is_error_page(scene.browser.authorize(scene.rp, redirect_uri=None), "redirect_uri")
    assert is_error_page(scene.browser.authorize(scene.rp, redirect_uri=""), "redirect_uri")


@pytest.mark.checklist(19)
@pytest.mark.parametrize("client_id", [None, "", "unknown", "中", "x" * 5000, "' OR 1=1 --"])
def test_an_unknown_client_gets_a_page(scene: Scene, client_id: str | None) -> None:
    assert is_error_page(scene.browser.authorize(scene.rp, client_id=client_id), "client_id")


@pytest.mark.checklist(15, 19)
@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_who_asks_twice_gets_a_page(scene: Scene, name: str) -> None:
    query = urlencode(scene.rp.request()) + "&" + urlencode({name: scene.rp.request()[name]})
    assert is_error_page(scene.browser.get(f"/oauth/authorize?{query}"), name)


@pytest.mark.checklist(19)
def test_a_disabled_client_gets_a_page(scene: Scene, disable: None) -> None:
    assert is_error_page(scene.browser.authorize(scene.rp), "client_id")


@pytest.fixture
def disable(scene: Scene, platform: object) -> None:
    from idp.domain.audit import Origin
    from idp.services import clients

    assert clients.disable(platform, scene.rp.client_id, Origin("", "", "")) is None  # type: ignore[arg-type]


# --- errors that go to the client


@pytest.mark.checklist(15, 20)
@pytest.mark.parametrize(
    "name", ["scope", "response_type", "state", "nonce", "code_challenge", "prompt", "unknown"]
)
def test_a_parameter_sent_twice_is_refused(scene: Scene, name: str) -> None:
    query = urlencode(scene.rp.request(prompt="none", unknown="1")) + f"&{name}=x"
    answer = answer_of(scene.browser.get(f"/oauth/authorize?{query}"))
    assert answer["error"] == "invalid_request"


@pytest.mark.pitfall(16)
@pytest.mark.checklist(20)
def test_every_other_error_goes_to_the_client_with_state_and_issuer(
    rp: RelyingParty, browser: Browser
) -> None:
    response = browser.authorize(rp, response_type="token")
    assert response.location.startswith(f"{REDIRECT_URI}?")
    answer = answer_of(response)
    assert answer.keys() == {"error", "error_description", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("a-state", ISSUER)
    assert re.fullmatch(r"[ !#-\[\]-~]+", answer["error_description"])


@pytest.mark.pitfall(1)
@pytest.mark.checklist(20, 21, 24, 28, 34, 35, 36, 45)
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token", "nonce": None}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": '码"\\'}, "unsupported_response_type"),
        ({"response_mode": "fragment.jwt"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "中"}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "x" * 44}, "invalid_request"),
        ({"code_challenge": "+" * 43}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"max_age": "9" * 400}, "invalid_request"),
        ({"max_age": "1.5"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"claims": "no json"}, "invalid_request"),
        ({"claims": "[" * 3000}, "invalid_request"),
        ({"claims": '{"userinfo":{"enterprise_credit_code":{"value":"\\ud800"}}}'}, "invalid_request"),
        ({"id_token_hint": "no token"}, "invalid_request"),
        ({"request": "x.y.z"}, "invalid_request_object"),
        ({"request_uri": "https://rp.example/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)
def test_what_is_wrong_is_told_to_the_client(
    rp: RelyingParty, browser: Browser, changes: dict[str, str | None], error: str
) -> None:
    answer = answer_of(browser.authorize(rp, **changes))
    assert answer["error"] == error
    assert re.fullmatch(r"[ !#-\[\]-~]+", answer["error_description"])


@pytest.mark.checklist(21)
def test_a_client_without_the_code_grant_is_unauthorized(register: RegisterClient, browser: Browser) -> None:
    job = register(grant_types=["client_credentials"])
    assert answer_of(browser.authorize(job))["error"] == "unauthorized_client"


@pytest.mark.pitfall(8)
@pytest.mark.checklist(36)
@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_pkce_is_required_from_every_client(register: RegisterClient, browser: Browser, method: str) -> None:
    client = register(token_endpoint_auth_method=method)
    request = without(client.request(), "code_challenge", "code_challenge_method")
    response = browser.http.get("/oauth/authorize", query_string=request)
    assert answer_of(response)["error"] == "invalid_request"

"""Every endpoint that the provider's own metadata names, asked with what that metadata says and with what
nobody should: nothing is answered with a 500, and nothing but JSON, a page or a redirect is answered at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.oauth.conftest import RegisterClient, Scene, Tokens
from tests.oauth.relying_party import CLIENT_KEY, REDIRECT_URI, VERIFIER, RelyingParty, dpop_proof

# The names that the OAuth Parameters registry knows for requests.
PARAMETERS: Final = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "display",
    "ui_locales",
    "claims_locales",
    "id_token_hint",
    "login_hint",
    "acr_values",
    "claims",
    "request",
    "request_uri",
    "registration",
    "response_mode",
    "resource",
    "authorization_details",
    "dpop_jkt",
    "grant_type",
    "code",
    "code_verifier",
    "refresh_token",
    "username",
    "password",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "token",
    "token_type_hint",
    "device_code",
    "user_code",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
    "audience",
    "access_token",
    "post_logout_redirect_uri",
    "logout_hint",
]
ANY_TEXT: Final = st.text(max_size=30) | st.sampled_from(
    ["中文", "\0", "\ud7ff", "[" * 500, "a" * 5000, "{}", "[]"]
)


def values_of(document: Mapping[str, Any]) -> list[str]:
    """Every text that the metadata holds: what a well-meaning client would send."""
    return sorted({text for value in document.values() for text in _texts(value)})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)


@pytest.fixture
def documents(scene: Scene) -> dict[str, Any]:
    document: dict[str, Any] = scene.rp.http.get("/.well-known/openid-configuration").get_json()
    return document


@pytest.fixture
def tokens(scene: Scene) -> Tokens:
    return scene.tokens()


@pytest.fixture
def fapi(register: RegisterClient) -> RelyingParty:
    jwks = {"keys": [CLIENT_KEY.as_dict(private=False)]}
    grants = ["authorization_code", "refresh_token", "client_credentials"]
    return register(profile="fapi2", jwks=jwks, grant_types=grants)


def endpoints(document: Mapping[str, Any]) -> list[str]:
    """The paths of the addresses that the metadata names; addresses of one client have an id at the end."""
    return sorted(
        urlsplit(value).path
        for name, value in document.items()
        if name.endswith("_endpoint") or name == "jwks_uri"
    )


def assert_sound(response: TestResponse) -> None:
    assert response.status_code < 500, response.text
    assert response.mimetype in {"application/json", "application/jwt", "text/html", ""} or not response.data
    if response.mimetype == "application/json" and response.data:
        assert response.get_json() is not None


@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=250)
@given(data=st.data())
def test_no_endpoint_is_broken_by_its_own_vocabulary_or_any_other(
    scene: Scene, fapi: RelyingParty, tokens: Tokens, documents: dict[str, Any], data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(endpoints(documents)))
    known = [
        *values_of(documents),
        *scene.rp.request().values(),
        REDIRECT_URI,
        VERIFIER,
        tokens.access_token,
        tokens.refresh_token,
        tokens.id_token,
        fapi.client_id,
    ]
    value = st.sampled_from(known) | ANY_TEXT
    names = st.sampled_from(PARAMETERS) | st.text(min_size=1, max_size=8)
    pairs = data.draw(st.lists(st.tuples(names, value), max_size=8))
    start = data.draw(st.sampled_from(["nothing", "request", "secret", "assertion"]))
    headers = {"DPoP": dpop_proof(path)} if data.draw(st.booleans()) else {}
    form = _start(start, scene.rp, fapi, headers) | dict(pairs)
    method = data.draw(st.sampled_from(["get", "post"]))
    _visit(scene, method, path, form, headers)


def _start(kind: str, rp: RelyingParty, fapi: RelyingParty, headers: dict[str, str]) -> dict[str, str]:
    """Where the fuzzing begins: at nothing, or at what is right."""
    if kind == "request":
        return rp.request()
    if kind == "secret":
        headers |= rp.proof()[0]
        return {"grant_type": "authorization_code"}
    return fapi.request() | fapi.with_assertion() if kind == "assertion" else {}


def _visit(scene: Scene, method: str, path: str, form: dict[str, str], headers: dict[str, str]) -> None:
    encoded = urlencode(form, errors="surrogatepass")
    if method == "get":
        assert_sound(scene.browser.http.get(f"{path}?{encoded}", headers=headers))
    else:
        form_type = "application/x-www-form-urlencoded"
        assert_sound(scene.browser.http.post(path, data=encoded, content_type=form_type, headers=headers))


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=100)
@given(data=st.data(), body=JSON)
def test_no_endpoint_is_broken_by_json(
    scene: Scene, documents: dict[str, Any], data: st.DataObject, body: Any
) -> None:
    path = data.draw(st.sampled_from(endpoints(documents)))
    for method in ("post", "put", "patch", "delete"):
        assert_sound(getattr(scene.browser.http, method)(path, json=body))

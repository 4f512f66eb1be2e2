from __future__ import annotations

import re
import time as wall_clock
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.keyring import LEAD_TTL
from idp.oauth import metadata
from idp.services.platform import Platform
from tests.oauth.conftest import Scene
from tests.oauth.relying_party import claims_of, header_of
from tests.services.conftest import MovableClock

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def keys(http: FlaskClient) -> list[dict[str, Any]]:
    published: list[dict[str, Any]] = http.get("/oauth/jwks.json").get_json()["keys"]
    return published


@pytest.fixture
def at_once_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ready document is made anew for each request, so that no test waits a second."""
    monkeypatch.setattr(metadata, "_JWKS_SECONDS", 0.0)


@pytest.mark.checklist(8, 9)
def test_the_jwk_set_holds_public_signing_keys_only(http: FlaskClient) -> None:
    published = keys(http)
    assert {(key["kty"], key["alg"], key["use"]) for key in published} == {
        ("EC", "ES256", "sig"),
        ("RSA", "RS256", "sig"),
        ("RSA", "PS256", "sig"),
        ("OKP", "EdDSA", "sig"),
    }
    assert {key["crv"] for key in published if "crv" in key} == {"P-256", "Ed25519"}
    assert len({key["kid"] for key in published}) == len(published)
    for key in published:
        assert not PRIVATE & key.keys()
        for member in ("n", "e", "x", "y"):
            assert re.fullmatch(r"[A-Za-z0-9_-]+", key.get(member, "A"))


@pytest.mark.checklist(11)
def test_the_jwk_set_may_be_cached_for_a_while(http: FlaskClient) -> None:
    response = http.get("/oauth/jwks.json")
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.checklist(10)
def test_a_rotation_is_published_at_once_and_signs_after_its_lead(
    scene: Scene, platform: Platform, time: MovableClock, at_once_seen: None
) -> None:
    http = scene.rp.http
    before = scene.tokens()
    kid = platform.keyring.rotate("RS256", time.now())
    assert kid in {key["kid"] for key in keys(http)}
    assert header_of(scene.tokens().id_token)["kid"] == header_of(before.id_token)["kid"]
    time.advance(seconds=LEAD_TTL.total_seconds() + 1)
    after = scene.tokens()
    assert header_of(after.id_token)["kid"] == kid
    assert claims_of(before.id_token, http)["sub"] == claims_of(after.id_token, http)["sub"]


@pytest.mark.checklist(10)
def test_the_former_key_leaves_when_nothing_it_signed_lives_any_more(
    scene: Scene, platform: Platform, time: MovableClock, at_once_seen: None
) -> None:
    former = header_of(scene.tokens().id_token)["kid"]
    platform.keyring.rotate("RS256", time.now())
    time.advance(seconds=(LEAD_TTL + timedelta(hours=8)).total_seconds())
    assert former in {key["kid"] for key in keys(scene.rp.http)}
    time.advance(days=2)
    assert former not in {key["kid"] for key in keys(scene.rp.http)}


@pytest.mark.checklist(10)
def test_a_rotation_shows_within_a_second_without_restart(
    http: FlaskClient, platform: Platform, time: MovableClock
) -> None:
    keys(http)
    kid = platform.keyring.rotate("ES256", time.now())
    deadline = wall_clock.monotonic() + 1.5
    while kid not in {key["kid"] for key in keys(http)}:
        assert wall_clock.monotonic() < deadline
        wall_clock.sleep(0.05)

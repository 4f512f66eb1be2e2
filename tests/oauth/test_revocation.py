from __future__ import annotations

import pytest
from sqlalchemy import select

from idp.storage.audit import AuditEvent as Entry
from idp.storage.database import reading
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.relying_party import assert_error
from tests.services.conftest import MovableClock


@pytest.mark.pitfall(13)
@pytest.mark.checklist(91)
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "unknown"])
def test_either_token_ends_the_whole_grant(scene: Scene, which: str, hint: str | None) -> None:
    tokens = scene.tokens()
    more = {"token_type_hint": hint} if hint else {}
    response = scene.rp.revoke(getattr(tokens, which), **more)
    assert (response.status_code, response.get_json()) == (200, {})
    assert response.headers["Cache-Control"] == "no-store"
    assert scene.rp.introspect(tokens.access_token) == {"active": False}
    assert scene.rp.userinfo(tokens.access_token).status_code == 401
    assert_error(scene.rp.refresh(tokens.refresh_token), "invalid_grant")
    assert scene.rp.revoke(getattr(tokens, which)).status_code == 200
    with reading() as session:
        recorded = session.scalars(select(Entry.event).where(Entry.event == "authorization:revoke")).all()
    assert len(recorded) == 1


def test_the_former_refresh_token_ends_the_grant_too(scene: Scene) -> None:
    former = scene.tokens().refresh_token
    current = scene.rp.refresh(former).get_json()["refresh_token"]
    assert scene.rp.revoke(former).status_code == 200
    assert_error(scene.rp.refresh(current), "invalid_grant")


def test_another_client_ends_nothing(register: RegisterClient, scene: Scene) -> None:
    tokens = scene.tokens()
    for other in (register(), register(token_endpoint_auth_method="none")):
        for token in (tokens.access_token, tokens.refresh_token):
            assert other.revoke(token).status_code == 200
    assert scene.rp.introspect(tokens.access_token)["active"] is True


def test_a_public_client_gives_its_token_back(register: RegisterClient, scene: Scene) -> None:
    app = register(token_endpoint_auth_method="none")
    scene.browser.allow(app, scene.account_id, scene.enterprise_id)
    tokens = app.redeem(scene.browser.code_for(app)).get_json()
    assert app.revoke(tokens["refresh_token"]).status_code == 200
    assert_error(app.refresh(tokens["refresh_token"]), "invalid_grant")


@both_backends
def test_a_clients_own_token_is_remembered_as_revoked(
    register: RegisterClient, scene: Scene, time: MovableClock
) -> None:
    job = register(grant_types=["client_credentials"], redirect_uris=[], scope="job:run")
    first, second = (
        job.token({"grant_type": "client_credentials"}).get_json()["access_token"] for _ in range(2)
    )
    assert scene.rp.revoke(first).status_code == 200
    assert job.introspect(first)["active"] is True
    assert job.revoke(first).status_code == 200
    assert job.introspect(first) == {"active": False}
    assert job.introspect(second)["active"] is True
    time.advance(minutes=6)
    assert job.revoke(second).status_code == 200


@pytest.mark.pitfall(13)
@pytest.mark.parametrize("token", ["x", "x.y.z", "中", "A" * 20_000, "..", "0.0.0"])
def test_an_unknown_token_is_no_error(scene: Scene, token: str) -> None:
    response = scene.rp.revoke(token)
    assert (response.status_code, response.get_json()) == (200, {})


def test_a_missing_token_is_an_invalid_request(scene: Scene) -> None:
    assert_error(scene.rp.post("/oauth/revoke", {}), "invalid_request")


def test_an_id_token_revokes_nothing(scene: Scene) -> None:
    tokens = scene.tokens()
    assert scene.rp.revoke(tokens.id_token).status_code == 200
    assert scene.rp.introspect(tokens.access_token)["active"] is True

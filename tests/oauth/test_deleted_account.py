"""An account that is deleted ends what it granted, also while a client is just refreshing."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from idp import clock
from idp.domain.errors import Refusal
from idp.services import authorizations, clients, deletion
from idp.services.platform import Platform
from idp.storage.accounts import Account
from idp.storage.database import reading
from idp.storage.outbox import OutboxMessage
from tests.oauth.browser import ORIGIN
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.services.conftest import at_once


def login_name(account_id: str) -> str:
    with reading() as session:
        return session.get_one(Account, account_id).login_name


@both_backends
def test_a_refresh_at_the_same_moment_leaves_nothing_alive(scene: Scene, platform: Platform) -> None:
    token = scene.tokens().refresh_token
    client = clients.find_client(platform, scene.rp.client_id)
    assert client is not None
    name = login_name(scene.account_id)

    def refresh() -> Any:
        return authorizations.rotate(platform, client, token, None, ORIGIN, clock.now())

    def delete() -> Any:
        return deletion.request(platform, scene.account_id, name, ORIGIN)

    refreshed, deleted = at_once([refresh, delete])
    assert deleted is None
    current = (
        token if isinstance(refreshed, Refusal) else authorizations.refresh_token_of(platform, refreshed)
    )
    assert authorizations.find_by_refresh_token(platform, current, clock.now(), former=True) is None
    assert isinstance(authorizations.rotate(platform, client, current, None, ORIGIN, clock.now()), Refusal)


def test_clients_are_told(register: RegisterClient, scene: Scene, platform: Platform) -> None:
    told = register(backchannel_logout_uri="https://rp.example/logout")
    scene.browser.allow(told, scene.account_id, scene.enterprise_id)
    told.redeem(scene.browser.code_for(told))
    assert deletion.request(platform, scene.account_id, login_name(scene.account_id), ORIGIN) is None
    with reading() as session:
        statement = select(OutboxMessage.payload_encrypted).where(OutboxMessage.kind == "backchannel_logout")
        sealed = session.scalars(statement).all()
    payloads = [json.loads(platform.keyring.fields.decrypt(text, "outbox.payload")) for text in sealed]
    assert {payload["client_id"] for payload in payloads} == {told.client_id}

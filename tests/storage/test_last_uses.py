from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from idp import crypto
from idp.crypto import FieldCipher
from idp.storage import authorizations as rows
from idp.storage import logins
from idp.storage.authorizations import Authorization
from idp.storage.clients import Client
from idp.storage.database import transaction
from idp.storage.handlers import HandlerAuthorization
from tests.people import LONG_AGO, add_authorization, add_enterprise, add_person

CIPHER = FieldCipher({"k": b"k" * 32}, "k", b"i" * 32)
DAY = timedelta(days=1)


@pytest.fixture
def handler(in_app: Flask) -> str:
    with transaction() as session:
        person, maker = add_person(session, CIPHER, "li_example"), add_enterprise(session, CIPHER, "makers")
        metadata = {"client_id": "smdvs", "client_name": "smdvs"}
        session.add(
            Client(client_id="smdvs", client_metadata=metadata, created_at=LONG_AGO, updated_at=LONG_AGO)
        )
        authorization = add_authorization(session, person, maker)
    return authorization.id


def use(session: Session, handler_id: str, redeemed_at: datetime | None, rotated_at: datetime | None) -> None:
    handler = session.get_one(HandlerAuthorization, handler_id)
    session.add(
        Authorization(
            id=crypto.random_id(),
            client_id="smdvs",
            account_id=handler.account_id,
            enterprise_id=handler.enterprise_id,
            handler_authorization_id=handler_id,
            account_type="handler",
            scope="openid",
            auth_time=0,
            acr="urn:gsp:acr:2fa",
            amr=["pwd"],
            redirect_uri="https://rp.example.test/callback",
            code_challenge="x" * 43,
            code_expires_at=LONG_AGO,
            redeemed_at=redeemed_at,
            rotated_at=rotated_at,
            expires_at=LONG_AGO,
            created_at=LONG_AGO,
        )
    )
    session.flush()


def kept(handler_id: str) -> datetime | None:
    with transaction() as session:
        return session.get_one(HandlerAuthorization, handler_id).last_used_at


def purge() -> None:
    with transaction() as session:
        logins.purge_authorizations(session, LONG_AGO + DAY, 10)


def test_the_last_use_is_the_last_token_and_outlives_its_row(handler: str) -> None:
    with transaction() as session:
        use(session, handler, LONG_AGO, LONG_AGO + 2 * DAY)
        use(session, handler, LONG_AGO + DAY, None)
        use(session, handler, None, None)
        assert rows.last_uses(session, [handler]) == {handler: LONG_AGO + 2 * DAY}
    purge()
    assert kept(handler) == LONG_AGO + 2 * DAY
    with transaction() as session:
        assert rows.last_uses(session, [handler]) == {}
        use(session, handler, LONG_AGO + DAY, None)
    purge()
    assert kept(handler) == LONG_AGO + 2 * DAY

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from idp import clock, crypto
from idp.domain.audit import Origin
from idp.services import clients
from idp.storage import authorizations as rows
from idp.storage.accounts import Account
from idp.storage.authorizations import Authorization
from idp.storage.database import single_statements, transaction
from idp.storage.enterprises import Enterprise
from idp.storage.handlers import HandlerAuthorization
from tests.oauth.people import People

REDIRECT_URI = "https://rp.example/cb"
CHALLENGE = "c" * 43
ONE_MINUTE = timedelta(minutes=1)


class Table:
    """One authorization of a handler in the table, and the statements that act on it."""

    def __init__(self, app: Flask) -> None:
        platform = app.extensions["idp"]
        self.now = clock.now()
        people = People(platform)
        metadata = {"client_id": "rp", "client_name": "RP", "redirect_uris": [REDIRECT_URI]}
        clients.register(platform, metadata, Origin("", "", ""))
        self.enterprise_id = people.legal_person().enterprise_id
        self.account_id = people.person()
        self.handler_authorization_id = people.handler(self.account_id, self.enterprise_id)
        self.id = crypto.random_id()
        with single_statements() as driver:
            rows.add(driver, self.columns())

    def columns(self, **changes: Any) -> dict[str, Any]:
        return {
            "id": self.id,
            "client_id": "rp",
            "account_id": self.account_id,
            "sid": None,
            "enterprise_id": self.enterprise_id,
            "handler_authorization_id": self.handler_authorization_id,
            "account_type": "handler",
            "scope": "openid",
            "requested_claims": None,
            "nonce": None,
            "auth_time": 1,
            "acr": "a",
            "amr": ["pwd"],
            "redirect_uri": REDIRECT_URI,
            "code_challenge": CHALLENGE,
            "code_expires_at": self.now + ONE_MINUTE,
            "resources": None,
            "authorization_details": None,
            "dpop_jkt": None,
            "redeemed_at": None,
            "generation": 0,
            "rotated_at": None,
            "expires_at": self.now + timedelta(hours=1),
            "created_at": self.now,
            "revoked_at": None,
            "revoked_reason": None,
        } | changes

    def redeem(self, **changes: Any) -> bool:
        values: dict[str, Any] = {
            "authorization_id": self.id,
            "presented_by": "rp",
            "presented_redirect_uri": REDIRECT_URI,
            "presented_challenge": CHALLENGE,
            "presented_jkt": None,
            "bound_jkt": None,
            "now": clock.now(),
        }
        with single_statements() as driver:
            return rows.redeem(driver, **values | changes) is not None

    def rotate(self, generation: int, client_id: str = "rp") -> Any:
        with single_statements() as driver:
            return rows.rotate(driver, self.id, client_id, generation, None, clock.now())

    def is_live(self, at: datetime | None = None) -> bool:
        with single_statements() as driver:
            live = rows.find_live(driver, self.id, at or clock.now()) is not None
            with_person = rows.find_live_with_person(driver, self.id, at or clock.now()) is not None
        assert live is with_person
        return live

    def set(self, row: type[Any], row_id: str, **columns: Any) -> None:
        with transaction() as session:
            session.execute(update(row).where(row.id == row_id).values(**columns))


@pytest.fixture
def table(in_app: Flask) -> Table:
    return Table(in_app)


def test_a_code_is_redeemed_once(table: Table) -> None:
    assert not table.is_live()
    assert table.redeem()
    assert table.is_live()
    assert not table.redeem()


@pytest.mark.parametrize(
    "changes",
    [
        {"authorization_id": "x" * 22},
        {"presented_by": "other"},
        {"presented_redirect_uri": "https://rp.example/other"},
        {"presented_redirect_uri": ""},
        {"presented_challenge": "d" * 43},
        {"presented_challenge": ""},
    ],
)
def test_whatever_does_not_fit_redeems_nothing_and_burns_nothing(
    table: Table, changes: dict[str, str]
) -> None:
    assert not table.redeem(**changes)
    assert table.redeem()


def test_an_expired_code_is_not_redeemed(table: Table) -> None:
    assert not table.redeem(now=table.now + ONE_MINUTE)


def test_only_the_present_generation_steps_on(table: Table) -> None:
    assert table.rotate(0) is None  # not redeemed yet
    table.redeem()
    assert table.rotate(0, client_id="other") is None
    assert table.rotate(1) is None
    assert table.rotate(0)["generation"] == 1
    assert table.rotate(0) is None
    assert table.rotate(1)["generation"] == 2


LIVENESS: dict[str, Callable[[Table], None]] = {
    "revoked": lambda table: table.set(Authorization, table.id, revoked_at=table.now),
    "expired": lambda table: table.set(Authorization, table.id, expires_at=table.now),
    "account frozen": lambda table: table.set(Account, table.account_id, status="frozen"),
    "account deleted": lambda table: table.set(Account, table.account_id, status="deleted"),
    "enterprise closed": lambda table: table.set(Enterprise, table.enterprise_id, status="closed"),
    "handler pending": lambda table: table.set(
        HandlerAuthorization, table.handler_authorization_id, status="pending"
    ),
    "handler revoked": lambda table: table.set(
        HandlerAuthorization, table.handler_authorization_id, status="revoked"
    ),
    "handler expired": lambda table: table.set(
        HandlerAuthorization, table.handler_authorization_id, valid_until=table.now
    ),
    "handler not yet": lambda table: table.set(
        HandlerAuthorization, table.handler_authorization_id, valid_from=table.now + ONE_MINUTE
    ),
}


@pytest.mark.parametrize("end", LIVENESS)
def test_nothing_lives_on_what_has_ended(table: Table, end: str) -> None:
    LIVENESS[end](table)
    assert not table.redeem()
    with transaction() as session:
        session.execute(update(Authorization).values(redeemed_at=table.now))
    assert not table.is_live()
    assert table.rotate(0) is None


def test_a_validity_period_ends_on_the_instant(table: Table) -> None:
    table.redeem()
    ends_at = table.now + timedelta(minutes=10)
    table.set(HandlerAuthorization, table.handler_authorization_id, valid_until=ends_at)
    assert table.is_live(ends_at - timedelta(microseconds=1))
    assert not table.is_live(ends_at)


def test_an_authorization_without_enterprise_rests_on_the_account_alone(table: Table) -> None:
    table.set(Authorization, table.id, enterprise_id=None, handler_authorization_id=None)
    table.redeem()
    table.set(Enterprise, table.enterprise_id, status="closed")
    assert table.is_live()


def test_what_is_revoked_is_returned_once(table: Table) -> None:
    for expected in (1, 0):
        with transaction() as session:
            revoked = rows.revoke(session, Authorization.id == table.id, "test", clock.now())
        assert len(revoked) == expected
    with single_statements() as driver:
        state = rows.find_state(driver, table.id)
    assert state
    assert state["revoked_at"] is not None

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.crypto import FieldCipher
from idp.storage import handlers as rows
from idp.storage.accounts import Account
from idp.storage.enterprises import Enterprise
from tests.people import (
    BATTERY_MAKER,
    LONG_AGO,
    WANG,
    add_authorization,
    add_enterprise,
    add_person,
)
from tests.queries import AssertQueries

CIPHER = FieldCipher({"k": b"k" * 32}, "k", b"i" * 32)
NOW = LONG_AGO + timedelta(days=100)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def li(session: Session) -> Account:
    return add_person(session, CIPHER, "li_example")


@pytest.fixture
def maker(session: Session) -> Enterprise:
    return add_enterprise(session, CIPHER, "makers")


def test_a_handler_may_act_with_what_was_approved(
    session: Session, li: Account, maker: Enterprise, assert_queries: AssertQueries
) -> None:
    until = NOW + timedelta(days=1)
    authorization = add_authorization(session, li, maker, valid_until=until)
    with assert_queries(1):
        (row,) = rows.list_acting(session.connection(), li.id, NOW)
    assert tuple(row.values()) == (
        maker.id,
        "91990101MADEM00117",
        "示例新能源汽车有限公司",
        authorization.id,
        ["nev-accident-report"],
        until,
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "pending"},
        {"status": "refused"},
        {"status": "revoked"},
        {"status": "withdrawn"},
        {"status": "expired"},
        {"valid_until": NOW},
        {"valid_until": NOW - timedelta(days=1)},
        {"valid_from": NOW + timedelta(seconds=1)},
    ],
)
def test_nobody_acts_by_what_is_not_approved_and_in_its_period(
    session: Session, li: Account, maker: Enterprise, columns: dict[str, Any]
) -> None:
    add_authorization(session, li, maker, **columns)
    assert rows.list_acting(session.connection(), li.id, NOW) == []


def test_the_legal_person_account_acts_for_its_own_enterprise(
    session: Session, li: Account, maker: Enterprise
) -> None:
    (row,) = rows.list_acting(session.connection(), maker.legal_account_id, NOW)
    assert tuple(row.values()) == (
        maker.id,
        maker.enterprise_credit_code,
        maker.enterprise_name,
        None,
        None,
        None,
    )
    assert rows.list_acting(session.connection(), li.id, NOW) == []


def test_nobody_acts_for_a_closed_enterprise(session: Session, li: Account, maker: Enterprise) -> None:
    add_authorization(session, li, maker)
    maker.status = "closed"
    session.flush()
    assert rows.list_acting(session.connection(), li.id, NOW) == []
    assert rows.list_acting(session.connection(), maker.legal_account_id, NOW) == []


def test_several_enterprises_come_by_name(session: Session, li: Account, maker: Enterprise) -> None:
    batteries = add_enterprise(session, CIPHER, "batteries", BATTERY_MAKER)
    add_authorization(session, li, batteries)
    add_authorization(session, li, maker)
    names = [row["enterprise_name"] for row in rows.list_acting(session.connection(), li.id, NOW)]
    assert sorted(names) == sorted([maker.enterprise_name, batteries.enterprise_name])
    assert names == [row["enterprise_name"] for row in rows.list_acting(session.connection(), li.id, NOW)]


@pytest.mark.parametrize("first", ["pending", "approved"])
@pytest.mark.parametrize("second", ["pending", "approved"])
def test_the_database_has_one_open_authorisation_of_a_person_for_an_enterprise(
    session: Session, li: Account, maker: Enterprise, first: str, second: str
) -> None:
    add_authorization(session, li, maker, status=first)
    with pytest.raises(IntegrityError):
        add_authorization(session, li, maker, status=second)


def test_closed_authorisations_are_no_obstacle(session: Session, li: Account, maker: Enterprise) -> None:
    for status in ("refused", "revoked", "withdrawn", "expired", "refused"):
        add_authorization(session, li, maker, status=status)
    assert rows.lock_open(session, li.id, maker.id) is None
    current = add_authorization(session, li, maker, status="pending")
    assert rows.lock_open(session, li.id, maker.id) is current


def test_an_authorisation_is_locked_with_both_sides(session: Session, li: Account, maker: Enterprise) -> None:
    authorization = add_authorization(session, li, maker)
    assert rows.lock(session, authorization.id) == (authorization, li, maker)
    assert rows.lock(session, "nothing") is None


def test_lists_are_newest_first_and_of_one_side_only(
    session: Session, li: Account, maker: Enterprise, assert_queries: AssertQueries
) -> None:
    wang = add_person(session, CIPHER, "wang_example", WANG)
    batteries = add_enterprise(session, CIPHER, "batteries", BATTERY_MAKER)
    old = add_authorization(session, li, maker, status="refused")
    new = add_authorization(session, li, maker, applied_at=LONG_AGO + timedelta(days=1))
    of_wang = add_authorization(session, wang, maker, applied_at=LONG_AGO + timedelta(days=2))
    elsewhere = add_authorization(session, li, batteries, applied_at=LONG_AGO + timedelta(days=3))
    with assert_queries(1):
        of_li = rows.list_of_account(session, li.id)
    assert [told[0] for told in of_li] == [elsewhere, new, old]
    assert [told[0] for told in rows.list_of_enterprise(session, maker.id)] == [of_wang, new, old]

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from idp.domain.audit import Entry
from idp.storage import audit as rows
from idp.storage.database import reading, transaction

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("in_app")


def insert(**values: Any) -> None:
    columns = {
        "occurred_at": NOON,
        "event": "login:success",
        "result": "success",
        "address": "192.0.2.7",
        "request_id": "request",
        "detail": {"列": ["值", 1, None]},
    }
    with transaction() as session:
        rows.insert_event(session, columns | values)


def unsealed() -> list[Entry]:
    with reading() as session:
        return rows.list_unsealed(session, 10)


def test_a_line_comes_back_exactly_as_it_went_in() -> None:
    insert(account_id="account", object_id="object")
    (entry,) = unsealed()
    assert entry.occurred_at == NOON
    assert entry.detail == {"列": ["值", 1, None]}
    assert (entry.account_id, entry.enterprise_id, entry.object_id) == ("account", None, "object")


def test_lines_are_sealed_in_order_and_only_once() -> None:
    for _ in range(3):
        insert()
    first, second, third = (entry.id for entry in unsealed())
    with transaction() as session:
        assert rows.find_head(session) is None
        assert rows.seal_events(session, [(first, 1, "a" * 64), (second, 2, "b" * 64)])
        assert rows.find_head(session) == (2, "b" * 64)
        assert not rows.seal_events(session, [(second, 3, "c" * 64), (third, 4, "d" * 64)])
    with reading() as session:
        assert [(e.id, number, seal[0]) for e, number, seal in rows.list_sealed(session, 0, 2)] == [
            (first, 1, "a"),
            (second, 2, "b"),
        ]
        assert [number for _, number, _ in rows.list_sealed(session, 2, 2)] == [4]
        assert rows.count_unsealed(session) == 0


def test_a_place_in_the_chain_is_given_once() -> None:
    insert()
    insert()
    first, second = (entry.id for entry in unsealed())
    with transaction() as session:
        rows.seal_events(session, [(first, 1, "a" * 64)])
    with transaction() as session, pytest.raises(IntegrityError):
        rows.seal_events(session, [(second, 1, "b" * 64)])


def test_lines_of_a_period_come_in_order_of_writing() -> None:
    for hours in range(4):
        insert(occurred_at=NOON + timedelta(hours=hours))
    with reading() as session:
        since, until = NOON + timedelta(hours=1), NOON + timedelta(hours=3)
        found = rows.list_events_after(session, 0, since, until, 10)
        assert [entry.occurred_at for entry, _, _ in found] == [since, NOON + timedelta(hours=2)]
        assert rows.list_events_after(session, found[-1][0].id, since, until, 10) == []


def test_an_area_is_what_stands_before_the_colon() -> None:
    insert(event="login:success")
    insert(event="login:failure")
    insert(event="login_name:change")
    with reading() as session:
        assert len(rows.list_events(session, "login", None, 0, 10)) == 2
        assert len(rows.list_events(session, "login:failure", None, 0, 10)) == 1
        assert len(rows.list_events(session, None, None, 1, 1)) == 1

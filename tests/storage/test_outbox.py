from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from idp.storage import outbox as rows
from idp.storage.database import reading, transaction
from tests.queries import AssertQueries

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)

pytestmark = pytest.mark.usefixtures("in_app")


def insert(payload: str, **values: Any) -> None:
    columns = {
        "kind": "sms",
        "payload_encrypted": payload,
        "created_at": NOON,
        "next_attempt_at": NOON,
        "attempts": 0,
        "delivered_at": None,
    }
    with transaction() as session:
        rows.insert_message(session, columns | values)


def lease(now: datetime = NOON) -> str | None:
    with transaction() as session:
        leased = rows.lease_due(session, now, now + timedelta(seconds=30))
    return leased.payload_encrypted if leased else None


def test_the_message_due_longest_comes_first_and_none_before_its_time() -> None:
    insert("second", next_attempt_at=NOON)
    insert("first", next_attempt_at=NOON - timedelta(seconds=1))
    insert("future", next_attempt_at=LATER)
    insert("done", next_attempt_at=None)
    assert [lease() for _ in range(3)] == ["first", "second", None]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # on SQLite writers queue
def test_a_message_locked_by_another_worker_is_passed_over() -> None:
    insert("first", next_attempt_at=NOON - timedelta(seconds=1))
    insert("second")
    with transaction() as session:
        taken = rows.lease_due(session, NOON, LATER)
        assert taken is not None
        assert taken.payload_encrypted == "first"
        assert lease() == "second"


def test_a_lease_counts_the_attempt() -> None:
    insert("message")
    for attempt in (1, 2):
        with transaction() as session:
            leased = rows.lease_due(session, NOON + timedelta(minutes=attempt), NOON)
        assert leased is not None
        assert leased.attempts == attempt


def test_only_the_holder_of_the_present_lease_marks_a_message() -> None:
    insert("message")
    with transaction() as session:
        leased = rows.lease_due(session, NOON, LATER)
        assert leased is not None
        rows.mark_delivered(session, leased.id, leased.attempts - 1, NOON)
        rows.mark_failed(session, leased.id, leased.attempts + 1, None, "wrong")
    with reading() as session:
        assert rows.has_due(session, LATER)
        assert rows.list_recent(session, "sms", 10) == [("message", NOON, None)]


def test_an_error_is_cut_to_its_column() -> None:
    insert("message")
    with transaction() as session:
        leased = rows.lease_due(session, NOON, LATER)
        assert leased is not None
        rows.mark_failed(session, leased.id, leased.attempts, LATER, "x" * 1000)
    with reading() as session:
        assert not rows.has_due(session, NOON)
        assert rows.has_due(session, LATER)


def test_looking_for_due_messages_and_leasing_one_take_few_statements(assert_queries: AssertQueries) -> None:
    insert("message")
    with assert_queries(1), reading() as session:
        rows.has_due(session, NOON)
    with assert_queries(2):
        lease()


def test_purging_takes_what_is_delivered_and_old_up_to_the_limit() -> None:
    for payload in ("one", "two", "three"):
        insert(payload, next_attempt_at=None, delivered_at=NOON)
    insert("given up", next_attempt_at=None)
    insert("waiting")
    insert("young", next_attempt_at=None, delivered_at=LATER, created_at=LATER)
    with transaction() as session:
        assert rows.purge_delivered(session, LATER, 2) == 2
        assert rows.purge_delivered(session, LATER, 2) == 1
        assert rows.purge_delivered(session, LATER, 2) == 0
    assert remaining() == ["young", "waiting", "given up"]


def test_purging_what_is_given_up_leaves_the_rest() -> None:
    insert("given up", next_attempt_at=None)
    insert("given up since", next_attempt_at=None, created_at=LATER)
    insert("delivered", next_attempt_at=None, delivered_at=NOON)
    insert("waiting")
    with transaction() as session:
        assert rows.purge_given_up(session, LATER, 10) == 1
    assert remaining() == ["waiting", "delivered", "given up since"]


def remaining() -> list[str]:
    with reading() as session:
        return [payload for payload, *_ in rows.list_recent(session, "sms", 10)]


def test_undelivered_is_what_an_attempt_has_failed_of_newest_first() -> None:
    insert("new")
    insert("being attempted", attempts=1, next_attempt_at=LATER)
    insert("tried again later", attempts=1, next_attempt_at=LATER, last_error="timeout")
    insert("given up", attempts=9, next_attempt_at=None, last_error="answered 503")
    insert("ended without a word", attempts=2, next_attempt_at=LATER)
    insert("delivered at last", attempts=2, next_attempt_at=None, delivered_at=NOON)
    with reading() as session:
        found = rows.list_undelivered(session, 0, 10)
        assert rows.count_undelivered(session) == 3
        assert rows.list_undelivered(session, 1, 1) == [found[1]]
    assert [row.payload_encrypted for row in found] == [
        "ended without a word",
        "given up",
        "tried again later",
    ]


def test_only_what_is_undelivered_is_found_made_due_and_deleted() -> None:
    insert("given up", attempts=9, next_attempt_at=None)
    insert("delivered", attempts=1, next_attempt_at=None, delivered_at=NOON)
    with transaction() as session:
        (given_up,) = rows.list_undelivered(session, 0, 10)
        assert rows.find_undelivered(session, given_up.id) == given_up
        assert rows.find_undelivered(session, given_up.id + 1) is None
        rows.mark_due(session, given_up.id, NOON)
    assert lease() == "given up"
    with transaction() as session:
        rows.delete_message(session, given_up.id)
        assert rows.count_undelivered(session) == 0


def test_a_message_is_put_back_only_by_its_holder() -> None:
    insert("message")
    with transaction() as session:
        leased = rows.lease_due(session, NOON, LATER)
        assert leased is not None
        rows.put_back(session, leased.id, leased.attempts + 1, NOON)
    assert lease() is None
    with transaction() as session:
        rows.put_back(session, leased.id, leased.attempts, NOON)
    assert lease() == "message"

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


def test_purging_takes_what_is_done_and_old_up_to_the_limit() -> None:
    for payload in ("one", "two", "three"):
        insert(payload, next_attempt_at=None)
    insert("waiting")
    insert("young", next_attempt_at=None, created_at=LATER)
    with transaction() as session:
        assert rows.purge_done(session, LATER, 2) == 2
        assert rows.purge_done(session, LATER, 2) == 1
        assert rows.purge_done(session, LATER, 2) == 0
    with reading() as session:
        assert [payload for payload, *_ in rows.list_recent(session, "sms", 10)] == ["young", "waiting"]

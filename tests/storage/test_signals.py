"""Streams and the events that wait in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.storage import signals as rows
from idp.storage.clients import Client
from idp.storage.database import reading, transaction
from idp.storage.signals import SignalStream

NOW = datetime(2026, 11, 25, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("in_app")


def add_stream(session: Session, client_id: str, stream_id: str | None = None) -> str:
    if session.get(Client, client_id) is None:
        session.add(Client(client_id=client_id, client_metadata={}, created_at=NOW, updated_at=NOW))
        session.flush()
    row = SignalStream(
        stream_id=stream_id or f"stream of {client_id}",
        client_id=client_id,
        delivery_method="urn:ietf:rfc:8936",
        events_requested=["urn:x"],
        status="enabled",
        created_at=NOW,
        updated_at=NOW,
    )
    session.add(row)
    session.flush()
    return row.stream_id


def add_events(*jtis: str, client_id: str = "one", at: datetime = NOW) -> None:
    with transaction() as session:
        stream = rows.find_stream(session, client_id)
        stream_id = stream.stream_id if stream else add_stream(session, client_id)
        for jti in jtis:
            rows.add_event(session, stream_id, jti, f"sealed {jti}", at)


def waiting(client_id: str = "one", limit: int | None = None) -> list[str]:
    with reading() as session:
        return [event.jti for event in rows.list_events(session, f"stream of {client_id}", limit)]


def test_a_client_has_one_stream() -> None:
    with transaction() as session:
        add_stream(session, "one")
        add_stream(session, "two")
        assert rows.list_receivers(session) == {"one", "two"}
    with pytest.raises(IntegrityError), transaction() as session:
        add_stream(session, "one", "another")


def test_a_stream_goes_with_its_client_and_its_events_with_it() -> None:
    add_events("a")
    with transaction() as session:
        session.delete(session.get_one(Client, "one"))
        session.flush()
        assert rows.find_stream(session, "one") is None
        assert rows.lock_stream(session, "one", to_change=True) is None
    assert waiting() == []


def test_events_wait_in_the_order_in_which_they_came_and_once() -> None:
    add_events("c", "a", "b", "a")
    assert waiting() == ["c", "a", "b"]
    assert waiting(limit=2) == ["c", "a"]


def test_only_ones_own_events_are_forgotten() -> None:
    add_events("a", "b", "c")
    add_events("z", client_id="two")
    with transaction() as session:
        assert rows.delete_events(session, "stream of one", ["a", "z", "unknown"]) == 1
    assert (waiting(), waiting("two")) == (["b", "c"], ["z"])
    with transaction() as session:
        assert rows.delete_events(session, "stream of one") == 2
    assert (waiting(), waiting("two")) == ([], ["z"])


def test_events_that_nobody_fetches_go_after_a_while_some_at_a_time() -> None:
    add_events("old", "older", at=NOW - timedelta(days=8))
    add_events("new")
    with transaction() as session:
        assert rows.purge_events(session, NOW - timedelta(days=7), 1) == 1
        assert rows.purge_events(session, NOW - timedelta(days=7), 9) == 1
    assert waiting() == ["new"]

"""A client's own stream: registered, changed, paused, tried, removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from idp.domain.errors import Refusal
from idp.domain.signal_streams import POLL, PUSH, Delivery, Stream
from idp.domain.signals import EVENTS_SUPPORTED, SESSION_REVOKED, VERIFICATION
from idp.services import signal_streams
from idp.services.platform import Platform
from idp.storage.database import reading
from idp.storage.signals import SignalStream
from tests.services.conftest import MovableClock, at_once
from tests.services.people import ORIGIN, events
from tests.services.receivers import (
    HEADER,
    PUSHED,
    URL,
    Receiver,
    deliver,
    fetch,
    polled,
    register,
    set_status,
    sign_out,
    stream,
)

Change = Callable[[Platform, str, dict[str, Any]], Stream | Refusal | None]


@pytest.fixture(autouse=True)
def _registered(platform: Platform) -> None:
    register(platform)
    register(platform, "another")


def update(platform: Platform, client_id: str, document: dict[str, Any]) -> Stream | Refusal:
    return signal_streams.update(platform, client_id, document, ORIGIN)


def replace(platform: Platform, client_id: str, document: dict[str, Any]) -> Stream | Refusal:
    return signal_streams.replace(platform, client_id, document, ORIGIN)


def change_status(platform: Platform, client_id: str, document: dict[str, Any]) -> Stream | Refusal:
    return signal_streams.set_status(platform, client_id, {"status": "paused"} | document, ORIGIN)


def delete(platform: Platform, client_id: str, document: dict[str, Any]) -> Refusal | None:
    return signal_streams.delete(platform, client_id, document.get("stream_id"), ORIGIN)


def delivers(platform: Platform, header: str | None) -> bool:
    return signal_streams.delivers_by(platform, "receiver", Delivery(PUSH, URL, header))


def test_a_stream_is_enabled_at_once_and_its_header_is_kept_sealed(platform: Platform) -> None:
    mine = stream(platform, PUSHED)
    assert (mine.status, mine.method, mine.endpoint_url) == ("enabled", PUSH, URL)
    assert signal_streams.get_stream("receiver", mine.stream_id) == mine
    with reading() as session:
        sealed = session.get_one(SignalStream, mine.stream_id).authorization_header_encrypted
    assert sealed is not None
    assert HEADER not in sealed
    assert delivers(platform, HEADER)
    assert not delivers(platform, "Bearer another")
    assert not signal_streams.delivers_by(platform, "another", Delivery(PUSH, URL, HEADER))


def test_a_second_stream_is_refused_also_at_the_same_moment(platform: Platform) -> None:
    outcomes = at_once([lambda: signal_streams.create(platform, "receiver", {}, ORIGIN)] * 3)
    assert sorted(isinstance(outcome, Stream) for outcome in outcomes) == [False, False, True]
    assert {o.code for o in outcomes if isinstance(o, Refusal)} == {"stream_exists"}


def test_every_change_is_in_the_audit_trail(platform: Platform) -> None:
    mine = stream(platform, PUSHED)
    set_status(platform, mine, "paused")
    delete(platform, "receiver", {"stream_id": mine.stream_id})
    found = [entry for entry in events(platform) if entry.event.startswith("signal_stream:")]
    assert sorted(entry.event.partition(":")[2] for entry in found) == ["create", "delete", "update"]
    assert {(entry.client_id, entry.object_id) for entry in found} == {("receiver", mine.stream_id)}
    assert all(HEADER not in str(entry.detail) for entry in found)


@pytest.mark.parametrize("change", [update, replace, change_status, delete, signal_streams.verify])
def test_nobody_reaches_the_stream_of_another(platform: Platform, change: Change) -> None:
    theirs = stream(platform, client_id="another")
    unknown = Refusal.of("stream_unknown")
    document = {"stream_id": theirs.stream_id}
    assert change(platform, "receiver", document) == unknown
    mine = stream(platform)
    assert change(platform, "receiver", document) == unknown
    assert change(platform, "receiver", {}) == unknown
    assert change(platform, "receiver", {"stream_id": [mine.stream_id]}) == unknown
    assert signal_streams.get_stream("receiver", theirs.stream_id) == unknown
    assert signal_streams.find_stream("another") == theirs


def test_a_patch_changes_what_it_names_and_leaves_the_rest(platform: Platform) -> None:
    mine = stream(platform, {**PUSHED, "description": "one"})
    changed = update(
        platform, "receiver", {"stream_id": mine.stream_id, "events_requested": [SESSION_REVOKED]}
    )
    assert isinstance(changed, Stream)
    assert changed.events_requested == (SESSION_REVOKED,)
    assert (changed.description, changed.endpoint_url) == ("one", URL)
    assert delivers(platform, HEADER)


def test_a_new_delivery_replaces_the_header_with_it(platform: Platform) -> None:
    mine = stream(platform, PUSHED)
    delivery = {"method": PUSH, "endpoint_url": URL}
    assert isinstance(
        update(platform, "receiver", {"stream_id": mine.stream_id, "delivery": delivery}), Stream
    )
    assert delivers(platform, None)


def test_a_put_takes_back_what_it_leaves_out(platform: Platform) -> None:
    mine = stream(platform, {**PUSHED, "events_requested": [SESSION_REVOKED], "description": "one"})
    replaced = replace(platform, "receiver", {"stream_id": mine.stream_id, "aud": "receiver"})
    assert isinstance(replaced, Stream)
    assert (replaced.method, replaced.endpoint_url, replaced.description) == (POLL, None, None)
    assert replaced.events_requested == EVENTS_SUPPORTED


@pytest.mark.parametrize("change", [update, replace])
@pytest.mark.parametrize("document", [{"aud": "another"}, {"delivery": "x"}, {"events_requested": []}])
def test_a_wrong_change_changes_nothing(platform: Platform, change: Change, document: dict[str, Any]) -> None:
    mine = stream(platform, PUSHED)
    refusal = change(platform, "receiver", {"stream_id": mine.stream_id, **document})
    assert isinstance(refusal, Refusal)
    assert refusal.code == "stream_invalid"
    assert signal_streams.find_stream("receiver") == mine
    assert delivers(platform, HEADER)


def test_a_wrong_status_changes_nothing(platform: Platform) -> None:
    mine = stream(platform)
    outcome = change_status(platform, "receiver", {"stream_id": mine.stream_id, "status": "x"})
    assert isinstance(outcome, Refusal)
    assert signal_streams.find_stream("receiver") == mine


def test_a_removed_stream_is_gone_with_its_events(platform: Platform) -> None:
    mine = stream(platform)
    sign_out(platform)
    assert delete(platform, "receiver", {"stream_id": mine.stream_id}) is None
    assert signal_streams.find_stream("receiver") is None
    stream(platform)
    assert fetch(platform) == []


@pytest.mark.parametrize("state", [None, "a state"])
def test_a_verification_comes_through_the_stream_whatever_was_asked_for(
    platform: Platform, state: str | None
) -> None:
    mine = stream(platform, {"events_requested": ["urn:x"]})
    assert signal_streams.verify(platform, "receiver", {"stream_id": mine.stream_id, "state": state}) is None
    (event,) = polled(platform)
    assert event["events"] == {VERIFICATION: {} if state is None else {"state": state}}
    assert event["sub_id"] == {"format": "opaque", "id": mine.stream_id}


def test_a_verification_is_pushed_too(platform: Platform) -> None:
    mine = stream(platform, PUSHED)
    signal_streams.verify(platform, "receiver", {"stream_id": mine.stream_id})
    receiver = Receiver()
    assert deliver(platform, receiver) == 1
    assert list(receiver.received[0]["events"]) == [VERIFICATION]


def test_a_verification_may_be_asked_for_every_ten_seconds(
    database_store: Platform, moving_clock: MovableClock
) -> None:
    mine = stream(database_store)
    document = {"stream_id": mine.stream_id}
    assert signal_streams.verify(database_store, "receiver", document) is None
    too_soon = Refusal.of("verification_too_soon")
    assert signal_streams.verify(database_store, "receiver", document) == too_soon
    moving_clock.advance(seconds=10)
    assert signal_streams.verify(database_store, "receiver", document) is None


def test_without_throttling_it_may_be_asked_for_at_any_time(make_platform: Callable[..., Platform]) -> None:
    platform = make_platform(throttle=False)
    mine = stream(platform)
    for _ in range(3):
        assert signal_streams.verify(platform, "receiver", {"stream_id": mine.stream_id}) is None


def test_a_disabled_stream_and_a_state_too_long_are_no_verification(platform: Platform) -> None:
    mine = stream(platform)
    set_status(platform, mine, "disabled")
    for document in ({}, {"state": "x" * 1001}):
        refusal = signal_streams.verify(platform, "receiver", {"stream_id": mine.stream_id, **document})
        assert isinstance(refusal, Refusal)
        assert refusal.code == "stream_invalid"

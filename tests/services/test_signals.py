"""Events between their cause and the client: raised, pushed, held, fetched."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from idp import clock
from idp.domain.errors import Refusal
from idp.domain.signal_streams import Stream
from idp.domain.signals import SESSION_REVOKED, TOKEN_CLAIMS_CHANGE
from idp.outbound import OutboundError
from idp.services import clients, outbox, retention, signal_streams, signals
from idp.services.platform import Platform
from idp.storage.database import transaction
from tests.queries import AssertQueries
from tests.services.conftest import MovableClock, at_once
from tests.services.people import ORIGIN
from tests.services.receivers import (
    HEADER,
    PUSHED,
    URL,
    NoSms,
    Receiver,
    deliver,
    fetch,
    outgoing,
    polled,
    register,
    set_status,
    sid_of,
    sign_out,
    stream,
)


@pytest.fixture(autouse=True)
def _registered(platform: Platform) -> None:
    register(platform)
    register(platform, "another")


def authorizations_ended(platform: Platform, *rows: dict[str, Any], reason: str = "handler_revoked") -> None:
    usual: dict[str, Any] = {
        "client_id": "receiver",
        "account_id": "account",
        "sid": "sid",
        "scope": "openid enterprise handler",
        "enterprise_credit_code": "91990101MADEM00117",
        "handler_authorization_id": "authorisation",
        "redeemed_at": clock.now(),
    }
    with transaction() as session:
        signals.authorizations_ended(session, platform, [usual | row for row in rows], reason, clock.now())


# --- raising


def test_without_a_stream_an_end_costs_no_statement(
    platform: Platform, assert_queries: AssertQueries
) -> None:
    sign_out(platform)
    with transaction() as session, assert_queries(0):
        row = {"client_id": "receiver", "account_id": "account", "sid": "sid"}
        signals.sessions_ended(session, platform, [row] * 20, "logout", clock.now())
    assert outgoing() == []


def test_only_who_has_a_stream_is_told(platform: Platform, assert_queries: AssertQueries) -> None:
    stream(platform, client_id="another")
    sign_out(platform)
    with assert_queries(0), transaction() as session:
        row = {"client_id": "receiver", "account_id": "account", "sid": "sid"}
        signals.sessions_ended(session, platform, [row], "logout", clock.now())
    assert fetch(platform, client_id="another") == []


def test_an_event_of_a_change_that_fails_is_never_sent(platform: Platform) -> None:
    stream(platform)

    def change_that_fails() -> None:
        with transaction() as session:
            row = {"client_id": "receiver", "account_id": "account", "sid": "sid"}
            signals.sessions_ended(session, platform, [row], "logout", clock.now())
            raise LookupError

    with pytest.raises(LookupError):
        change_that_fails()
    assert fetch(platform) == []


def test_the_same_end_is_told_once_and_each_enterprise_has_its_own(platform: Platform) -> None:
    stream(platform)
    other = {"enterprise_credit_code": "91990101MADEM002XY"}
    authorizations_ended(platform, {}, {}, other, reason="consent_withdrawn")
    events = polled(platform)
    assert [event["sub_id"]["tenant"]["id"] for event in events] == [
        "91990101MADEM00117",
        "91990101MADEM002XY",
    ]
    assert len({event["txn"] for event in events}) == 1
    assert len({event["jti"] for event in events}) == 2


def test_a_client_that_never_used_the_authorization_is_not_told_of_its_end(platform: Platform) -> None:
    stream(platform)
    authorizations_ended(platform, {"redeemed_at": None})
    assert fetch(platform) == []


def test_only_the_events_that_were_asked_for_are_sent(platform: Platform) -> None:
    stream(platform, {"events_requested": [TOKEN_CLAIMS_CHANGE, "urn:x"]})
    authorizations_ended(platform, {})
    (event,) = polled(platform)
    assert list(event["events"]) == [TOKEN_CLAIMS_CHANGE]


def test_a_revoked_handler_has_no_matter_left_and_no_session(platform: Platform) -> None:
    stream(platform)
    authorizations_ended(platform, {})
    change, revoked = polled(platform)
    assert change["events"][TOKEN_CLAIMS_CHANGE]["claims"] == {"handler_scope": []}
    assert list(revoked["events"]) == [SESSION_REVOKED]
    assert change["txn"] == revoked["txn"]


def test_a_disabled_client_is_told_nothing(platform: Platform) -> None:
    stream(platform)
    clients.disable(platform, "receiver", ORIGIN)
    sign_out(platform)
    clients.enable(platform, "receiver", ORIGIN)
    assert fetch(platform) == []


def test_a_stream_removed_a_moment_ago_in_another_process_gets_nothing(platform: Platform) -> None:
    mine = stream(platform)
    sign_out(platform)
    signal_streams.delete(platform, "receiver", mine.stream_id, ORIGIN)
    platform.signal_receivers.get("all", lambda: frozenset({"receiver"}))
    sign_out(platform)
    stream(platform)
    assert fetch(platform) == []


# --- push


def test_an_event_is_pushed_with_the_receivers_header_and_the_row_does_not_tell_what_it_said(
    platform: Platform,
) -> None:
    stream(platform, PUSHED)
    sign_out(platform, "the-session")
    (row,) = outgoing()
    assert "the-session" not in row.payload_encrypted
    receiver = Receiver()
    assert deliver(platform, receiver) == 1
    ((url, _, headers),) = receiver.posted
    assert url == URL
    assert headers == {
        "Content-Type": "application/secevent+jwt",
        "Accept": "application/json",
        "Authorization": HEADER,
    }
    assert [sid_of(claims) for claims in receiver.received] == ["the-session"]
    assert deliver(platform, receiver) == 0


def test_without_a_header_none_is_sent(platform: Platform) -> None:
    stream(platform, {"delivery": {"method": "urn:ietf:rfc:8935", "endpoint_url": URL}})
    sign_out(platform)
    receiver = Receiver()
    assert deliver(platform, receiver) == 1
    assert "Authorization" not in receiver.posted[0][2]


def test_a_receiver_that_is_down_slow_or_odd_gets_the_same_event_again(
    platform: Platform, moving_clock: MovableClock
) -> None:
    stream(platform, PUSHED)
    sign_out(platform)
    receiver = Receiver(
        [OutboundError("unreachable", "r"), OutboundError("timeout", "r"), 503, 500, 401, 302, 200, 400],
        b"not even JSON",
    )
    errors = []
    for _ in range(8):
        assert deliver(platform, receiver) == 0
        errors.append(outgoing()[0].last_error)
        moving_clock.advance(minutes=5)
    assert errors == [
        *("unreachable r", "timeout r", "answered 503", "answered 500"),
        *("answered 401", "answered 302", "answered 200", "answered 400"),
    ]
    assert deliver(platform, receiver) == 1
    assert len({json.dumps(claims, sort_keys=True) for claims in receiver.received}) == 1


def test_an_error_of_the_receiver_is_its_last_word(platform: Platform) -> None:
    stream(platform, PUSHED)
    sign_out(platform)
    assert deliver(platform, Receiver([400], b'{"err": "invalid_audience", "description": "secret"}')) == 0
    (row,) = outgoing()
    assert (row.next_attempt_at, row.delivered_at, row.attempts) == (None, None, 1)
    assert row.last_error == "refused invalid_audience"


def test_an_event_is_pushed_for_a_week_and_no_longer(platform: Platform, moving_clock: MovableClock) -> None:
    stream(platform, PUSHED)
    sign_out(platform)
    moving_clock.advance(days=6, hours=23)
    assert deliver(platform, Receiver([503])) == 0
    assert outgoing()[0].next_attempt_at is not None
    moving_clock.advance(minutes=59, seconds=59)
    assert deliver(platform, Receiver([503])) == 0
    assert outgoing()[0].next_attempt_at is None


def test_a_worker_killed_between_attempts_leaves_the_event_to_another(
    platform: Platform, moving_clock: MovableClock
) -> None:
    stream(platform, PUSHED)
    sign_out(platform)
    dead = outbox.lease_due(platform, clock.now())
    assert dead is not None
    receiver = Receiver()
    assert deliver(platform, receiver) == 0
    moving_clock.advance(seconds=30)
    assert deliver(platform, receiver) == 1
    assert len(receiver.posted) == 1


def test_several_workers_push_each_event_once(platform: Platform) -> None:
    stream(platform, PUSHED)
    for number in range(20):
        sign_out(platform, f"{number}")
    receiver = Receiver()
    assert sum(at_once([lambda: deliver(platform, receiver)] * 3)) == 20
    assert sorted(map(sid_of, receiver.received), key=int) == [f"{number}" for number in range(20)]


def test_a_worker_that_cannot_push_leaves_the_event_to_one_that_can(
    platform: Platform, moving_clock: MovableClock
) -> None:
    stream(platform, PUSHED)
    sign_out(platform)
    assert outbox.deliver_due(platform, NoSms(), lambda _: None, clock.now()) == 0
    assert outgoing()[0].last_error == "kind_unknown signal"
    moving_clock.advance(seconds=1)
    assert deliver(platform, Receiver()) == 1


def test_an_event_of_a_client_that_is_gone_is_done(platform: Platform) -> None:
    stream(platform, PUSHED)
    sign_out(platform)
    message = {"client_id": "receiver", "stream_id": "", "claims": {}}
    mine = signal_streams.find_stream("receiver")
    assert mine is not None
    signals.push(platform, lambda _claims: None, message | {"stream_id": mine.stream_id})


def test_what_was_on_its_way_into_a_removed_stream_is_dropped(platform: Platform) -> None:
    mine = stream(platform, PUSHED)
    sign_out(platform)
    assert signal_streams.delete(platform, "receiver", mine.stream_id, ORIGIN) is None
    receiver = Receiver()
    assert deliver(platform, receiver) == 1
    stream(platform, PUSHED)
    assert deliver(platform, receiver) == 0
    assert receiver.posted == []


def test_what_was_on_its_way_does_not_get_into_the_streams_successor(platform: Platform) -> None:
    mine = stream(platform, PUSHED)
    sign_out(platform)
    signal_streams.delete(platform, "receiver", mine.stream_id, ORIGIN)
    stream(platform, PUSHED)
    receiver = Receiver()
    deliver(platform, receiver)
    assert receiver.posted == []


# --- paused, disabled, changed


def test_a_paused_stream_holds_what_comes_and_what_was_on_its_way_in_order(platform: Platform) -> None:
    mine = stream(platform, PUSHED)
    sign_out(platform, "first")
    set_status(platform, mine, "paused")
    receiver = Receiver()
    assert deliver(platform, receiver) == 1
    sign_out(platform, "second")
    assert deliver(platform, receiver) == 0
    assert receiver.posted == []
    set_status(platform, mine, "enabled")
    assert deliver(platform, receiver) == 2
    assert [sid_of(claims) for claims in receiver.received] == ["first", "second"]
    set_status(platform, mine, "enabled")
    assert deliver(platform, receiver) == 0


def test_a_paused_stream_answers_no_poll_and_keeps_its_events(platform: Platform) -> None:
    mine = stream(platform)
    sign_out(platform)
    set_status(platform, mine, "paused")
    assert fetch(platform) == []
    set_status(platform, mine, "enabled")
    assert fetch(platform) == ["sid"]


@pytest.mark.parametrize("document", [PUSHED, {}])
def test_a_disabled_stream_loses_everything(platform: Platform, document: dict[str, object]) -> None:
    mine = stream(platform, document)
    sign_out(platform, "before")
    set_status(platform, mine, "disabled")
    receiver = Receiver()
    deliver(platform, receiver)
    sign_out(platform, "meanwhile")
    set_status(platform, mine, "enabled")
    deliver(platform, receiver)
    assert receiver.posted == []
    if not document:
        assert fetch(platform) == []


def test_a_receiver_that_changes_to_polling_fetches_what_was_on_its_way_and_back_again(
    platform: Platform,
) -> None:
    mine = stream(platform, PUSHED)
    sign_out(platform)
    polling = {"stream_id": mine.stream_id, "delivery": {"method": "urn:ietf:rfc:8936"}}
    assert isinstance(signal_streams.update(platform, "receiver", polling, ORIGIN), Stream)
    receiver = Receiver()
    assert deliver(platform, receiver) == 1
    assert fetch(platform) == ["sid"]
    pushing = {"stream_id": mine.stream_id, **PUSHED}
    assert isinstance(signal_streams.update(platform, "receiver", pushing, ORIGIN), Stream)
    assert deliver(platform, receiver) == 1
    assert [sid_of(claims) for claims in receiver.received] == ["sid"]


def test_no_event_is_lost_between_pausing_and_going_on(platform: Platform) -> None:
    mine = stream(platform, PUSHED)
    set_status(platform, mine, "paused")
    sign_out(platform, "before")
    at_once(
        [
            lambda: set_status(platform, mine, "enabled"),
            *[lambda sid=f"{number}": sign_out(platform, sid) for number in range(5)],
        ]
    )
    receiver = Receiver()
    deliver(platform, receiver)
    assert len(receiver.posted) == 6


# --- poll


def test_a_poll_brings_the_events_until_they_are_acknowledged(platform: Platform) -> None:
    stream(platform)
    for sid in ("one", "two"):
        sign_out(platform, sid)
    first, second = polled(platform)
    assert polled(platform) == (first, second)
    assert fetch(platform, first["jti"]) == ["two"]
    assert fetch(platform, first["jti"], "unknown", second["jti"]) == []


def test_a_poll_brings_as_many_as_are_asked_for_and_says_that_there_are_more(platform: Platform) -> None:
    stream(platform)
    for number in range(3):
        sign_out(platform, f"{number}")
    for most, sids, more in ((2, ["0", "1"], True), (3, ["0", "1", "2"], False), (0, [], True)):
        outcome = signals.poll(platform, "receiver", (), {}, most)
        assert isinstance(outcome, signals.Polled)
        assert ([sid_of(event) for event in outcome.events], outcome.more_available) == (sids, more)


def test_one_poll_brings_a_hundred_at_most(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "MOST_AT_ONCE", 2)
    stream(platform)
    for number in range(3):
        sign_out(platform, f"{number}")
    assert fetch(platform, most=1000) == ["0", "1"]
    assert fetch(platform) == ["0", "1"]


def test_an_event_that_the_receiver_cannot_take_is_gone_too_and_logged(
    platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    stream(platform)
    sign_out(platform)
    (event,) = polled(platform)
    outcome = signals.poll(platform, "receiver", (), {event["jti"]: "invalid_key"}, None)
    assert outcome == signals.Polled((), more_available=False)
    assert f"receiver could not take the event {event['jti']}: invalid_key" in caplog.text


def test_nobody_acknowledges_the_events_of_another(platform: Platform) -> None:
    stream(platform)
    stream(platform, client_id="another")
    sign_out(platform)
    (event,) = polled(platform)
    assert fetch(platform, event["jti"], client_id="another") == []
    assert fetch(platform) == ["sid"]


def test_who_is_pushed_to_or_has_no_stream_has_nothing_to_poll(platform: Platform) -> None:
    assert signals.poll(platform, "receiver", (), {}, None) == Refusal.of("stream_unknown")
    stream(platform, PUSHED)
    assert signals.poll(platform, "receiver", (), {}, None) == Refusal.of("stream_unknown")


def test_events_that_nobody_fetches_are_kept_for_a_week(
    platform: Platform, moving_clock: MovableClock
) -> None:
    stream(platform)
    sign_out(platform)
    retention.purge(moving_clock.moment + timedelta(days=7))
    assert fetch(platform) == ["sid"]
    retention.purge(moving_clock.moment + timedelta(days=7, seconds=1))
    assert fetch(platform) == []

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Lock
from typing import Any

import pytest

from idp import clock
from idp.outbound import Answer, OutboundError
from idp.services import outbox
from idp.services.outbox import Channels
from idp.services.platform import Platform
from idp.sms import SmsError
from idp.storage import outbox as rows
from idp.storage.database import reading, transaction
from tests.services.conftest import MovableClock, at_once
from tests.services.people import PHONE

LOGOUT_URI = "https://client.example/backchannel-logout"


@dataclass
class Gateway:
    """Takes messages, or refuses them as told."""

    failing: bool = False
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def send(self, phone: str, message: str, reference: str) -> None:
        if self.failing:
            raise SmsError("answered 503")
        with self.lock:
            self.sent.append((phone, message, reference))


@dataclass
class Clients:
    """Stands where Outbound does: what clients are posted, and what they answer."""

    answers: list[int | OutboundError]
    body: bytes = b""
    posted: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def post(self, url: str, data: Mapping[str, str]) -> Answer:
        self.posted.append((url, data))
        answer = self.answers.pop(0)
        if isinstance(answer, OutboundError):
            raise answer
        return Answer(answer, {}, self.body)


def sign(message: Mapping[str, Any]) -> str | None:
    return f"token of {message['claims']['sid']} for {message['client_id']}"


@pytest.fixture
def sending(platform: Platform) -> Platform:
    """A platform whose text messages leave through a gateway."""
    return replace(platform, settings=replace(platform.settings, sms="http"))


def enqueue(platform: Platform, text: str = "text", code: str | None = None) -> None:
    with transaction() as session:
        outbox.enqueue_sms(session, platform, PHONE, "login", text, code=code)


def enqueue_logout(platform: Platform) -> None:
    with transaction() as session:
        outbox.enqueue_logout_token(session, platform, "smdvs", LOGOUT_URI, {"sub": "account", "sid": "sid"})


def deliver(platform: Platform, gateway: Gateway | None = None) -> int:
    return outbox.deliver_due(platform, gateway or Gateway(), sign, clock.now())


def waiting() -> list[Any]:
    with reading() as session:
        return list(session.execute(rows.table.select().order_by(rows.table.c.id)))


def test_a_development_message_is_complete_when_written(platform: Platform) -> None:
    enqueue(platform, "验证码123456", code="123456")
    gateway = Gateway()
    assert deliver(platform, gateway) == 0
    assert gateway.sent == []
    (message,) = outbox.list_recent_sms(platform)
    assert (message.phone, message.purpose, message.code) == (PHONE, "login", "123456")
    assert message.text == "验证码123456"


def test_recent_messages_come_newest_first_up_to_a_limit(platform: Platform) -> None:
    for text in ("one", "two", "three"):
        enqueue(platform, text)
    assert [message.text for message in outbox.list_recent_sms(platform, 2)] == ["three", "two"]


def test_a_message_is_delivered_once_and_its_row_does_not_tell_what_it_said(sending: Platform) -> None:
    enqueue(sending, "secret text", code="123456")
    gateway = Gateway()
    assert deliver(sending, gateway) == 1
    assert deliver(sending, gateway) == 0
    assert [(phone, text) for phone, text, _ in gateway.sent] == [(PHONE, "secret text")]
    (row,) = waiting()
    assert row.delivered_at is not None
    assert row.next_attempt_at is None
    assert "secret" not in row.payload_encrypted
    assert PHONE not in row.payload_encrypted


def test_a_message_of_a_change_that_fails_is_never_sent(sending: Platform) -> None:
    def change_that_fails() -> None:
        with transaction() as session:
            outbox.enqueue_sms(session, sending, PHONE, "login", "text")
            raise LookupError

    with pytest.raises(LookupError):
        change_that_fails()
    assert waiting() == []


def test_a_failure_is_tried_again_later_and_later(sending: Platform, moving_clock: MovableClock) -> None:
    enqueue(sending)
    gateway = Gateway(failing=True)
    waits = []
    for _ in range(6):
        assert deliver(sending, gateway) == 0
        (row,) = waiting()
        assert row.last_error == "answered 503"
        waits.append((row.next_attempt_at - clock.now()).total_seconds())
        assert deliver(sending, gateway) == 0
        moving_clock.moment = row.next_attempt_at
    for attempt, wait in enumerate(waits):
        assert 0.5 * 2**attempt <= wait <= 2**attempt
    gateway.failing = False
    assert deliver(sending, gateway) == 1
    (row,) = waiting()
    assert (row.attempts, row.last_error) == (7, None)


def test_back_off_grows_to_five_minutes_and_no_further() -> None:
    assert outbox.retry_after(1, 1.0) == timedelta(seconds=1)
    assert outbox.retry_after(1, 0.0) == timedelta(seconds=0.5)
    assert outbox.retry_after(5, 1.0) == timedelta(seconds=16)
    assert outbox.retry_after(1000, 1.0) == timedelta(minutes=5)


@pytest.mark.parametrize(("code", "worth"), [("123456", timedelta(minutes=5)), (None, timedelta(hours=24))])
def test_a_message_is_given_up_when_it_is_worth_nothing_any_more(
    sending: Platform, moving_clock: MovableClock, code: str | None, worth: timedelta
) -> None:
    enqueue(sending, code=code)
    moving_clock.moment += worth - timedelta(milliseconds=400)
    assert deliver(sending, Gateway(failing=True)) == 0
    (row,) = waiting()
    assert (row.next_attempt_at, row.delivered_at) == (None, None)
    assert row.last_error == "answered 503"


def test_a_logout_token_is_signed_when_it_leaves(platform: Platform) -> None:
    clients = Clients([200])
    enqueue_logout(platform)
    assert deliver(replace(platform, outbound=clients)) == 1  # type: ignore[arg-type]
    assert clients.posted == [(LOGOUT_URI, {"logout_token": "token of sid for smdvs"})]


@pytest.mark.checklist(119)
def test_a_client_that_fails_or_does_not_answer_is_asked_again(
    platform: Platform, moving_clock: MovableClock
) -> None:
    clients = Clients([503, OutboundError("timeout", "client.example"), 302, 204])
    reachable = replace(platform, outbound=clients)  # type: ignore[arg-type]
    enqueue_logout(platform)
    errors = []
    for _ in range(3):
        assert deliver(reachable) == 0
        errors.append(waiting()[0].last_error)
        moving_clock.advance(minutes=5)
    assert errors == ["answered 503", "timeout client.example", "answered 302"]
    assert deliver(reachable) == 1


@pytest.mark.checklist(119)
def test_a_clients_400_is_its_last_word_and_its_error_is_kept(platform: Platform) -> None:
    clients = Clients([400], b'{"error": "invalid_request", "error_description": "bad sid"}')
    enqueue_logout(platform)
    assert deliver(replace(platform, outbound=clients)) == 0  # type: ignore[arg-type]
    (row,) = waiting()
    assert (row.next_attempt_at, row.delivered_at, row.attempts) == (None, None, 1)
    assert row.last_error == "refused invalid_request"


@pytest.mark.checklist(119)
def test_a_logout_is_tried_for_as_long_as_a_session_lasts_and_no_longer(
    platform: Platform, moving_clock: MovableClock
) -> None:
    enqueue_logout(platform)
    end = moving_clock.moment + timedelta(hours=8)
    attempts = 0
    while (row := waiting()[0]).next_attempt_at is not None:
        moving_clock.moment = row.next_attempt_at
        clients = Clients([503])
        assert deliver(replace(platform, outbound=clients)) == 0  # type: ignore[arg-type]
        attempts += 1
    assert end - timedelta(minutes=10) < moving_clock.moment <= end
    assert row.attempts == attempts
    assert attempts > 8 * 12


def test_a_kind_that_a_newer_version_writes_waits_for_it(platform: Platform) -> None:
    enqueue_logout(platform)
    with transaction() as session:
        session.execute(rows.table.update().values(kind="carrier_pigeon"))
    assert deliver(platform) == 0
    (row,) = waiting()
    assert row.last_error == "kind_unknown carrier_pigeon"
    assert row.next_attempt_at is not None


def test_a_message_put_back_comes_again_without_an_attempt(
    sending: Platform, moving_clock: MovableClock
) -> None:
    enqueue(sending)
    leased = outbox.lease_due(sending, clock.now())
    assert leased is not None
    outbox.put_back(leased, clock.now() + timedelta(seconds=1))
    assert deliver(sending) == 0
    moving_clock.advance(seconds=1)
    assert deliver(sending) == 1
    assert waiting()[0].attempts == 1


def test_a_logout_of_a_client_that_is_gone_is_done(platform: Platform) -> None:
    clients = Clients([])
    enqueue_logout(platform)
    reachable = replace(platform, outbound=clients)  # type: ignore[arg-type]
    assert outbox.deliver_due(reachable, Gateway(), lambda _message: None, clock.now()) == 1
    assert clients.posted == []


def test_several_workers_at_once_deliver_each_message_once(sending: Platform) -> None:
    for number in range(30):
        enqueue(sending, f"text {number}")
    gateway = Gateway()
    counts = at_once([lambda: deliver(sending, gateway)] * 4)
    assert sum(counts) == 30
    assert sorted(text for _, text, _ in gateway.sent) == sorted(f"text {number}" for number in range(30))


def test_a_message_of_a_worker_that_died_comes_again_when_its_lease_is_over(
    sending: Platform, moving_clock: MovableClock
) -> None:
    enqueue(sending)
    dead = outbox.lease_due(sending, clock.now())
    assert dead is not None
    assert outbox.lease_due(sending, clock.now()) is None
    moving_clock.advance(seconds=30)
    gateway = Gateway()
    assert deliver(sending, gateway) == 1
    assert gateway.sent[0][2] == str(dead.id)


def test_a_worker_overtaken_by_another_does_not_touch_the_message(
    sending: Platform, moving_clock: MovableClock
) -> None:
    enqueue(sending)
    slow = outbox.lease_due(sending, clock.now())
    assert slow is not None
    moving_clock.advance(seconds=30)
    assert deliver(sending) == 1
    assert outbox.deliver(sending, slow, Channels(Gateway(failing=True), sign)) is False
    (row,) = waiting()
    assert row.delivered_at is not None
    assert (row.next_attempt_at, row.last_error) == (None, None)


def test_a_payload_that_cannot_be_opened_is_given_up_and_holds_up_no_other(sending: Platform) -> None:
    enqueue(sending, "spoiled")
    with transaction() as session:
        session.execute(rows.table.update().values(payload_encrypted="x.y"))
    enqueue(sending, "whole")
    gateway = Gateway()
    assert deliver(sending, gateway) == 1
    assert [text for _, text, _ in gateway.sent] == ["whole"]
    assert waiting()[0].last_error == "unreadable"


def test_a_limit_bounds_what_one_call_attempts(sending: Platform) -> None:
    for _ in range(3):
        enqueue(sending)
    assert outbox.deliver_due(sending, Gateway(), sign, clock.now(), limit=2) == 2


def test_nothing_due_is_found_without_taking_a_lock(platform: Platform, assert_queries: Any) -> None:
    with assert_queries(1):
        assert deliver(platform) == 0

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from idp import clock
from idp.domain.errors import Refusal
from idp.services import clients, deliveries, outbox
from idp.services.deliveries import Delivery
from idp.services.platform import Platform
from idp.sms import SmsError
from idp.storage import outbox as rows
from idp.storage.database import reading, transaction
from tests.queries import AssertQueries
from tests.services.conftest import MovableClock
from tests.services.people import ORIGIN, PHONE, events

ADMIN = "administrator"


class Refusing:
    """A gateway that takes nothing."""

    def send(self, phone: str, message: str, reference: str) -> None:
        raise SmsError("answered 503")


@pytest.fixture
def sending(platform: Platform) -> Platform:
    """A platform whose text messages leave through a gateway, with a client."""
    metadata = {"client_id": "reports", "client_name": "测试应用", "redirect_uris": ["https://c.example/cb"]}
    clients.register(platform, metadata, ORIGIN)
    return replace(platform, settings=replace(platform.settings, sms="http"))


def fail_sms(platform: Platform, code: str | None = None) -> Delivery:
    with transaction() as session:
        outbox.enqueue_sms(session, platform, PHONE, "login", f"text with {code}", code=code)
    assert outbox.deliver_due(platform, Refusing(), lambda _message: None, clock.now()) == 0
    return deliveries.list_undelivered(platform)[0]


def write(platform: Platform, client_id: str = "reports", **columns: Any) -> None:
    with transaction() as session:
        outbox.enqueue_logout_token(session, platform, client_id, "https://c.example/out", {"sid": "s"})
        last = session.scalar(
            rows.table.select().with_only_columns(rows.table.c.id).order_by(-rows.table.c.id)
        )
        session.execute(
            rows.table.update()
            .where(rows.table.c.id == last)
            .values(**{"attempts": 3, "next_attempt_at": None, "last_error": "answered 503"} | columns)
        )


def test_a_text_message_shows_whose_it_was_masked_and_never_its_text(sending: Platform) -> None:
    delivery = fail_sms(sending, "123456")
    assert (delivery.kind, delivery.phone, delivery.purpose) == ("sms", "199****0001", "login")
    assert (delivery.last_error, delivery.attempts, delivery.client_id) == ("answered 503", 1, None)
    assert delivery.next_attempt_at is not None
    assert "123456" not in str(delivery)
    assert PHONE not in str(delivery)


def test_a_logout_shows_its_client_also_when_that_is_gone(sending: Platform) -> None:
    write(sending)
    write(sending, "gone")
    gone, known = deliveries.list_undelivered(sending)
    assert (known.client_id, known.client_name) == ("reports", "测试应用")
    assert (gone.client_id, gone.client_name) == ("gone", None)
    assert known.next_attempt_at is None


def test_a_kind_of_another_version_and_an_unreadable_one_are_shown_too(sending: Platform) -> None:
    write(sending, kind="carrier_pigeon")
    write(sending, payload_encrypted="x.y", last_error="unreadable")
    unreadable, unknown = deliveries.list_undelivered(sending)
    assert (unknown.kind, unknown.client_name) == ("carrier_pigeon", "测试应用")
    assert (unreadable.kind, unreadable.client_id) == ("backchannel_logout", None)


def test_pages_have_fifty_and_cost_a_statement_for_each_client_they_name(
    sending: Platform, assert_queries: AssertQueries
) -> None:
    for _ in range(deliveries.PAGE_SIZE + 1):
        write(sending)
    with assert_queries(2):
        assert len(deliveries.list_undelivered(sending)) == deliveries.PAGE_SIZE
    assert len(deliveries.list_undelivered(sending, 2)) == 1
    assert deliveries.list_undelivered(sending, 3) == []
    assert deliveries.count_undelivered() == deliveries.PAGE_SIZE + 1


def test_trying_again_is_at_once_and_in_the_trail(sending: Platform) -> None:
    write(sending)
    (delivery,) = deliveries.list_undelivered(sending)
    assert deliveries.retry(sending, delivery.id, ORIGIN, ADMIN) is None
    leased = outbox.lease_due(sending, clock.now())
    assert leased is not None
    assert leased.id == delivery.id
    (event,) = events(sending, "delivery:retry")
    assert (event.account_id, event.client_id, event.object_id) == (ADMIN, "reports", str(delivery.id))
    assert event.detail["kind"] == "backchannel_logout"


def test_giving_up_deletes_and_is_in_the_trail(sending: Platform) -> None:
    delivery = fail_sms(sending)
    assert deliveries.discard(sending, delivery.id, ORIGIN, ADMIN) is None
    assert deliveries.list_undelivered(sending) == []
    (event,) = events(sending, "delivery:discard")
    assert (event.account_id, event.client_id) == (ADMIN, None)
    assert PHONE not in str(event)


@pytest.mark.parametrize("act", [deliveries.retry, deliveries.discard])
def test_what_is_delivered_or_gone_cannot_be_touched(sending: Platform, act: Any) -> None:
    write(sending, delivered_at=clock.now(), last_error=None)
    with reading() as session:
        delivered = session.scalar(rows.table.select().with_only_columns(rows.table.c.id))
    for message_id in (delivered, 0, 2**31 - 1):
        refusal = act(sending, message_id, ORIGIN, ADMIN)
        assert isinstance(refusal, Refusal)
        assert refusal.code == "delivery_unknown"
    assert events(sending, "delivery") == []
    assert outbox.lease_due(sending, clock.now()) is None


def test_a_code_is_not_sent_again_after_its_life(sending: Platform, moving_clock: MovableClock) -> None:
    assert fail_sms(sending, "123456").retryable
    moving_clock.moment += timedelta(minutes=5)
    (delivery,) = deliveries.list_undelivered(sending)
    assert not delivery.retryable
    refusal = deliveries.retry(sending, delivery.id, ORIGIN, ADMIN)
    assert refusal is not None
    assert refusal.code == "delivery_stale"
    assert deliveries.discard(sending, delivery.id, ORIGIN, ADMIN) is None


def test_the_destination_of_a_message_is_its_kind_at_its_client(sending: Platform) -> None:
    with transaction() as session:
        outbox.enqueue_logout_token(session, sending, "reports", "https://c.example/out", {})
        outbox.enqueue_signal(session, sending, "reports", "stream", {})
        outbox.enqueue_sms(session, sending, PHONE, "login", "text")
    leased = [outbox.lease_due(sending, clock.now()) for _ in range(3)]
    assert {deliveries.destination(sending, message) for message in leased if message} == {
        "backchannel_logout reports",
        "signal reports",
        "sms",
    }

"""A client that receives events, for tests of use cases: registered, its stream, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from idp import clock
from idp.domain.signal_streams import PUSH, Stream
from idp.outbound import Answer, OutboundError
from idp.services import clients, outbox, signal_streams, signals
from idp.services.clients import RegisteredClient
from idp.services.platform import Platform
from idp.storage import outbox as messages
from idp.storage.database import reading, transaction
from tests.services.people import ORIGIN

URL: Final = "https://receiver.example/events"
HEADER: Final = "Bearer the-receivers-own"
PUSHED: Final[dict[str, Any]] = {
    "delivery": {"method": PUSH, "endpoint_url": URL, "authorization_header": HEADER}
}


@dataclass
class Receiver:
    """Stands where Outbound does: what was posted, and what is answered (202 when nothing is said)."""

    answers: list[int | OutboundError] = field(default_factory=list)
    body: bytes = b""
    posted: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    def post(self, url: str, data: bytes, headers: Mapping[str, str]) -> Answer:
        self.posted.append((url, data, headers))
        answer = self.answers.pop(0) if self.answers else 202
        if isinstance(answer, OutboundError):
            raise answer
        return Answer(answer, {}, self.body)

    @property
    def received(self) -> list[dict[str, Any]]:
        """The claims of the tokens, which :func:`sign` leaves readable."""
        return [json.loads(data) for _, data, _ in self.posted]


class NoSms:
    """Nothing is sent to anybody's phone here."""

    def send(self, phone: str, message: str, reference: str) -> None:
        raise AssertionError(phone)


def sign(claims: Mapping[str, Any]) -> str | None:
    """A token that anybody can read."""
    return json.dumps(claims)


def register(platform: Platform, client_id: str = "receiver", **metadata: Any) -> None:
    """A client."""
    usual = {"client_id": client_id, "client_name": "测试应用", "redirect_uris": ["https://c.example/cb"]}
    outcome = clients.register(platform, usual | metadata, ORIGIN)
    assert isinstance(outcome, RegisteredClient), outcome


def stream(
    platform: Platform, document: Mapping[str, Any] | None = None, client_id: str = "receiver"
) -> Stream:
    """A registered client's new stream; polled unless the document says otherwise."""
    outcome = signal_streams.create(platform, client_id, document or {}, ORIGIN)
    assert isinstance(outcome, Stream), outcome
    return outcome


def set_status(platform: Platform, of: Stream, status: str) -> None:
    """As the receiver does it."""
    document = {"stream_id": of.stream_id, "status": status}
    assert isinstance(signal_streams.set_status(platform, of.client_id, document, ORIGIN), Stream)


def sign_out(platform: Platform, sid: str = "sid", client_id: str = "receiver") -> None:
    """A session in which the client took part is over."""
    with transaction() as session:
        row = {"client_id": client_id, "account_id": "account", "sid": sid}
        signals.sessions_ended(session, platform, [row], "logout", clock.now())


def deliver(platform: Platform, receiver: Receiver) -> int:
    """What a worker does with all that is due; how many got through."""
    reachable = replace(platform, outbound=receiver)  # type: ignore[arg-type]

    def push(message: Mapping[str, Any]) -> None:
        signals.push(reachable, sign, message)

    return outbox.deliver_due(reachable, NoSms(), lambda _: None, clock.now(), push_signal=push)


def fetch(
    platform: Platform, *settled: str, most: int | None = None, client_id: str = "receiver"
) -> list[str]:
    """The sessions of the events that a poll brings; ``settled`` are acknowledged with it."""
    return [sid_of(claims) for claims in polled(platform, *settled, most=most, client_id=client_id)]


def polled(
    platform: Platform, *settled: str, most: int | None = None, client_id: str = "receiver"
) -> tuple[Mapping[str, Any], ...]:
    """The events that a poll brings."""
    outcome = signals.poll(platform, client_id, settled, {}, most)
    assert isinstance(outcome, signals.Polled), outcome
    return outcome.events


def sid_of(claims: Mapping[str, Any]) -> str:
    """The session that an event is about."""
    return str(claims["sub_id"]["session"]["id"])


def outgoing() -> list[Any]:
    """The rows of the outbox."""
    with reading() as session:
        return list(session.execute(messages.table.select().order_by(messages.table.c.id)))

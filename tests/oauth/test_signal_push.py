"""Push (RFC 8935): a real receiver on this machine, and the worker that calls it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask

from idp import worker
from idp.domain.signals import SESSION_REVOKED, VERIFICATION
from idp.services import authentication, clients, deliveries
from idp.services.platform import Platform
from tests.oauth.browser import ORIGIN
from tests.oauth.conftest import RegisterClient, Scene, both_backends
from tests.oauth.event_receiver import SSF_CLIENT, EventReceiver
from tests.oauth.relying_party import RelyingParty

HEADER = "Bearer the-receivers-own"
PATIENCE_SECONDS = 20


@dataclass
class Endpoint:
    """Takes events by HTTP: answers the statuses given, then 202; waits before each answer."""

    url: str = ""
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    delay: float = 0
    calls: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self.calls.append((headers, body.decode()))
        time.sleep(self.delay)
        return self.answers.pop(0) if self.answers else (202, b"")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            status, body = found.take({k.lower(): v for k, v in self.headers.items()}, content)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/events"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def rp(register: RegisterClient) -> RelyingParty:
    """The client of the scene, which may have a stream."""
    return register(**SSF_CLIENT)


@pytest.fixture
def receiver(rp: RelyingParty) -> EventReceiver:
    """The client as a receiver."""
    return EventReceiver.of(rp)


@pytest.fixture
def stream(receiver: EventReceiver, endpoint: Endpoint) -> dict[str, Any]:
    """Its stream, which is pushed to the endpoint."""
    delivery = {"method": "urn:ietf:rfc:8935", "endpoint_url": endpoint.url, "authorization_header": HEADER}
    return receiver.create({"delivery": delivery})


@contextmanager
def working(app: Flask, count: int = 1) -> Iterator[None]:
    """``count`` workers while the block runs."""
    stopping = threading.Event()
    threads = [threading.Thread(target=worker.work, args=(app, stopping)) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)


def wait_until(condition: Callable[[], bool]) -> float:
    """Seconds until it held."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < PATIENCE_SECONDS, "it never came true"
        time.sleep(0.01)
    return time.monotonic() - start


def sign_out(scene: Scene, platform: Platform) -> None:
    assert scene.browser.login
    authentication.end_login(platform, scene.browser.login.sid, ORIGIN, "logout")


@both_backends
def test_an_event_reaches_the_receiver_within_a_second(
    app: Flask,
    scene: Scene,
    platform: Platform,
    endpoint: Endpoint,
    receiver: EventReceiver,
    stream: dict[str, Any],
) -> None:
    scene.tokens()
    receiver.call("POST", "verification_endpoint", {"stream_id": stream["stream_id"]})
    with working(app, 2):
        wait_until(lambda: len(endpoint.calls) == 1)  # workers that have just started are not yet at it
        sign_out(scene, platform)
        assert wait_until(lambda: len(endpoint.calls) == 2) < 1
        wait_until(lambda: deliveries.list_undelivered(platform) == [])
    headers, token = endpoint.calls[-1]
    assert headers["content-type"] == "application/secevent+jwt"
    assert headers["accept"] == "application/json"
    assert headers["authorization"] == HEADER
    event = receiver.read(token)
    assert list(event["events"]) == [SESSION_REVOKED]
    assert event["aud"] == scene.rp.client_id


def test_a_receiver_that_fails_gets_the_same_event_again(
    app: Flask, endpoint: Endpoint, receiver: EventReceiver, stream: dict[str, Any]
) -> None:
    endpoint.answers = [(503, b""), (401, b'{"err": "authentication_failed"}')]
    receiver.call("POST", "verification_endpoint", {"stream_id": stream["stream_id"], "state": "s"})
    with working(app):
        wait_until(lambda: len(endpoint.calls) == 3)
    events = [receiver.read(token) for _, token in endpoint.calls]
    assert events[0] == events[1] == events[2]
    assert events[0]["events"] == {VERIFICATION: {"state": "s"}}


def test_a_refused_event_waits_for_an_administrator(
    app: Flask, platform: Platform, endpoint: Endpoint, receiver: EventReceiver, stream: dict[str, Any]
) -> None:
    endpoint.answers = [(400, b'{"err": "invalid_key", "description": "x"}')]
    receiver.call("POST", "verification_endpoint", {"stream_id": stream["stream_id"]})

    def given_up() -> bool:
        found = deliveries.list_undelivered(platform)
        return [one.last_error for one in found] == ["refused invalid_key"]

    with working(app):
        wait_until(given_up)
        (delivery,) = deliveries.list_undelivered(platform)
        assert (delivery.kind, delivery.client_id) == ("signal", stream["aud"])
        assert delivery.next_attempt_at is None
        deliveries.retry(platform, delivery.id, ORIGIN, "administrator")
        wait_until(lambda: len(endpoint.calls) == 2)


def test_a_slow_receiver_holds_up_nobody(
    app: Flask,
    platform: Platform,
    scene: Scene,
    endpoint: Endpoint,
    receiver: EventReceiver,
    stream: dict[str, Any],
) -> None:
    scene.tokens()
    endpoint.delay = 3
    receiver.call("POST", "verification_endpoint", {"stream_id": stream["stream_id"]})
    with working(app):
        wait_until(lambda: bool(endpoint.calls))
        started = time.monotonic()
        sign_out(scene, platform)
        assert time.monotonic() - started < 1


def test_an_event_of_a_client_disabled_meanwhile_is_not_sent(
    app: Flask, platform: Platform, endpoint: Endpoint, receiver: EventReceiver, stream: dict[str, Any]
) -> None:
    receiver.call("POST", "verification_endpoint", {"stream_id": stream["stream_id"]})
    clients.disable(platform, stream["aud"], ORIGIN)
    with working(app):
        wait_until(lambda: _waiting() == 0)
    assert endpoint.calls == []


def _waiting() -> int:
    from idp.storage import outbox
    from idp.storage.database import reading

    with reading() as session:
        return len(
            list(session.execute(outbox.table.select().where(outbox.table.c.next_attempt_at.is_not(None))))
        )

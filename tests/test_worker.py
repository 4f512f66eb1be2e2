from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qs

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from idp import clock, worker
from idp.crypto import random_id
from idp.domain.accounts import LOGIN_TTL
from idp.domain.audit import AuditEvent, internal_origin
from idp.services import audit, authentication, clients, outbox, registration
from idp.services.clients import RegisteredClient
from idp.services.platform import Platform
from idp.services.registration import AccountView
from idp.storage import outbox as rows
from idp.storage.database import reading, transaction

ORIGIN = internal_origin("test")
PATIENCE_SECONDS = 20


@dataclass
class RelyingParty:
    """A real HTTP server that takes logout tokens; ``open_door`` unset keeps them waiting on ``/slow``."""

    url: str = ""
    tokens: list[tuple[str, str]] = field(default_factory=list)
    open_door: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)

    def take(self, path: str, body: bytes) -> None:
        self.reached.set()
        if path == "/slow":
            self.open_door.wait(PATIENCE_SECONDS)
        text = body.decode()
        self.tokens.append((path, parse_qs(text).get("logout_token", [text])[0]))


@pytest.fixture
def relying_party() -> Iterator[RelyingParty]:
    party = RelyingParty()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            party.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    party.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield party
    party.open_door.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def platform(in_app: Flask) -> Platform:
    platform = cast("Platform", in_app.extensions["idp"])
    for client_id in ("reports", "slow"):
        metadata = {
            "client_id": client_id,
            "client_name": "测试应用",
            "redirect_uris": ["https://client.example/callback"],
            "scope": "openid",
            "id_token_signed_response_alg": "ES256",
        }
        assert isinstance(clients.register(platform, metadata, ORIGIN), RegisteredClient)
    return platform


@contextmanager
def working(app: Flask, count: int = 1) -> Iterator[threading.Event]:
    """``count`` workers while the block runs."""
    stopping = threading.Event()
    threads = [threading.Thread(target=worker.work, args=(app, stopping)) for _ in range(count)]
    for thread in threads:
        thread.start()
    yield stopping
    stopping.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def enqueue(platform: Platform, uri: str, client_id: str = "reports") -> None:
    with transaction() as session:
        outbox.enqueue_logout_token(session, platform, client_id, uri, {"sub": "account", "sid": "sid"})


def wait_until(condition: Callable[[], bool]) -> float:
    """Seconds until it held."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < PATIENCE_SECONDS, "it never came true"
        time.sleep(0.01)
    return time.monotonic() - start


def undelivered() -> int:
    with reading() as session:
        found = session.execute(rows.table.select().where(rows.table.c.delivered_at.is_(None)))
        return len(found.all())


def test_a_logout_reaches_the_client_within_a_second(
    in_app: Flask, platform: Platform, relying_party: RelyingParty
) -> None:
    with working(in_app):
        time.sleep(0.3)
        enqueue(platform, f"{relying_party.url}/logout")
        seconds = wait_until(lambda: bool(relying_party.tokens))
        wait_until(lambda: undelivered() == 0)
    print(f"back-channel logout received after {seconds * 1000:.0f} ms")
    assert seconds < 1
    assert relying_party.tokens[0][1].count(".") == 2


def test_a_client_that_does_not_answer_holds_up_no_other(
    in_app: Flask, platform: Platform, relying_party: RelyingParty
) -> None:
    enqueue(platform, f"{relying_party.url}/slow")
    enqueue(platform, f"{relying_party.url}/fast")
    with working(in_app):
        wait_until(lambda: [path for path, _ in relying_party.tokens] == ["/fast"])
        relying_party.open_door.set()
        wait_until(lambda: undelivered() == 0)


@pytest.mark.checklist(119)
def test_a_pile_of_messages_to_a_client_that_does_not_answer_holds_up_no_other(
    in_app: Flask, platform: Platform, relying_party: RelyingParty
) -> None:
    for _ in range(worker.PARALLEL_DELIVERIES * 2):
        enqueue(platform, f"{relying_party.url}/slow", "slow")
    enqueue(platform, f"{relying_party.url}/fast")
    with working(in_app):
        seconds = wait_until(lambda: "/fast" in [path for path, _ in relying_party.tokens])
        assert [path for path, _ in relying_party.tokens] == ["/fast"]
        relying_party.open_door.set()
        wait_until(lambda: undelivered() == 0)
    assert seconds < 2
    assert len(relying_party.tokens) == worker.PARALLEL_DELIVERIES * 2 + 1


def test_two_workers_deliver_each_message_once(
    in_app: Flask, platform: Platform, relying_party: RelyingParty
) -> None:
    for number in range(20):
        enqueue(platform, f"{relying_party.url}/{number}")
    with working(in_app, count=2):
        wait_until(lambda: undelivered() == 0)
    paths = sorted(path for path, _ in relying_party.tokens)
    assert paths == sorted(f"/{number}" for number in range(20))


def test_stopping_finishes_the_message_being_delivered(
    in_app: Flask, platform: Platform, relying_party: RelyingParty
) -> None:
    enqueue(platform, f"{relying_party.url}/slow")
    with working(in_app) as stopping:
        assert relying_party.reached.wait(PATIENCE_SECONDS)
        stopping.set()
        relying_party.open_door.set()
    assert len(relying_party.tokens) == 1
    assert undelivered() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_worker(in_app: Flask, platform: Platform, number: signal.Signals) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    timer = threading.Timer(0.5, partial(os.kill, os.getpid(), number))
    timer.start()
    try:
        start = time.monotonic()
        worker.run(in_app)
        assert 0.4 < time.monotonic() - start < 5
    finally:
        timer.join()
        for each, handler in before.items():
            signal.signal(each, handler)


def test_the_trail_is_sealed(in_app: Flask, platform: Platform) -> None:
    with transaction() as session:
        audit.record(session, AuditEvent.KEY_ROTATE, ORIGIN)
    with working(in_app):
        wait_until(lambda: audit.verify(platform).unsealed == 0)
    found = audit.verify(platform)
    assert found.ok
    assert found.sealed == 3


def test_logins_past_their_end_are_ended(
    in_app: Flask, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = AccountView(random_id(), "alice_1", "19900000001", "alice@example.com")
    registration.create_account(platform, view, "hash", ORIGIN)
    authenticated = authentication.by_password_and_sms(view.account_id)
    with monkeypatch.context() as patch:
        past = clock.now() - LOGIN_TTL
        patch.setattr(clock, "now", lambda: past)
        authentication.open_login(platform, authenticated, ORIGIN, replaces=None)
    with working(in_app):
        wait_until(lambda: bool(audit.list_entries(platform, "login:logout")))
    assert audit.list_entries(platform, "login:logout")[0].detail["reason"] == "expired"


def test_a_store_that_is_away_for_a_while_is_waited_for(
    in_app: Flask,
    platform: Platform,
    relying_party: RelyingParty,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    lease_due, failures = outbox.lease_due, [1, 2]
    monkeypatch.setattr(worker, "PAUSE_AFTER_ERROR_SECONDS", 0.01)

    def sometimes(*arguments: object) -> object:
        if failures:
            failures.pop()
            raise OperationalError("SELECT", {}, Exception("gone"))
        return lease_due(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "lease_due", sometimes)
    enqueue(platform, f"{relying_party.url}/logout")
    with working(in_app):
        wait_until(lambda: undelivered() == 0)
    assert "The store does not answer: OperationalError" in caplog.text


def test_a_message_that_breaks_the_delivery_does_not_stop_the_worker(
    in_app: Flask,
    platform: Platform,
    relying_party: RelyingParty,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    deliver, broken = outbox.deliver, [1]

    def breaking(*arguments: object) -> bool:
        if broken:
            broken.pop()
            raise RuntimeError
        return deliver(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "deliver", breaking)
    enqueue(platform, f"{relying_party.url}/first")
    enqueue(platform, f"{relying_party.url}/second")
    with working(in_app):
        wait_until(lambda: len(relying_party.tokens) == 1)
    assert "could not be attempted" in caplog.text


def test_a_text_message_leaves_through_the_operators_gateway(
    make_app: Callable[..., Flask], relying_party: RelyingParty
) -> None:
    app = make_app(sms="http", sms_url=f"{relying_party.url}/sms", sms_token="secret")
    with app.app_context():
        platform = cast("Platform", app.extensions["idp"])
        with transaction() as session:
            outbox.enqueue_sms(session, platform, "19900000001", "login", "text", code="123456")
        with working(app):
            wait_until(lambda: undelivered() == 0)
    (path, body) = relying_party.tokens[0]
    assert path == "/sms"
    assert '"phone": "19900000001"' in body

"""Text messages: what they say, and what becomes of one that the gateway doesn't take."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from clients.smdvs import sms
from clients.smdvs.config import Settings
from clients.smdvs.sms import KINDS, DevelopmentOutbox, HttpGateway, SmsError, gateway

PARAMETERS = {"report_no": "SMDVS-20261123-0001", "due": "11月28日09:30"}
# What an operator charges as one or two messages.
LONGEST = 140


class Taken:
    """What a gateway was sent, and how it answers."""

    def __init__(self, status: int, slow: Event | None = None) -> None:
        self.status = status
        self.slow = slow
        self.requests: list[tuple[dict[str, str], dict[str, Any]]] = []


@contextmanager
def listening(taken: Taken) -> Iterator[str]:
    """A gateway on this machine; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            taken.requests.append((dict(self.headers), body))
            if taken.slow is not None:
                taken.slow.wait(20)
            self.send_response(taken.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/send"
    finally:
        if taken.slow is not None:
            taken.slow.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_text_is_signed_short_and_says_what_to_do(kind: str) -> None:
    text = sms.text(kind, PARAMETERS)
    assert text.startswith("【新能源汽车事故上报】")
    assert "登录" in text
    assert len(text) <= LONGEST
    assert "{" not in text


def test_a_gateway_is_given_phone_text_and_reference() -> None:
    taken = Taken(200)
    with listening(taken) as url:
        HttpGateway(url, "secret").send("19900000001", "你好", "ref-1")
    headers, body = taken.requests[0]
    assert body == {"phone": "19900000001", "text": "你好", "reference": "ref-1"}
    assert headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize("status", [302, 400, 401, 429, 500, 503])
def test_anything_but_2xx_is_a_failure_and_a_redirection_is_not_followed(status: int) -> None:
    taken = Taken(status)
    with listening(taken) as url, pytest.raises(SmsError, match=f"^answered {status}$"):
        HttpGateway(url, "secret").send("19900000001", "你好", "ref-1")
    assert len(taken.requests) == 1


def test_a_slow_gateway_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sms, "READ_SECONDS", 0.2)
    with listening(Taken(200, slow=Event())) as url, pytest.raises(SmsError, match=r"^ReadTimeout$"):
        HttpGateway(url, "secret").send("19900000001", "你好", "ref-1")


def test_a_gateway_that_is_not_there_is_a_failure_without_a_secret_in_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with caplog.at_level(logging.DEBUG), pytest.raises(SmsError) as caught:
        HttpGateway(f"http://127.0.0.1:{port}/?key=hidden", "secret").send("19900000001", "你好", "ref")
    assert str(caught.value) == "ConnectionError"
    assert caught.value.__cause__ is None


def test_the_settings_name_the_gateway(smdvs_settings: Settings) -> None:
    assert isinstance(gateway(smdvs_settings), DevelopmentOutbox)
    DevelopmentOutbox().send("19900000001", "你好", "ref-1")
    environ = {
        "SMDVS_ISSUER": "https://op.example",
        "SMDVS_PUBLIC_URL": "https://smdvs.example",
        "SMDVS_SECRET_KEY": "0123456789abcdef" * 2,
        "SMDVS_SMS_URL": "https://sms.example/",
        "SMDVS_SMS_TOKEN": "token",
    }
    assert isinstance(gateway(Settings.from_env(environ)), HttpGateway)

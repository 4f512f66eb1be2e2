from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bench import wrk

pytestmark = pytest.mark.server


class Provider(BaseHTTPRequestHandler):
    """Answers as the product does where the scripts look: a code, tokens that step on, failures."""

    protocol_version = "HTTP/1.1"
    presented: list[str]

    def do_GET(self) -> None:
        known = self.path in {"/authorize", "/authorize?request_uri=urn:pushed"}
        self._answer(303 if known else 404, "", {"Location": "https://rp/?code=c0de&iss=x"})

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        proof = self.headers.get("DPoP")
        self.presented.append(form if proof is None else f"{self.path} {form} {proof}")
        number = len(self.presented)
        if self.path == "/par":
            self._answer(201, '{"request_uri":"urn:pushed"}', {})
        elif self.path == "/exchange":
            self._answer(200, '{"issued_token_type":"t"}', {})
        else:
            answer = f'{{"id_token":"i","refresh_token":"r{number}","token_type":"DPoP"}}'
            self._answer(200, answer, {})

    def _answer(self, status: int, body: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


class Server(ThreadingHTTPServer):
    """The load generator hangs up in the middle when its time is over."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@pytest.fixture
def provider() -> Iterator[tuple[str, list[str]]]:
    if shutil.which("wrk") is None:
        pytest.fail("wrk is not installed; `make bench` installs it or says how", pytrace=False)
    presented: list[str] = []
    handler = type("Handler", (Provider,), {"presented": presented})
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", presented
    server.shutdown()
    server.server_close()
    thread.join()


def test_lua_data_keeps_every_byte() -> None:
    assert wrk.lua([{"a": 'q"\\\n', "b": 1, "c": None}]) == '{{["a"]="q\\034\\092\\010",["b"]=1,["c"]=nil}}'


def test_each_connection_presents_the_refresh_token_it_was_given_last(
    provider: tuple[str, list[str]],
) -> None:
    url, presented = provider
    data = [{"path": "/token", "headers": {}, "refresh_token": "r0"}]
    load = wrk.drive("refresh", url, data, seconds=1, connections=1, threads=1)
    tokens = [form.rpartition("=")[2] for form in presented]
    assert load.units > 3
    assert tokens[: load.units] == [f"r{number}" for number in range(load.units)]
    assert load.errors == 0


def test_a_code_flow_is_one_unit_of_two_requests(provider: tuple[str, list[str]]) -> None:
    url, presented = provider
    data = [
        {
            "authorize_path": "/authorize",
            "authorize_headers": {},
            "token_path": "/token",
            "token_headers": {},
            "token_body": "code=",
        }
    ]
    load = wrk.drive("code", url, data, seconds=1, connections=1, threads=1)
    assert len(presented) - load.units in {0, 1}
    assert set(presented) == {"code=c0de"}
    assert 0 < load.p50_ms <= load.p99_ms


PUSHED = {
    "push_path": "/par",
    "push_body": "p=1",
    "authorize_path": "/authorize?request_uri=",
    "authorize_headers": {},
    "token_path": "/token",
    "token_body": "t=1",
}


def test_a_pushed_code_flow_shows_every_assertion_and_every_proof_once(
    provider: tuple[str, list[str]],
) -> None:
    url, presented = provider
    lines = [f"a{number} p{number} b{number} q{number}" for number in range(100_000)]
    data = [{**PUSHED, "supply": wrk.Supply(lines)}]
    load = wrk.drive("pushed_code", url, data, seconds=1, connections=1, threads=1)
    first = int(presented[0].rpartition("p")[2])  # wrk asks the script once before it begins
    assert load.units > 3
    assert load.errors == 0
    assert presented[: 2 * load.units] == [
        text
        for number in range(first, first + load.units)
        for text in (
            f"/par p=1&client_assertion=a{number} p{number}",
            f"/token t=1&code=c0de&client_assertion=b{number} q{number}",
        )
    ]


def test_an_exchange_hands_on_one_token_after_the_other(provider: tuple[str, list[str]]) -> None:
    url, presented = provider
    tokens = [f"t{number}" for number in range(100_000)]
    data = [{"path": "/exchange", "headers": {}, "body": "token=", "supply": wrk.Supply(tokens)}]
    load = wrk.drive("exchange", url, data, seconds=1, connections=1, threads=1)
    first = int(presented[0].rpartition("t")[2])
    assert load.units > 3
    assert presented[: load.units] == [f"token=t{number}" for number in range(first, first + load.units)]


def test_a_supply_that_is_used_up_ends_the_run_and_repeats_nothing(
    provider: tuple[str, list[str]],
) -> None:
    url, presented = provider
    data = [{"path": "/exchange", "headers": {}, "body": "token=", "supply": wrk.Supply(["t0", "t1", "t2"])}]
    with pytest.raises(wrk.LoadFailed, match="the supply is used up"):
        wrk.drive("exchange", url, data, seconds=1, connections=1, threads=1)
    assert len(presented) == len(set(presented))


def test_refused_requests_are_errors_and_no_units(provider: tuple[str, list[str]]) -> None:
    url, _presented = provider
    data = [{"method": "GET", "path": "/nowhere", "headers": {}}]
    load = wrk.drive("single", url, data, seconds=1, connections=1, threads=1)
    assert (load.units, load.errors > 0) == (0, True)

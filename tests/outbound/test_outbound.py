"""Real servers on the loopback interface; ``allow`` opens it for the tests that want to get through."""

from __future__ import annotations

import _socket
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from idp.outbound import Answer, Outbound, OutboundError
from idp.outbound.deadline import Deadline

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class Handler(BaseHTTPRequestHandler):
    """Answers by path; the server notes what it was asked."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.server.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
        getattr(self, self.path.split("?")[0].strip("/").replace("-", "_") or "plain")()

    do_POST = do_GET  # noqa: N815

    def plain(self, body: bytes = b'{"a": 1}', *headers: tuple[str, str], status: int = 200) -> None:
        self.send_response(status)
        for name, value in (*headers, ("X-Custom", "Yes"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def missing(self) -> None:
        self.plain(b"gone", status=404)

    def redirect(self) -> None:
        self.plain(b"", ("Location", f"http://127.0.0.1:{self.server.server_port}/secret"), status=302)

    def secret(self) -> None:
        self.plain(b"secret")

    def zipped(self) -> None:
        self.plain(gzip.compress(b"0" * 10_000_000), ("Content-Encoding", "gzip"))

    def thousand(self) -> None:
        self.plain(b"x" * 1000)

    def endless(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        self._until_gone(b"x" * 10_000, 0)

    def dripping_head(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self._until_gone(b"X-Drip: 1\r\n", 0.05)

    def dripping_body(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        self._until_gone(b"x", 0.05)

    def silent(self) -> None:
        self.server.stop.wait(10)

    def hanging_up(self) -> None:
        self.close_connection = True

    def nonsense(self) -> None:
        self.wfile.write(b"this is not HTTP\r\n\r\n")
        self.close_connection = True

    def half(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        self.close_connection = True

    def _until_gone(self, piece: bytes, pause: float) -> None:
        self.close_connection = True
        while not self.server.stop.is_set():
            try:
                self.wfile.write(piece)
            except OSError:
                return
            self.server.stop.wait(pause)

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """One server on a free port of 127.0.0.1."""

    daemon_threads = False  # so that server_close() waits for them: no socket outlives its test

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.stop = threading.Event()

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.server_port}{path}"

    def handle_error(self, *args: object) -> None:
        """A client that hangs up is no news."""


@contextmanager
def _serving(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with _serving(Server()) as made:
        yield made


@pytest.fixture
def outbound() -> Outbound:
    return Outbound(LOOPBACK, timeout=3)


Resolve = Callable[..., None]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """``resolve("name", "address", …)``: what a name resolves to; several calls answer in turn."""
    turns: dict[str, list[tuple[str, ...]]] = {}

    def answer(host: str, port: int, *args: object, **options: Any) -> list[Any]:
        if host not in turns:
            return list(_socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        addresses = turns[host].pop(0) if len(turns[host]) > 1 else turns[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)

    def add(name: str, *addresses: str) -> None:
        turns.setdefault(name, []).append(addresses)

    return add


def _code(call: Callable[[], Answer]) -> str:
    with pytest.raises(OutboundError) as caught:
        call()
    return caught.value.code


def test_an_answer_has_status_headers_and_body(server: Server, outbound: Outbound) -> None:
    answer = outbound.get(server.url("/plain?q=1"), headers={"Authorization": "Bearer x"})
    assert (answer.status, answer.body, answer.headers["x-custom"]) == (200, b'{"a": 1}', "Yes")
    [(method, path, headers, _)] = server.asked
    assert (method, path, headers["Authorization"]) == ("GET", "/plain?q=1", "Bearer x")
    assert headers["Host"] == f"127.0.0.1:{server.server_port}"
    assert outbound.get(server.url("/missing")).status == 404


def test_forms_json_and_bytes_are_posted(server: Server, outbound: Outbound) -> None:
    outbound.post(server.url(), {"logout_token": "a.b.c"})
    outbound.post(server.url(), json={"phone": "19900001234"})
    outbound.post(server.url(), b"raw", headers={"Content-Type": "application/octet-stream"})
    assert [(asked[2]["Content-Type"], asked[3]) for asked in server.asked] == [
        ("application/x-www-form-urlencoded", b"logout_token=a.b.c"),
        ("application/json", b'{"phone": "19900001234"}'),
        ("application/octet-stream", b"raw"),
    ]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.1", "2130706433", "0x7f000001",
        "0177.0.0.1", "017700000001", "0", "0.0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]",
        "127.0.0.1.", "%31%32%37.0.0.1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_loopback_is_reached(server: Server, resolve: Resolve, host: str, scheme: str) -> None:
    refused = _code(lambda: Outbound(plain_http=True).get(server.url("/secret", host, scheme)))
    assert refused in {"address_refused", "url_invalid", "name_unknown"}
    assert server.asked == []


def test_a_name_that_resolves_to_a_private_address_is_refused(server: Server, resolve: Resolve) -> None:
    resolve("inside.example", "10.0.0.1")
    assert _code(lambda: Outbound().get("https://inside.example/")) == "address_refused"
    assert _code(lambda: Outbound().get(server.url(host="localhost"))) == "address_refused"


def test_one_private_address_among_several_is_enough_to_refuse(resolve: Resolve) -> None:
    resolve("mixed.example", "1.1.1.1", "127.0.0.1")
    assert _code(lambda: Outbound().get("https://mixed.example/")) == "address_refused"


def test_a_name_is_resolved_once_so_that_it_cannot_change_its_mind(
    server: Server, resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve("rebind.example", "1.1.1.1")
    resolve("rebind.example", "127.0.0.1")
    dialled = []

    def connect(address: tuple[str, int], _timeout: float) -> socket.socket:
        dialled.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    assert _code(lambda: Outbound(plain_http=True).get("http://rebind.example/")) == "unreachable"
    assert dialled == [("1.1.1.1", 80)]


def test_the_host_header_is_the_name(server: Server, resolve: Resolve, outbound: Outbound) -> None:
    resolve("client.example", "127.0.0.1")
    outbound.get(server.url(host="client.example"))
    assert server.asked[0][2]["Host"] == f"client.example:{server.server_port}"


def test_the_next_address_is_tried_when_one_does_not_answer(
    server: Server, resolve: Resolve, outbound: Outbound
) -> None:
    resolve("two.example", "127.0.0.2", "127.0.0.1")
    assert outbound.get(server.url(host="two.example")).status == 200


def test_a_redirect_is_an_answer_and_not_followed(server: Server, outbound: Outbound) -> None:
    answer = outbound.get(server.url("/redirect"))
    assert answer.status == 302
    assert answer.headers["location"].endswith("/secret")
    assert [asked[1] for asked in server.asked] == ["/redirect"]


def test_proxies_and_netrc_of_the_environment_are_not_used(
    server: Server, outbound: Outbound, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert outbound.get(server.url()).status == 200
    assert "Authorization" not in server.asked[0][2]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://user:secret@127.0.0.1/", "url_invalid"),
        ("http://user@127.0.0.1/", "url_invalid"),
        ("http://1.1.1.1@127.0.0.1/", "url_invalid"),
        ("http://@127.0.0.1/", "url_invalid"),
        ("http://127.0.0.1\\@1.1.1.1/", "url_invalid"),
        ("http://127.0.0.1 /", "url_invalid"),
        ("http://127.0.0.1/\r\nX: 1", "url_invalid"),
        ("http://127.0.0.1:99999/", "url_invalid"),
        ("http://127.0.0.1:port/", "url_invalid"),
        ("http://[::1/", "url_invalid"),
        ("http:///path", "url_invalid"),
        ("http://", "url_invalid"),
        ("//127.0.0.1/", "url_invalid"),
        ("", "url_invalid"),
        ("http://例子/", "url_invalid"),
        ("http://127.0.0.1/" + "a" * 2048, "url_invalid"),
        ("ftp://127.0.0.1/", "scheme_refused"),
        ("file:///etc/passwd", "scheme_refused"),
        ("gopher://127.0.0.1/", "scheme_refused"),
        ("javascript:alert(1)", "scheme_refused"),
        ("http://nobody.invalid/", "name_unknown"),
        ("http://" + "a" * 300 + "/", "name_unknown"),
    ],
)
def test_what_is_no_plain_web_address_is_refused(outbound: Outbound, url: str, code: str) -> None:
    assert _code(lambda: outbound.get(url)) == code


def test_http_goes_to_allowed_addresses_only_unless_permitted(resolve: Resolve) -> None:
    resolve("plain.example", "1.1.1.1")
    assert _code(lambda: Outbound(LOOPBACK).get("http://plain.example/")) == "scheme_refused"


def test_an_error_names_the_host_and_nothing_of_the_path() -> None:
    with pytest.raises(OutboundError) as caught:
        Outbound().get("https://127.0.0.1/path?token=secret")
    assert str(caught.value) == "address_refused 127.0.0.1"


def test_a_body_is_taken_up_to_the_limit(server: Server, outbound: Outbound) -> None:
    assert len(outbound.get(server.url("/thousand"), max_bytes=1000).body) == 1000
    assert _code(lambda: outbound.get(server.url("/thousand"), max_bytes=999)) == "too_large"


def test_an_endless_body_is_cut_at_the_limit(server: Server, outbound: Outbound) -> None:
    assert _code(lambda: outbound.get(server.url("/endless"), max_bytes=100_000)) == "too_large"


def test_a_compressed_body_is_not_unpacked(server: Server, outbound: Outbound) -> None:
    assert _code(lambda: outbound.get(server.url("/zipped"))) == "answer_invalid"


@pytest.mark.parametrize("path", ["/dripping-head", "/dripping-body", "/silent", "/endless"])
def test_no_server_holds_a_call_longer_than_the_deadline(server: Server, path: str) -> None:
    outbound = Outbound(LOOPBACK, timeout=0.4)
    started = time.monotonic()
    assert _code(lambda: outbound.get(server.url(path), max_bytes=10**12)) == "timeout"
    assert time.monotonic() - started < 2


def test_a_slow_resolver_does_not_hold_a_call_either(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def slow(*args: object, **options: object) -> list[Any]:
        go_on.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    started = time.monotonic()
    assert _code(lambda: Outbound(timeout=0.2).get("https://slow.example/")) == "timeout"
    assert time.monotonic() - started < 2
    go_on.set()


def test_a_server_that_never_accepts_does_not_hold_a_call(resolve: Resolve) -> None:
    with ExitStack() as sockets:
        full = sockets.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):  # fill the queue of connections that nobody accepts
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        started = time.monotonic()
        url = f"https://127.0.0.1:{full.getsockname()[1]}/"
        assert _code(lambda: Outbound(LOOPBACK, timeout=0.4).get(url)) == "timeout"
        assert time.monotonic() - started < 2


def test_a_connection_made_at_the_last_moment_is_cut_too() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.01) as deadline:
        time.sleep(0.1)
        deadline.watch(ours)
        assert ours.recv(1) == b""


def test_nothing_of_a_call_is_left_after_its_deadline() -> None:
    with Deadline(0.01) as deadline:
        time.sleep(0.1)
        with pytest.raises(TimeoutError):
            deadline.left()
    with Deadline(10) as deadline:
        assert deadline.left() > 9
    assert not [
        thread
        for thread in threading.enumerate()
        if isinstance(thread, threading.Timer) and not thread.finished.is_set()
    ]


@pytest.mark.parametrize(
    ("path", "codes"),
    [("/hanging-up", {"answer_invalid"}), ("/nonsense", {"answer_invalid"}), ("/half", {"answer_invalid"})],
)
def test_a_broken_answer_is_an_error(server: Server, outbound: Outbound, path: str, codes: set[str]) -> None:
    assert _code(lambda: outbound.get(server.url(path))) in codes


def test_a_closed_port_is_unreachable(outbound: Outbound) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        assert _code(lambda: outbound.get(url)) == "unreachable"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority ``ca.pem`` and a server certificate for client.example, ``server.pem``."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = _certificate(folder / "ca.pem", "Test CA", None)
    _certificate(folder / "server.pem", "client.example", authority)
    return folder


Issuer = tuple[x509.Name, ec.EllipticCurvePrivateKey]


def _certificate(path: Path, name: str, issuer: Issuer | None) -> Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer_name, issuer_key = issuer or (subject, key)
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    certificate = (
        x509.CertificateBuilder(issuer_name, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", ""))]), critical=False)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=issuer is None, crl_sign=False, **usage),
            critical=True,
        )
        .sign(issuer_key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return subject, key


@pytest.fixture
def tls_server(certificates: Path) -> Iterator[Server]:
    made = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem")
    made.socket = context.wrap_socket(made.socket, server_side=True)
    with _serving(made):
        yield made


def test_tls_verifies_the_name_though_the_address_is_pinned(
    tls_server: Server, certificates: Path, resolve: Resolve
) -> None:
    resolve("client.example", "127.0.0.1")
    resolve("other.example", "127.0.0.1")
    outbound = Outbound(LOOPBACK, certificates / "ca.pem", timeout=3)
    assert outbound.get(tls_server.url("/", "client.example", "https")).status == 200
    for url in (tls_server.url("/", host, "https") for host in ("other.example", "127.0.0.1")):
        assert _code(partial(outbound.get, url)) == "tls_failed"


def test_an_unknown_authority_is_refused(
    tls_server: Server,
    resolve: Resolve,
    outbound: Outbound,
    certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates / "ca.pem"))
    resolve("client.example", "127.0.0.1")
    assert _code(lambda: outbound.get(tls_server.url("/", "client.example", "https"))) == "tls_failed"


@pytest.mark.parametrize("path", ["/dripping-body", "/silent"])
def test_tls_does_not_hold_a_call_longer_either(
    tls_server: Server, certificates: Path, resolve: Resolve, path: str
) -> None:
    resolve("client.example", "127.0.0.1")
    outbound = Outbound(LOOPBACK, certificates / "ca.pem", timeout=0.5)
    started = time.monotonic()
    assert _code(lambda: outbound.get(tls_server.url(path, "client.example", "https"))) == "timeout"
    assert time.monotonic() - started < 2

"""``sector_identifier_uri`` (OIDC Registration 5): fetched over TLS when a client is registered."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from flask import Flask

from idp.domain.audit import Origin
from idp.domain.errors import Refusal
from idp.services import clients
from idp.services.clients import RegisteredClient
from tests.certificates import common_name, issue
from tests.oauth.registrant import METADATA, Registrant
from tests.oauth.relying_party import assert_error

LOOPBACK = (ip_network("127.0.0.0/8"),)
URIS = ["https://a.example/cb", "https://b.example/cb"]
ORIGIN = Origin("", "", "")

MakeApp = Callable[..., Flask]


class Sector(ThreadingHTTPServer):
    """Answers every path with ``status`` and ``body``, over TLS, and counts."""

    daemon_threads = False
    status, body, asked = 200, b"[]", 0

    def __init__(self, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def uri(self) -> str:
        """Where the document is."""
        return f"https://127.0.0.1:{self.server_port}/sector.json"

    def handle_error(self, *args: object) -> None:
        """Whoever hangs up is no news."""


class Answering(BaseHTTPRequestHandler):
    """One request."""

    server: Sector

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(self.server.status)
        self.send_header("Location", self.path)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Path, Path]:
    """The authority's certificate, and the server's with its key."""
    ca = issue(common_name("authority"), authority=True)
    server = issue(common_name("sector"), ca, names=[x509.IPAddress(ip_address("127.0.0.1"))])
    bundle = tmp_path / "ca.pem"
    bundle.write_text(ca.pem)
    return bundle, server.save(tmp_path, "sector")


@pytest.fixture
def sector(authority: tuple[Path, Path]) -> Iterator[Sector]:
    """The server of the sector's document, which lists both redirect URIs."""
    server = Sector(authority[1])
    server.body = json.dumps([*URIS, "https://c.example/cb"]).encode()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def app(make_app: MakeApp, authority: tuple[Path, Path]) -> Flask:
    """An installation that may call this machine, and trusts its authority."""
    return make_app(registration="open", ca_bundle=authority[0], outbound_allow=LOOPBACK)


@pytest.fixture
def registrant(app: Flask) -> Registrant:
    """Registers without a token."""
    return Registrant(app.test_client(), "")


def members(sector: Sector) -> dict[str, Any]:
    return {"redirect_uris": URIS, "subject_type": "pairwise", "sector_identifier_uri": sector.uri}


@pytest.mark.checklist(112)
def test_a_sector_that_lists_every_redirect_uri_is_accepted(registrant: Registrant, sector: Sector) -> None:
    answer = registrant.registered(**members(sector))
    assert answer["sector_identifier_uri"] == sector.uri
    assert sector.asked == 1


@pytest.mark.checklist(112)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, json.dumps(URIS[:1]).encode()),
        (200, b"[]"),
        (200, json.dumps({"redirect_uris": URIS}).encode()),
        (200, json.dumps(" ".join(URIS)).encode()),
        (200, b""),
        (200, b"\xff\xfe[]"),
        (200, b"[" * 50_000),
        (200, json.dumps([*URIS, "x" * 70_000]).encode()),
        (404, json.dumps(URIS).encode()),
        (500, json.dumps(URIS).encode()),
        (302, json.dumps(URIS).encode()),
    ],
)
def test_any_other_answer_is_refused(
    registrant: Registrant, sector: Sector, status: int, body: bytes
) -> None:
    sector.status, sector.body = status, body
    assert_error(registrant.register(**members(sector)), "invalid_client_metadata")
    assert sector.asked == 1


@pytest.mark.checklist(112)
def test_a_change_asks_the_sector_again(registrant: Registrant, sector: Sector) -> None:
    client = registrant.registered(**members(sector))
    sector.body = json.dumps(URIS[:1]).encode()
    assert_error(registrant.replace(client, client), "invalid_client_metadata")
    changed = registrant.replace(client, client | {"redirect_uris": URIS[:1]})
    assert changed.get_json()["redirect_uris"] == URIS[:1]


def test_an_administrator_s_registration_asks_it_too(app: Flask, sector: Sector) -> None:
    platform = app.extensions["idp"]
    with app.app_context():
        outcome = clients.register(platform, METADATA | members(sector), ORIGIN)
        assert isinstance(outcome, RegisteredClient)
        sector.body = b"[]"
        refusal = clients.register(platform, METADATA | members(sector), ORIGIN)
    assert isinstance(refusal, Refusal)
    assert [problem.field for problem in refusal.problems] == ["sector_identifier_uri"]


@pytest.mark.parametrize("changes", [{"outbound_allow": ()}, {"ca_bundle": None}])
def test_nothing_inside_the_network_and_nobody_unknown_is_asked(
    make_app: MakeApp, authority: tuple[Path, Path], sector: Sector, changes: dict[str, Any]
) -> None:
    """In production: a developer's installation calls its own machine."""
    given = {
        "registration": "open",
        "env": "production",
        "ca_bundle": authority[0],
        "outbound_allow": LOOPBACK,
    }
    registrant = Registrant(make_app(**given | changes).test_client(), "")
    assert_error(registrant.register(**members(sector)), "invalid_client_metadata")
    assert sector.asked == 0


def test_metadata_with_other_problems_asks_nobody(registrant: Registrant, sector: Sector) -> None:
    assert_error(registrant.register(**members(sector), grant_types=["implicit"]), "invalid_client_metadata")
    assert sector.asked == 0


def test_without_an_initial_access_token_nobody_is_asked(
    make_app: MakeApp, authority: tuple[Path, Path], sector: Sector
) -> None:
    app = make_app(ca_bundle=authority[0], outbound_allow=LOOPBACK)
    assert Registrant(app.test_client(), "unknown").register(**members(sector)).status_code == 401
    assert sector.asked == 0

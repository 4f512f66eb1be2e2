from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from flask import Flask

from tests.certificates import Identity, common_name, issue
from tests.oauth.conftest import RegisterClient, Scene, SeparateRequests
from tests.oauth.relying_party import REDIRECT_URI, VERIFIER, RelyingParty
from tests.oauth.tls_proxy import CERTIFICATE, VERIFY, proxied, send

AUTHORITY: Final = issue(common_name("Test CA"), authority=True)
CLIENT: Final = issue(common_name("rp.example"), AUTHORITY, names=[x509.DNSName("rp.example")])
OTHER: Final = issue(common_name("other.example"), AUTHORITY, names=[x509.DNSName("other.example")])
STRANGER: Final = issue(common_name("rp.example"), names=[x509.DNSName("rp.example")])


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(
        trusted_proxies=1, client_certificate_header=CERTIFICATE, client_certificate_verify_header=VERIFY
    )
    app.test_client_class = SeparateRequests
    return app


@pytest.fixture
def rp(register: RegisterClient) -> RelyingParty:
    return register(
        token_endpoint_auth_method="tls_client_auth",
        tls_client_auth_san_dns="rp.example",
        tls_client_certificate_bound_access_tokens=True,
    )


@dataclass(frozen=True)
class Wire:
    """Requests that cross a TLS connection and the proxy behind it."""

    port: int
    folder: Path

    def send(self, path: str, identity: Identity | None, **more: Any) -> tuple[int, dict[str, Any]]:
        certificate = None if identity is None else identity.save(self.folder, "client")
        status, _, body = send(self.port, path, AUTHORITY, certificate, **more)
        return status, json.loads(body)

    def redeem(self, rp: RelyingParty, code: str, identity: Identity | None, **more: Any) -> Any:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": rp.client_id,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        return self.send("/oauth/token", identity, form=form, **more)

    def userinfo(self, access_token: str, identity: Identity | None) -> Any:
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.send("/oauth/userinfo", identity, headers=headers)


@pytest.fixture
def wire(app: Flask, tmp_path: Path) -> Iterator[Wire]:
    address = x509.IPAddress(ip_address("127.0.0.1"))
    server = issue(common_name("id.example"), AUTHORITY, names=[address]).save(tmp_path, "server")
    with proxied(app, server, AUTHORITY) as port:
        yield Wire(port, tmp_path)


def test_the_certificate_of_the_connection_redeems_and_shows(scene: Scene, wire: Wire) -> None:
    code = scene.browser.code_for(scene.rp)
    for wrong in (OTHER, None):
        status, answer = wire.redeem(scene.rp, code, wrong)
        assert (status, answer["error"]) == (401, "invalid_client")
    status, answer = wire.redeem(scene.rp, code, CLIENT)
    assert status == 200, answer
    for wrong in (OTHER, None):
        status, refused = wire.userinfo(answer["access_token"], wrong)
        assert (status, refused["error"]) == (401, "invalid_token")
    status, claims = wire.userinfo(answer["access_token"], CLIENT)
    assert (status, claims["sub"]) == (200, scene.account_id)


def test_a_certificate_written_into_the_header_by_a_client_is_none(scene: Scene, wire: Wire) -> None:
    code = scene.browser.code_for(scene.rp)
    forged = {CERTIFICATE: CLIENT.structured, VERIFY: "SUCCESS"}
    for identity in (OTHER, None):
        status, answer = wire.redeem(scene.rp, code, identity, headers=forged)
        assert (status, answer["error"]) == (401, "invalid_client")


def test_a_certificate_of_another_authority_does_not_get_through(scene: Scene, wire: Wire) -> None:
    code = scene.browser.code_for(scene.rp)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        wire.redeem(scene.rp, code, STRANGER)
    assert wire.redeem(scene.rp, code, CLIENT)[0] == 200

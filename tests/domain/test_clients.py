from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from idp.domain.clients import Client, origin_of, redirect_uri_matches, sector_of

WEB: Final = Client(
    client_id="web",
    client_name="Web",
    redirect_uris=("https://rp.example/cb", "https://rp.example/with?tenant=1"),
)
NATIVE: Final = replace(
    WEB,
    application_type="native",
    redirect_uris=(
        "http://127.0.0.1/cb",
        "http://[::1]:4000/cb",
        "http://localhost/cb",
        "com.example.app:/cb",
    ),
)


@pytest.mark.checklist(16, 17)
@pytest.mark.parametrize(
    ("redirect_uri", "fits"),
    [
        ("https://rp.example/cb", True),
        ("https://rp.example/with?tenant=1", True),
        ("https://rp.example/with?tenant=2", False),
        ("https://rp.example/with", False),
        ("https://rp.example/cb?x=1", False),
        ("https://rp.example/cb?", False),
        ("https://rp.example/cb#", False),
        ("https://rp.example/cb/", False),
        ("https://rp.example/CB", False),
        ("https://rp.example:443/cb", False),
        ("https://rp.example:8443/cb", False),
        ("https://RP.example/cb", False),
        ("http://rp.example/cb", False),
        ("https://rp.example.evil.example/cb", False),
        ("https://rp.example@evil.example/cb", False),
        ("https://rp.example/cb/../evil", False),
        ("https://rp.example/cb%2e", False),
        ("", False),
        ("x", False),
    ],
)
def test_a_redirect_uri_is_compared_as_a_whole(redirect_uri: str, fits: bool) -> None:
    assert redirect_uri_matches(WEB, redirect_uri) is fits


@pytest.mark.checklist(16)
@pytest.mark.parametrize(
    ("redirect_uri", "fits"),
    [
        ("http://127.0.0.1:51234/cb", True),
        ("http://127.0.0.1/cb", True),
        ("http://[::1]:9/cb", True),
        ("http://[::1]/cb", True),
        ("com.example.app:/cb", True),
        ("com.example.app:/other", False),
        ("http://localhost:51234/cb", False),
        ("http://127.0.0.1:51234/other", False),
        ("http://127.0.0.1:51234/cb?x=1", False),
        ("http://127.0.0.1:51234/cb?", False),
        ("http://127.0.0.1:51234/cb#", False),
        ("http://127.0.0.1:51234/cb#x", False),
        ("http://127.0.0.1:99999/cb", False),
        ("http://127.0.0.1:x/cb", False),
        ("http://user@127.0.0.1:51234/cb", False),
        ("http://127.0.0.1:51234@evil.example/cb", False),
        ("http://127.0.0.1:1\\@evil.example/cb", False),
        ("http://127.0.0.2:51234/cb", False),
        ("https://127.0.0.1:51234/cb", False),
        ("HTTP://127.0.0.1:51234/cb", False),
        ("http://[::1/cb", False),
        ("http://[::ffff:127.0.0.1]:80/cb", False),
        ("http://127.0.0.1:51234/cb\n", False),
        ("http://１27.0.0.1:51234/cb", False),
        ("\ud800", False),
    ],
)
def test_only_the_port_of_a_native_clients_loopback_address_is_free(redirect_uri: str, fits: bool) -> None:
    assert redirect_uri_matches(NATIVE, redirect_uri) is fits


def test_a_web_clients_loopback_port_is_not_free() -> None:
    assert not redirect_uri_matches(replace(NATIVE, application_type="web"), "http://127.0.0.1:51234/cb")


@given(st.text(alphabet="htps:/[]@\\?#.0127cbCB%é\0 ", max_size=40) | st.text())
@example("http://[")
@example("http://127.0.0.1:cb/cb")
@example("http:///cb")
def test_whatever_matches_is_registered_but_for_its_port(redirect_uri: str) -> None:
    assert redirect_uri_matches(WEB, redirect_uri) is (redirect_uri in WEB.redirect_uris)
    if redirect_uri_matches(NATIVE, redirect_uri) and redirect_uri not in NATIVE.redirect_uris:
        parts = urlsplit(redirect_uri)
        assert (parts.scheme, parts.path, parts.query, parts.fragment) == ("http", "/cb", "", "")
        assert parts.hostname in {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://rp.example:8443/cb?x", "https://rp.example:8443"),
        ("com.example.app:/cb", "com.example.app:"),
        ("http://[::1]:80/cb", "http://[::1]:80"),
    ],
)
def test_the_origin_of_an_address_is_its_scheme_and_authority(uri: str, origin: str) -> None:
    assert origin_of(uri) == origin


def test_scopes_of_a_resource_server_are_those_of_no_identity() -> None:
    client = replace(WEB, scopes=frozenset({"openid", "roles", "report:read"}))
    assert client.resource_scopes == frozenset()
    assert replace(client, resources=("https://rp.example/api",)).resource_scopes == {"report:read"}


@pytest.mark.checklist(112)
@pytest.mark.parametrize(
    ("redirect_uris", "sector_identifier_uri", "sector"),
    [
        (("https://rp.example/cb",), None, "rp.example"),
        (("https://RP.example/a", "https://rp.example:8443/b"), None, "rp.example"),
        (
            ("https://a.example/cb", "https://b.example/cb"),
            "https://sector.example/uris.json",
            "sector.example",
        ),
        (("https://a.example/cb", "https://b.example/cb"), None, "client:web"),
        ((), "https://sector.example/uris.json", "sector.example"),
        ((), None, "client:web"),
        (("com.example.app:/cb",), None, "client:web"),
        (("http://127.0.0.1/cb", "http://[::1]/cb"), None, "client:web"),
        (("http://localhost/cb", "https://rp.example/cb"), None, "rp.example"),
    ],
)
def test_a_sector_is_the_host_that_clients_have_in_common(
    redirect_uris: tuple[str, ...], sector_identifier_uri: str | None, sector: str
) -> None:
    client = replace(WEB, redirect_uris=redirect_uris, sector_identifier_uri=sector_identifier_uri)
    assert sector_of(client) == sector

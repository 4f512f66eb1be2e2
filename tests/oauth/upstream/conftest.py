"""Another platform on this machine, and the application that lets people sign in there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import KeySet

from idp.services.platform import Platform
from tests.oauth.conftest import SeparateRequests
from tests.oauth.people import People
from tests.oauth.upstream.guest import Guest, add_li
from tests.oauth.upstream.other_platform import CLIENT_ID, OtherPlatform, served


@pytest.fixture
def upstream() -> Iterator[OtherPlatform]:
    with served() as provider:
        yield provider


@pytest.fixture
def make(make_app: Callable[..., Flask], upstream: OtherPlatform) -> Callable[..., Flask]:
    """``make(upstream_highest_level="2fa-crypto")``: the application with changed settings."""

    def make_(**changes: Any) -> Flask:
        settings = {"upstream_issuer": upstream.issuer, "upstream_client_id": CLIENT_ID, "throttle": False}
        app = make_app(**settings | changes)
        app.test_client_class = SeparateRequests
        published = app.test_client().get("/login/national/jwks.json").get_json()
        upstream.our_keys = KeySet.import_key_set(published)
        return app

    return make_


@pytest.fixture
def app(make: Callable[..., Flask]) -> Flask:
    return make()


@pytest.fixture
def li(people: People, platform: Platform) -> str:
    """The account here of whom the other platform speaks."""
    return add_li(people, platform)


@pytest.fixture
def guest(app: Flask) -> Guest:
    """Somebody with a fresh browser."""
    return Guest(app)

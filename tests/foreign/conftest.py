"""The platform as ``make run`` serves it, and programs of others that sign people in at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.applications import Applications, serving
from tests.foreign import openid_client
from tests.foreign.openid_client import OpenIdClient
from tests.foreign.sites import Landing, served
from tests.journeys.people import Person


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applications]:
    """The embedded installation with demonstration data; nobody waits a minute for the next code."""
    environ = {"IDP_THROTTLE": "off", "IDP_CAPTCHA": "off"}
    with serving(tmp_path_factory.mktemp("platform"), environ) as running:
        yield running


@pytest.fixture
def person(platform: Applications) -> Person:
    """Somebody with a fresh browser."""
    return Person(platform.idp_url)


@pytest.fixture(scope="session")
def landing() -> Iterator[Landing]:
    """Where clients without pages of their own receive the browser."""
    landing = Landing()
    with served(landing) as landing.url:
        yield landing


@pytest.fixture
def openid(platform: Applications, landing: Landing) -> Iterator[OpenIdClient]:
    """openid-client in a fresh process; not registered yet."""
    with openid_client.running() as program:
        yield OpenIdClient(platform, program, landing)

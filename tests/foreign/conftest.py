"""The platform as ``make run`` serves it, and programs of others that sign people in at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.applications import Applications, serving
from tests.foreign import openid_client
from tests.foreign.openid_client import OpenIdClient
from tests.foreign.sites import Landing, served
from tests.journeys.people import Person

ENVIRON = {"IDP_THROTTLE": "off", "IDP_CAPTCHA": "off"}  # nobody waits a minute for the next code


@pytest.fixture(scope="session")
def as_it_comes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applications]:
    """The embedded installation with demonstration data."""
    with serving(tmp_path_factory.mktemp("platform"), ENVIRON) as running:
        yield running


@pytest.fixture(scope="session")
def with_nonces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applications]:
    """The same, where a proof of possession must carry a nonce of the server (RFC 9449 §8)."""
    with serving(tmp_path_factory.mktemp("platform"), ENVIRON | {"IDP_DPOP_NONCE": "on"}) as running:
        yield running


@pytest.fixture
def platform(request: pytest.FixtureRequest) -> Applications:
    """The installation as it comes, unless the test is parametrized with the name of the other."""
    running: Applications = request.getfixturevalue(getattr(request, "param", "as_it_comes"))
    return running


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

"""What the tests of the protocol share: registered clients, people, signed-in browsers, the code flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp import clock
from idp.keyring import files
from idp.services.platform import Platform
from tests.oauth.browser import Browser
from tests.oauth.key_server import KeyServer
from tests.oauth.people import People
from tests.oauth.relying_party import RelyingParty
from tests.services.conftest import MovableClock

both_backends = pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
"""For tests whose outcome is in the hands of the database."""


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """The protocol is tested on the embedded installation, and where storage matters on both."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session", autouse=True)
def _import_each_key_once() -> Iterator[None]:
    """Checking an RSA key costs more than all else in starting the application, and each test starts one."""
    with pytest.MonkeyPatch.context() as patch:
        known: dict[str, Any] = {}
        import_key = files._imported

        def imported(*args: Any) -> Any:
            name = repr(args)
            if name not in known:
                known[name] = import_key(*args)
            return known[name]

        patch.setattr(files, "_imported", imported)
        yield


class SeparateRequests(FlaskClient):
    """Each request in a context of its own, as under a server: else they share the ``g`` of the test."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send one."""
        return Context().run(super().open, *args, **kwargs)


@pytest.fixture
def app(app: Flask) -> Flask:
    """The application as it starts in development."""
    app.test_client_class = SeparateRequests
    return app


@pytest.fixture
def platform(in_app: Flask) -> Platform:
    """The tools of the use cases of the application under test."""
    platform: Platform = in_app.extensions["idp"]
    return platform


@pytest.fixture
def people(platform: Platform) -> People:
    """Accounts, enterprises and handler authorisations, made on demand."""
    return People(platform)


@pytest.fixture
def browser(app: Flask, platform: Platform) -> Browser:
    """A browser without a login; ``browser.sign_in(account_id)`` gives it one."""
    return Browser(app, platform)


RegisterClient = Callable[..., RelyingParty]


@pytest.fixture
def register(app: Flask, platform: Platform) -> RegisterClient:
    """``register(scope="openid email")``: a client registered as an admin would, able to speak for itself."""

    def register_(**metadata: Any) -> RelyingParty:
        return RelyingParty.registered_with(app, platform, metadata)

    return register_


@pytest.fixture
def rp(register: RegisterClient) -> RelyingParty:
    """A confidential client with a secret that may do everything a web application does."""
    return register()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    """The program's clock, standing at this moment until a test moves it: ``time.advance(minutes=5)``."""
    movable = MovableClock(clock.now())
    monkeypatch.setattr(clock, "now", movable.now)
    return movable


@dataclass(frozen=True)
class Tokens:
    """A token answer."""

    access_token: str
    id_token: str
    refresh_token: str


@dataclass(frozen=True)
class Scene:
    """A handler of one enterprise, signed in, who has used a client before."""

    rp: RelyingParty
    browser: Browser
    account_id: str
    enterprise_id: str
    handler_authorization_id: str

    def tokens(self, **changes: Any) -> Tokens:
        """Tokens of a request that is answered at once."""
        response = self.rp.redeem(self.browser.code_for(self.rp, **changes))
        assert response.status_code == 200, response.text
        answer = response.get_json()
        return Tokens(answer["access_token"], answer.get("id_token", ""), answer.get("refresh_token", ""))


@pytest.fixture
def scene(rp: RelyingParty, people: People, browser: Browser) -> Scene:
    """Ready for requests that are answered at once: signed in, one enterprise, consent remembered."""
    owner = people.legal_person()
    account_id = people.person(real_name="李示例")
    handler_authorization_id = people.handler(account_id, owner.enterprise_id)
    browser.sign_in(account_id)
    browser.allow(rp, account_id, owner.enterprise_id)
    return Scene(rp, browser, account_id, owner.enterprise_id, handler_authorization_id)


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    """The address of a client's keys."""
    server = KeyServer()
    yield server
    server.stop()

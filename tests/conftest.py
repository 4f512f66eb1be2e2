"""Fixtures every test can ask for: settings, keys and the application, on each backend."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as property_settings

from idp import clock
from idp.config import Settings
from idp.keyring import Keyring
from idp.storage import database

# tests.servers first: a plugin has to be registered before another one imports it.
pytest_plugins = ["tests.servers", "tests.databases", "tests.network", "tests.queries", "tests.applications"]

SERVER_FIXTURES = {"postgresql", "postgresql_database", "redis_server", "redis_url"}
ISSUER = "http://127.0.0.1:5000"

MakeSettings = Callable[..., Settings]

# How long an example takes says something of the machine, and nothing of the rule.
property_settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
property_settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs servers or a browser, by fixture and folder, so that nobody has to remember to."""
    for item in items:
        folders = item.path.relative_to(item.config.rootpath).parts
        if "browser" in folders:
            item.add_marker("browser")
        elif {"journeys", "foreign"} & set(folders) or _needs_server(item):
            item.add_marker("server")


def _needs_server(item: pytest.Item) -> bool:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    fixtures = set(getattr(item, "fixturenames", ()))
    return parameters.get("backend") == "postgresql" or bool(fixtures & SERVER_FIXTURES)


@pytest.fixture(scope="session")
def _keys_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("keys")
    Keyring.open(directory).ensure(clock.now() - timedelta(hours=1))  # births tell keys apart by the second
    return directory


@pytest.fixture
def keys_dir(_keys_template: Path, tmp_path: Path) -> Path:
    """A directory with every key the provider needs; the test's own."""
    return Path(shutil.copytree(_keys_template, tmp_path / "keys"))


@pytest.fixture
def settings(backend: str, database_url: str, keys_dir: Path, request: pytest.FixtureRequest) -> MakeSettings:
    """``settings(throttle=False)``: a development installation's on this test's backend, with changes."""
    environ = {
        "IDP_ENV": "development",
        "IDP_ISSUER": ISSUER,
        "IDP_SECRET_KEY": "0123456789abcdef" * 4,
        "IDP_DATABASE_URL": database_url,
        "IDP_KEYS_DIR": str(keys_dir),
        "IDP_REDIS_URL": request.getfixturevalue("redis_url") if backend == "postgresql" else "",
    }
    base = Settings.from_env(environ)

    def make(**changes: Any) -> Settings:
        return replace(base, **changes)

    return make


@pytest.fixture
def make_app(settings: MakeSettings) -> Iterator[Callable[..., Flask]]:
    """``make_app(throttle=False)``: the application with changed settings."""
    from idp.app import create_app  # here, because tests of the lower layers need not wait for all of it

    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        made.append(create_app(settings(**changes)))
        made[-1].testing = True
        return made[-1]

    yield make
    for app in made:
        database.engines(app).dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """The application as it starts in development."""
    return make_app()


@pytest.fixture
def in_app(app: Flask) -> Iterator[Flask]:
    """The application, its context pushed: for storage and services, which need no request."""
    with app.app_context():
        yield app


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    """Flask's test client: an HTTP client with a cookie jar (``client`` is an OAuth client here)."""
    return app.test_client()

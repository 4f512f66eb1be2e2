"""smdvs on each database, with a real provider beside it and a browser in front."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from clients.rp.testing import provider
from clients.smdvs import migrate
from clients.smdvs.app import create_app
from clients.smdvs.config import Settings
from clients.smdvs.storage.database import Database
from clients.smdvs.system import System
from tests.clients.provider import Person, TestProvider

__all__ = ["provider"]  # the kit's fixture

HIDDEN = ("csrf_token", "draft", "draft_ticket", "draft_revision", "draft_window", "enterprise_credit_code")
PUBLIC_URL = "http://127.0.0.1:5001"


@pytest.fixture
def smdvs_settings(tmp_path: Path, provider: TestProvider) -> Settings:
    """smdvs beside that provider, on SQLite."""
    return make_settings(f"sqlite:///{tmp_path / 'smdvs.sqlite3'}", tmp_path, provider)


@pytest.fixture
def smdvs(smdvs_settings: Settings, provider: TestProvider) -> Iterator[Flask]:
    """The application, its database migrated, its key registered at the provider."""
    yield from running(smdvs_settings, provider)


@pytest.fixture
def smdvs_backend(empty_database_url: str, tmp_path: Path, provider: TestProvider) -> Iterator[Flask]:
    """The same on SQLite and on PostgreSQL, for what depends on the database."""
    yield from running(make_settings(empty_database_url, tmp_path, provider), provider)


def make_settings(database_url: str, directory: Path, provider: TestProvider) -> Settings:
    """Settings as an operator writes them."""
    return Settings.from_env(
        {
            "SMDVS_ISSUER": provider.issuer,
            "SMDVS_ENV": "development",
            "SMDVS_PUBLIC_URL": PUBLIC_URL,
            "SMDVS_DATABASE_URL": database_url,
            "SMDVS_SECRET_KEY": "0123456789abcdef" * 4,
            "SMDVS_KEYS_DIR": str(directory / "smdvs-keys"),
        }
    )


def running(settings: Settings, provider: TestProvider) -> Iterator[Flask]:
    """Start smdvs; its connections are closed when the test ends."""
    prepare(settings.database_url)
    app = create_app(settings)
    app.testing = True
    system = system_of(app)
    public = {"keys": [system.client.key.as_dict(private=False)]}
    provider.register(settings.client_id, public, settings.resource)
    yield app
    system.database.engine.dispose()
    system.provider.transport.close()


def prepare(database_url: str) -> None:
    """The newest schema; on SQLite as a copy of a file that was migrated once."""
    if database_url.startswith("sqlite:///"):
        shutil.copyfile(_migrated_file(), database_url.removeprefix("sqlite:///"))
        return
    _migrate(database_url)


@cache
def _migrated_file() -> Path:
    path = Path(tempfile.mkdtemp(prefix="smdvs-schema-")) / "smdvs.sqlite3"
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(database_url: str) -> None:
    database = Database(database_url)
    migrate.upgrade(database)
    database.engine.dispose()


def system_of(app: Flask) -> System:
    """What the application works with."""
    found: System = app.extensions["smdvs"]
    return found


@dataclass
class Browser:
    """Someone's browser at smdvs; follows redirects to the provider and back."""

    http: FlaskClient
    provider: TestProvider

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.http.get(path, **kwargs)

    def sign_in(self, person: Person | None = None, path: str = "/smdvs/login") -> TestResponse:
        """All the way; returns the page that the callback answers with, not followed."""
        return self.provider.sign_in(self.http, path, person)

    def form(self, **changes: str | None) -> dict[str, str]:
        """The fields of a form that is right, with the hidden ones of the page just shown."""
        page = self.http.get("/smdvs/reports/new").text
        names = HIDDEN
        kept = {name: hidden(page, name) for name in names}
        from tests.clients.documents import form_fields

        fields = {**form_fields(), **kept, **changes}
        return {name: value for name, value in fields.items() if value is not None}

    def submit(self, **changes: str | None) -> TestResponse:
        return self.http.post("/smdvs/reports/new", data=self.form(**changes))


def hidden(page: str, name: str) -> str:
    """The value of a hidden field of a page."""
    return page.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]


@pytest.fixture
def browser(smdvs: Flask, provider: TestProvider) -> Browser:
    """A browser that hasn't been here before."""
    return Browser(smdvs.test_client(), provider)

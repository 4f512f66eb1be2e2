from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.web import kept


@pytest.fixture(autouse=True)
def _in_request(app: Flask) -> Iterator[None]:
    with app.test_request_context("/"):
        yield


def test_what_is_kept_opens_only_for_what_it_was_kept_for() -> None:
    handle = kept.keep({"password": "secret"}, "login:one")
    assert kept.kept(handle, "login:one") == {"password": "secret"}
    assert kept.kept(handle, "login:other") == {}
    assert kept.kept("made up", "login:one") == {}
    assert kept.kept("", "login:one") == {}


def test_what_is_kept_is_sealed(app: Flask) -> None:
    handle = kept.keep({"password": "secret"}, "login:one")
    stored = app.extensions["idp"].ephemeral.get(f"kept:{handle}")
    assert stored is not None
    assert b"secret" not in stored


def test_taking_and_dropping_end_it() -> None:
    handle = kept.keep({"client_secret": "x"}, "c")
    assert kept.take(handle, "c") == {"client_secret": "x"}
    assert kept.take(handle, "c") == {}
    handle = kept.keep({"client_secret": "x"}, "c")
    kept.drop(handle)
    assert kept.kept(handle, "c") == {}


def test_it_is_kept_for_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = kept.keep({"password": "secret"}, "login:one")
    later = clock.now() + kept.KEPT_TTL + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert kept.kept(handle, "login:one") == {}

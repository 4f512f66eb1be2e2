from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import create_engine

from idp.ephemeral import EphemeralUnavailable
from idp.keyring import Keyring
from idp.storage.database import Engines
from tests.web.visitor import Visitor, hidden


class LostStore:
    """A short-lived store that can't be reached."""

    def __getattr__(self, verb: str) -> Any:
        def fail(*_arguments: object) -> None:
            raise EphemeralUnavailable

        return fail


def lose_store(app: Flask) -> None:
    app.extensions["idp"] = replace(app.extensions["idp"], ephemeral=LostStore())


def lose_database(app: Flask) -> None:
    app.extensions["idp.engines"] = Engines.over(create_engine("postgresql+psycopg://127.0.0.1:1/none"))


def test_a_healthy_installation_is_ready(visitor: Visitor) -> None:
    assert visitor.get("/healthz").get_json() == {"status": "ok"}
    ready = visitor.get("/readyz")
    assert (ready.status_code, ready.get_json()) == (200, {"status": "ok", "reasons": {}})


def test_not_ready_names_what_does_not_answer(visitor: Visitor) -> None:
    lose_store(visitor.app)
    lose_database(visitor.app)
    ready = visitor.get("/readyz")
    assert ready.status_code == 503
    assert set(ready.get_json()["reasons"]) == {"database", "ephemeral"}
    assert visitor.get("/healthz").status_code == 200


def test_without_keys_it_is_not_ready(visitor: Visitor, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir(mode=0o700)
    lost = replace(visitor.app.extensions["idp"], keyring=Keyring(tmp_path / "none"))
    visitor.app.extensions["idp"] = lost
    ready = visitor.get("/readyz")
    assert (ready.status_code, set(ready.get_json()["reasons"])) == (503, {"keys"})


def test_a_lost_store_is_a_calm_page(person: Visitor) -> None:
    visitor = Visitor(person.app)
    token = hidden(visitor.get("/login"), "csrf_token")
    lose_store(person.app)
    page = visitor.http.post(
        "/login", data={"csrf_token": token, "identifier": "li_shili", "password": "x", "action": "send_code"}
    )
    assert page.status_code == 503
    assert "系统暂时繁忙" in page.text


def test_a_lost_database_is_a_calm_page(person: Visitor) -> None:
    lose_database(person.app)
    page = person.get("/account")
    assert page.status_code == 503
    assert "系统暂时繁忙" in page.text
    assert page.headers["Retry-After"]
    answer = person.get("/account", headers={"Accept": "application/json"})
    assert answer.get_json() == {"error": "temporarily_unavailable"}

"""Whatever was altered in a token, both ways in refuse it, say why, and keep nothing of what came with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from clients.rp.sessions import context
from clients.smdvs import messages
from clients.smdvs.storage.database import Base
from clients.smdvs.storage.sessions import BrowserSession
from tests.clients.conftest import Browser, make_settings, running, system_of
from tests.clients.documents import report_json
from tests.clients.forgery import TABLE, Altered, Forger
from tests.clients.provider import Person, TestProvider, serving

REPORTS = "/smdvs/api/v1/reports"
ROWS = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
# What a refused page may change: the session that held the bad token ends, and what was typed is kept.
OF_THE_BROWSER = {"browser_sessions", "drafts"}


@pytest.fixture(scope="module")
def op() -> Iterator[TestProvider]:
    with serving() as state:
        yield state


@pytest.fixture(scope="module")
def app(op: TestProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """One smdvs for the whole table: nothing in it may change anything."""
    directory: Path = tmp_path_factory.mktemp("forged")
    yield from running(make_settings(f"sqlite:///{directory / 'smdvs.sqlite3'}", directory, op), op)


def rows(app: Flask) -> dict[str, int]:
    """How many rows each table has."""
    with system_of(app).database.reading() as session:
        return {
            name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in Base.metadata.tables.items()
        }


def submit(app: Flask, token: str, **headers: str) -> TestResponse:
    shown = {"Authorization": f"Bearer {token}", "Idempotency-Key": "forged", **headers}
    return app.test_client().post(REPORTS, json=report_json(), headers=shown)


def check_problem(answer: TestResponse, row: Altered) -> None:
    assert answer.status_code == row.status, answer.text
    assert answer.mimetype == "application/problem+json"
    problem: Any = answer.json
    if row.status == 503:
        assert problem["code"] == "provider_unavailable"
        return
    error = "insufficient_scope" if row.status == 403 else "invalid_token"
    assert (problem["code"], problem["reason"]) == (error, row.reason)
    assert problem["detail"] == messages.reason_text(row.reason)
    challenges = answer.headers.getlist("WWW-Authenticate")
    assert [challenge.partition(" ")[0] for challenge in challenges] == ["Bearer", "DPoP"]
    for challenge in challenges:
        assert f'error="{error}"' in challenge
        assert f'error_description="{problem["error_description"]}"' in challenge
        assert row.reason != "scope_missing" or 'scope="accident_report:submit"' in challenge


@ROWS
def test_the_api_refuses_it_and_keeps_nothing(app: Flask, op: TestProvider, row: Altered) -> None:
    before, asked = rows(app), op.calls.count("userinfo")
    check_problem(submit(app, row.make(Forger(op))), row)
    assert rows(app) == before
    assert op.calls.count("userinfo") == asked  # where the headers with keys point to


@ROWS
def test_a_page_refuses_it_and_keeps_nothing_but_what_was_typed(
    app: Flask, op: TestProvider, row: Altered
) -> None:
    browser = Browser(app.test_client(), op)
    browser.sign_in(Person.handler())
    form = browser.form()
    before, asked = rows(app), op.calls.count("userinfo")
    put_into_the_sessions(app, row.make(Forger(op, system_of(app).client.key_thumbprint)))
    answer = browser.http.post("/smdvs/reports/new", data=form)
    assert answer.status_code == row.status
    assert form["narrative"] in answer.text
    expected = messages.UNAVAILABLE if row.status == 503 else messages.reason_text(row.reason)
    assert expected in answer.text
    assert {k: n for k, n in rows(app).items() if k not in OF_THE_BROWSER} == {
        k: n for k, n in before.items() if k not in OF_THE_BROWSER
    }
    assert rows(app)["browser_sessions"] <= before["browser_sessions"]
    assert op.calls.count("userinfo") == asked


def put_into_the_sessions(app: Flask, token: str) -> None:
    """As if the provider had given this one at the last renewal."""
    system = system_of(app)
    with system.database.transaction() as session:
        for id_hash in session.scalars(select(BrowserSession.id_hash)).all():
            sealed = system.fields.seal(token, context("access_token", id_hash))
            session.execute(
                update(BrowserSession)
                .where(BrowserSession.id_hash == id_hash)
                .values(access_token_sealed=sealed)
            )


def test_the_token_that_the_table_spoils_is_good(app: Flask, op: TestProvider) -> None:
    forger = Forger(op)
    for token in (forger.good(), forger.signed(), forger.answered({}), forger.altered(lambda *parts: parts)):
        assert submit(app, token, **{"Idempotency-Key": token[-20:]}).status_code == 201


def test_an_unbound_token_in_a_session_is_refused(app: Flask, op: TestProvider) -> None:
    browser = Browser(app.test_client(), op)
    browser.sign_in(Person.handler())
    form = browser.form()
    put_into_the_sessions(app, Forger(op).good())
    answer = browser.http.post("/smdvs/reports/new", data=form)
    assert answer.status_code == 401
    assert messages.reason_text("token_binding") in answer.text

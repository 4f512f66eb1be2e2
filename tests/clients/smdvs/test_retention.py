"""What is over is deleted, in batches, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, select

from clients.rp import clock
from clients.smdvs import retention
from clients.smdvs.openapi import document
from clients.smdvs.retention import BATCH, IDEMPOTENCY_KEYS
from clients.smdvs.storage.reports import Submission
from clients.smdvs.storage.seen import SeenIdentifier
from clients.smdvs.storage.sessions import BrowserSession
from clients.smdvs.system import System
from tests.clients.conftest import Browser, system_of

NOW = clock.now()
SECOND = timedelta(seconds=1)


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    return system_of(smdvs_backend)


def add_submissions(system: System, count: int, created_at: datetime) -> None:
    rows = [
        {
            "client_id": "c",
            "sub": "s",
            "key_hash": f"{created_at}-{number}",
            "body_digest": "d",
            "report_no": "n",
            "version": 1,
            "created_at": created_at,
        }
        for number in range(count)
    ]
    with system.database.transaction() as session:
        session.execute(insert(Submission), rows)


def test_idempotency_keys_are_kept_for_as_long_as_the_api_says(system: System) -> None:
    add_submissions(system, 2, NOW - IDEMPOTENCY_KEYS)
    add_submissions(system, 3, NOW - IDEMPOTENCY_KEYS - SECOND)
    assert retention.purge(system, NOW) == 3
    assert retention.purge(system, NOW) == 0
    said = str(document(system.settings, NOW)["paths"]["/reports"]["post"]["parameters"])
    assert f"{IDEMPOTENCY_KEYS.days} 天" in said


def test_no_batch_is_larger_than_others_can_wait_for(system: System) -> None:
    add_submissions(system, BATCH + 7, NOW - timedelta(days=400))
    assert [retention.purge(system, NOW) for _ in range(3)] == [BATCH, 7, 0]


def test_identifiers_go_when_they_could_not_be_used_anyway(system: System) -> None:
    rows = [
        {"kind": "dpop", "identifier_hash": "a", "expires_at": NOW},
        {"kind": "dpop", "identifier_hash": "b", "expires_at": NOW + SECOND},
        {"kind": "event", "identifier_hash": "a", "expires_at": NOW + SECOND},
    ]
    with system.database.transaction() as session:
        session.execute(insert(SeenIdentifier), rows)
    assert retention.purge(system, NOW) == 1
    with system.database.reading() as session:
        assert len(session.scalars(select(SeenIdentifier)).all()) == 2


def test_sessions_go_with_their_tokens(browser: Browser, smdvs: Flask) -> None:
    browser.sign_in()
    system = system_of(smdvs)
    retention.purge(system, clock.now())
    with system.database.reading() as session:
        assert len(session.scalars(select(BrowserSession)).all()) == 1
    retention.purge(system, clock.now() + timedelta(hours=9))
    with system.database.reading() as session:
        assert session.scalars(select(BrowserSession)).all() == []

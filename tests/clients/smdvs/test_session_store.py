"""The stores of sessions keep the same promises: the kit's in memory, ours on each database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from clients.rp import clock
from clients.rp.session_store import Ending, MemoryStore, SessionRecord, Store
from clients.rp.signals import Subject
from clients.smdvs.session_store import DatabaseStore
from tests.clients.conftest import system_of

NOW = clock.now()
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["memory", "database"])
def store(request: pytest.FixtureRequest, smdvs_backend: Flask) -> Store[Any]:
    return MemoryStore() if request.param == "memory" else DatabaseStore(system_of(smdvs_backend).database)


def record(id_hash: str = "a", **changes: Any) -> SessionRecord:
    usual: dict[str, Any] = {
        "sid": "sid-1",
        "sub": "person-1",
        "account_type": "handler",
        "enterprise_credit_code": "91990101MADEM00117",
        "enterprise_name": None,
        "person_sealed": "p",
        "id_token_sealed": "i",
        "access_token_sealed": "t",
        "refresh_token_sealed": "r",
        "access_expires_at": NOW + MINUTE,
        "created_at": NOW,
        "seen_at": NOW,
        "ends_at": NOW + 60 * MINUTE,
    }
    return SessionRecord(id_hash=id_hash, **(usual | changes))


def kept(store: Store[Any]) -> Any:
    found = store.find("a")
    assert found is not None
    return found


def test_what_is_added_is_found_until_it_ends(store: Store[Any]) -> None:
    store.add(record(), NOW)
    store.record_seen("a", NOW + MINUTE)
    assert kept(store).seen_at == NOW + MINUTE
    assert store.find("b") is None
    store.end("a")
    store.end("a")
    assert store.find("a") is None


def test_sessions_whose_time_is_over_go_with_the_next_sign_in(store: Store[Any]) -> None:
    store.add(record("old", ends_at=NOW), NOW - MINUTE)
    store.add(record("new"), NOW)
    assert store.find("old") is None
    assert store.find("new") is not None


def test_one_of_many_renews_and_its_claim_runs_out(store: Store[Any]) -> None:
    store.add(record(), NOW)
    with ThreadPoolExecutor(4) as threads:
        claims = list(threads.map(lambda _: store.claim_refresh("a", "t", NOW, NOW + MINUTE), range(4)))
    assert sorted(claims) == [False, False, False, True]
    assert store.claim_refresh("a", "t", NOW + 2 * MINUTE, NOW + 3 * MINUTE)
    store.release_refresh("a")
    assert store.claim_refresh("a", "t", NOW, NOW + MINUTE)
    assert store.store_tokens("a", "t2", None, NOW + 5 * MINUTE)
    assert not store.claim_refresh("a", "t", NOW, NOW + MINUTE)
    renewed = kept(store)
    assert (renewed.access_token_sealed, renewed.refresh_token_sealed) == ("t2", "r")


def test_a_session_that_has_ended_takes_no_tokens(store: Store[Any]) -> None:
    assert not store.store_tokens("a", "t2", "r2", NOW)
    assert not store.claim_refresh("a", "t", NOW, NOW + MINUTE)


@pytest.mark.parametrize(
    ("ending", "ends"),
    [
        (Ending(Subject("person-1")), True),
        (Ending(Subject("person-1", "sid-1")), True),
        (Ending(Subject(None, "sid-1")), True),
        (Ending(Subject("person-1", None, "91990101MADEM00117"), "handler"), True),
        (Ending(Subject("person-2")), False),
        (Ending(Subject("person-2", "sid-1")), False),
        (Ending(Subject("person-1", "sid-2")), False),
        (Ending(Subject("person-1", None, "91990101MADEM002XY")), False),
        (Ending(Subject("person-1"), "legal_person"), False),
        (Ending(Subject(None, None, "91990101MADEM00117")), False),
        (Ending(Subject()), False),
    ],
)
def test_an_ending_ends_what_it_describes_and_nothing_else(
    store: Store[Any], ending: Ending, ends: bool
) -> None:
    store.add(record(), NOW)
    assert store.once("event", "j", NOW, NOW + MINUTE, [ending])
    assert (store.find("a") is None) is ends


def test_an_identifier_counts_once_in_its_kind_until_its_time(store: Store[Any]) -> None:
    with ThreadPoolExecutor(4) as threads:
        firsts = list(threads.map(lambda _: store.once("dpop", "x", NOW, NOW + MINUTE), range(4)))
    assert sorted(firsts) == [False, False, False, True]
    assert store.once("event", "x", NOW, NOW + MINUTE)
    store.add(record(), NOW)
    assert not store.once("event", "x", NOW, NOW + MINUTE, [Ending(Subject("person-1"))])
    assert store.find("a") is not None
    assert store.once("dpop", "x", NOW + MINUTE, NOW + 2 * MINUTE)

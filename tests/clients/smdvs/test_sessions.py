"""Renewal of a session's tokens: in time, once, and never at the cost of the session."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from clients.rp import clock
from clients.rp.errors import ProviderUnavailable
from clients.smdvs import cookies, sessions
from clients.smdvs.sessions import SessionEnded
from clients.smdvs.storage.sessions import BrowserSession
from clients.smdvs.system import System
from tests.clients.conftest import Browser, system_of
from tests.clients.provider import Claims, TestProvider


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    return system_of(smdvs_backend)


@pytest.fixture
def cookie(smdvs_backend: Flask, provider: TestProvider) -> str:
    """The cookie of a session whose access token is about to end."""
    provider.access_ttl = 5
    answer = Browser(smdvs_backend.test_client(), provider).sign_in()
    provider.access_ttl = 300
    found = next(v for n, v in answer.headers if n == "Set-Cookie" and v.startswith(cookies.SESSION))
    return found.split("=", 1)[1].split(";")[0]


def row_of(system: System, cookie: str) -> BrowserSession:
    row = sessions.find(system, cookie, clock.now())
    assert row is not None
    return row


def test_a_token_with_time_left_is_used_as_it_is(
    system: System, smdvs_backend: Flask, provider: TestProvider
) -> None:
    answer = Browser(smdvs_backend.test_client(), provider).sign_in()
    found = next(v for n, v in answer.headers if n == "Set-Cookie" and v.startswith(cookies.SESSION))
    row = row_of(system, found.split("=", 1)[1].split(";")[0])
    assert sessions.access_token(system, row) in provider.tokens
    assert provider.calls.count("token") == 1


def test_a_token_near_its_end_is_renewed_and_kept(
    system: System, cookie: str, provider: TestProvider
) -> None:
    renewed = sessions.access_token(system, row_of(system, cookie))
    assert renewed == sessions.access_token(system, row_of(system, cookie))
    assert provider.calls.count("token") == 2


def test_many_requests_at_once_renew_once(system: System, cookie: str, provider: TestProvider) -> None:
    provider.delays["token"] = 0.2
    row = row_of(system, cookie)
    with ThreadPoolExecutor(6) as pool:
        renewed = list(pool.map(lambda _: sessions.access_token(system, row), range(6)))
    assert len(set(renewed)) == 1
    assert renewed[0] in provider.tokens
    assert provider.calls.count("token") == 2


def test_a_refused_renewal_ends_the_session(system: System, cookie: str, provider: TestProvider) -> None:
    row = row_of(system, cookie)
    provider.revoke_all()
    assert sessions.access_token(system, row) == SessionEnded()
    assert sessions.find(system, cookie, clock.now()) is None


def test_a_silent_provider_leaves_the_session_for_later(
    system: System, cookie: str, provider: TestProvider
) -> None:
    row = row_of(system, cookie)
    provider.broken.add("token")
    with pytest.raises(ProviderUnavailable):
        sessions.access_token(system, row)
    provider.broken.clear()
    assert sessions.access_token(system, row_of(system, cookie)) in provider.tokens


def test_a_session_ended_during_its_renewal_stays_ended(
    system: System, cookie: str, provider: TestProvider
) -> None:
    row = row_of(system, cookie)

    def sign_out_meanwhile(body: Claims) -> Claims:
        sessions.end(system, row)
        return body

    provider.answer_changes["token"] = sign_out_meanwhile
    assert sessions.access_token(system, row) == SessionEnded()
    assert sessions.find(system, cookie, clock.now()) is None


def test_a_renewal_that_died_halfway_is_taken_over(
    system: System, cookie: str, provider: TestProvider
) -> None:
    from clients.smdvs.storage import sessions as rows

    row = row_of(system, cookie)
    now = clock.now()
    with system.database.transaction() as session:
        assert rows.claim_refresh(session, row.id_hash, row.access_token_sealed, now, now)
    assert sessions.access_token(system, row) in provider.tokens

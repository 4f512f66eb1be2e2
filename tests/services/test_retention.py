from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from idp import clock
from idp.services import client_registration, clients, outbox, retention
from idp.services.platform import Platform
from idp.storage import accounts as account_rows
from idp.storage import outbox as outbox_rows
from idp.storage.authorizations import Authorization
from idp.storage.clients import InitialAccessToken
from idp.storage.database import reading, transaction
from tests.services.people import ORIGIN, PHONE, account, open_login


def count(table: Any) -> int:
    with reading() as session:
        return len(session.execute(table.select()).all())


def authorization(login_sid: str, account_id: str, **values: Any) -> Authorization:
    now = clock.now()
    columns: dict[str, Any] = {
        "id": f"a{values['expires_at'].timestamp()}"[:22],
        "client_id": "reports",
        "account_id": account_id,
        "sid": login_sid,
        "account_type": None,
        "scope": "openid",
        "auth_time": 0,
        "acr": "",
        "amr": [],
        "redirect_uri": "",
        "code_challenge": "",
        "code_expires_at": now,
        "created_at": now,
    }
    return Authorization(**columns | values)


@pytest.fixture
def login_sid(platform: Platform) -> str:
    """A login of an account, and a client."""
    metadata = {
        "client_id": "reports",
        "client_name": "测试应用",
        "redirect_uris": ["https://client.example/callback"],
        "scope": "openid",
    }
    clients.register(platform, metadata, ORIGIN)
    return open_login(platform, account(platform))[1].sid


def end(sid: str, **values: Any) -> None:
    with transaction() as session:
        session.execute(account_rows.logins.update().where(account_rows.logins.c.sid == sid).values(**values))


def test_a_login_goes_a_day_after_its_end_and_only_when_nothing_rests_on_it(
    platform: Platform, login_sid: str
) -> None:
    now = clock.now()
    account_id = account_rows_account_id(login_sid)
    with transaction() as session:
        session.add(authorization(login_sid, account_id, expires_at=now + timedelta(days=30)))
    end(login_sid, expires_at=now, ended_at=now)
    assert retention.purge(now + timedelta(days=2)) == 0
    assert count(account_rows.logins) == 1
    assert retention.purge(now + timedelta(days=32)) == 2
    assert count(account_rows.logins) == 0
    assert count(Authorization.__table__) == 0


def account_rows_account_id(sid: str) -> str:
    with reading() as session:
        found = session.execute(account_rows.logins.select().where(account_rows.logins.c.sid == sid))
        return str(found.one().account_id)


def test_a_login_that_nobody_has_ended_stays(platform: Platform, login_sid: str) -> None:
    end(login_sid, expires_at=clock.now() - timedelta(days=3))
    assert retention.purge(clock.now()) == 0


def test_messages_go_a_day_after_they_are_done_and_waiting_ones_stay(platform: Platform) -> None:
    with transaction() as session:
        outbox.enqueue_sms(session, platform, PHONE, "login", "text")
        outbox.enqueue_logout_token(session, platform, "reports", "https://client.example/", {"sid": "sid"})
    assert retention.purge(clock.now() + timedelta(hours=23)) == 0
    assert retention.purge(clock.now() + timedelta(hours=25)) == 1
    with reading() as session:
        assert [row.kind for row in session.execute(outbox_rows.table.select())] == ["backchannel_logout"]


def test_what_could_not_be_delivered_stays_for_a_month(platform: Platform) -> None:
    with transaction() as session:
        outbox.enqueue_logout_token(session, platform, "reports", "https://client.example/", {"sid": "sid"})
        session.execute(outbox_rows.table.update().values(next_attempt_at=None, last_error="answered 503"))
    assert retention.purge(clock.now() + timedelta(days=29)) == 0
    assert count(outbox_rows.table) == 1
    assert retention.purge(clock.now() + timedelta(days=31)) == 1
    assert count(outbox_rows.table) == 0


def test_one_call_deletes_a_batch_and_says_that_there_was_something(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(3):
        with transaction() as session:
            outbox.enqueue_sms(session, platform, PHONE, "login", "text")
    later = clock.now() + timedelta(days=2)
    assert [retention.purge(later) for _ in range(3)] == [2, 1, 0]


def test_leave_to_register_goes_a_day_after_its_end(platform: Platform) -> None:
    for ttl_seconds in (60, 172_800):
        assert isinstance(client_registration.issue_initial_access_token(1, ttl_seconds, ORIGIN), str)
    assert retention.purge(clock.now() + timedelta(hours=23)) == 0
    assert retention.purge(clock.now() + timedelta(hours=25)) == 1
    assert count(InitialAccessToken.__table__) == 1

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from idp import clock
from idp.domain.audit import AuditEvent
from idp.services import audit
from idp.services.platform import Platform
from idp.storage import audit as rows
from idp.storage.database import transaction
from tests.queries import AssertQueries
from tests.services.conftest import MovableClock, at_once
from tests.services.people import ORIGIN


def record(count: int = 1, event: AuditEvent = AuditEvent.LOGIN_SUCCESS, **members: Any) -> None:
    for number in range(count):
        with transaction() as session:
            audit.record(session, event, ORIGIN, **{"detail": {"number": number}} | members)


def change(entry: int, **values: Any) -> None:
    with transaction() as session:
        session.execute(update(rows.table).where(rows.table.c.id == entry).values(**values))


def test_a_line_keeps_who_what_and_where_from(platform: Platform) -> None:
    record(account_id="account", client_id="client", object_id="object", result="credentials_wrong")
    (entry,) = audit.list_entries(platform)
    assert entry.event == "login:success"
    assert (entry.account_id, entry.client_id, entry.object_id) == ("account", "client", "object")
    assert (entry.result, entry.address, entry.request_id) == ("credentials_wrong", "192.0.2.7", "request-1")
    assert entry.detail == {"number": 0, "user_agent": "test browser"}
    assert clock.now() - entry.occurred_at < timedelta(minutes=1)


def test_a_line_goes_with_the_change_that_fails(platform: Platform) -> None:
    def change_that_fails() -> None:
        with transaction() as session:
            audit.record(session, AuditEvent.LOGOUT, ORIGIN)
            raise LookupError

    with pytest.raises(LookupError):
        change_that_fails()
    assert audit.list_entries(platform) == []


def test_a_line_is_one_statement(platform: Platform, assert_queries: AssertQueries) -> None:
    with assert_queries(1):
        record()


def test_sealed_lines_make_a_whole_chain(platform: Platform) -> None:
    record(3)
    assert audit.seal(platform) == 3
    assert audit.seal(platform) == 0
    record(2)
    before = audit.verify(platform)
    assert (before.ok, before.sealed, before.unsealed) == (True, 3, 2)
    assert audit.seal(platform) == 2
    after = audit.verify(platform, before.head)
    assert (after.ok, after.sealed, after.unsealed) == (True, 5, 0)
    assert after.head != before.head


def test_an_empty_trail_is_whole(platform: Platform) -> None:
    empty = audit.verify(platform)
    assert (empty.ok, empty.sealed) == (True, 0)
    assert audit.verify(platform, empty.head).ok


@pytest.mark.parametrize(
    "values",
    [
        {"result": "other"},
        {"account_id": "somebody"},
        {"detail": {}},
        {"occurred_at": clock.now()},
        {"seal": "0" * 64},
        {"address": "198.51.100.1"},
    ],
)
def test_a_changed_line_breaks_the_chain_there(platform: Platform, values: dict[str, Any]) -> None:
    record(4)
    audit.seal(platform)
    second = audit.list_entries(platform)[2].id
    change(second, **values)
    found = audit.verify(platform)
    assert (found.ok, found.broken_at, found.reason, found.sealed) == (False, second, "changed", 1)


def test_a_removed_line_breaks_the_chain_after_it(platform: Platform) -> None:
    record(4)
    audit.seal(platform)
    third, second = audit.list_entries(platform)[1:3]
    with transaction() as session:
        session.execute(delete(rows.table).where(rows.table.c.id == second.id))
    found = audit.verify(platform)
    assert (found.ok, found.broken_at, found.reason) == (False, third.id, "missing")


def test_a_removed_line_is_noticed_even_when_the_rest_is_numbered_anew(platform: Platform) -> None:
    record(3)
    audit.seal(platform)
    last, second, _ = audit.list_entries(platform)
    with transaction() as session:
        session.execute(delete(rows.table).where(rows.table.c.id == second.id))
    change(last.id, seal_number=2)
    found = audit.verify(platform)
    assert (found.broken_at, found.reason) == (last.id, "changed")


def test_a_cut_off_end_is_noticed_by_the_head_kept_elsewhere(platform: Platform) -> None:
    record(3)
    audit.seal(platform)
    head = audit.verify(platform).head
    with transaction() as session:
        session.execute(delete(rows.table).where(rows.table.c.id == audit.list_entries(platform)[0].id))
    assert audit.verify(platform).ok
    found = audit.verify(platform, head)
    assert (found.ok, found.broken_at, found.reason) == (False, None, "cut_off")


def test_a_line_slipped_in_with_another_key_breaks_the_chain(platform: Platform) -> None:
    record(2)
    audit.seal(platform)
    record(1)
    forged = audit.list_entries(platform)[0].id
    change(forged, seal_number=3, seal="f" * 64)
    assert audit.verify(platform).broken_at == forged


def test_of_several_workers_at_once_each_line_is_sealed_once(platform: Platform) -> None:
    record(40)
    counts = at_once([lambda: audit.seal(platform)] * 4)
    assert sum(counts) == 40
    assert audit.verify(platform).ok


def test_lines_written_while_sealing_wait_for_the_next_time(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "SEAL_BATCH", 3)
    record(7)
    assert [audit.seal(platform) for _ in range(4)] == [3, 3, 1, 0]
    assert audit.verify(platform).ok


def test_a_worker_that_was_overtaken_seals_nothing(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(1)
    monkeypatch.setattr(rows, "seal_events", lambda _session, _seals: False)
    assert audit.seal(platform) == 0
    assert audit.verify(platform).unsealed == 1


def test_entries_are_listed_newest_first_by_event_area_account_and_page(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE_SIZE", 2)
    record(3, AuditEvent.LOGIN_SUCCESS, account_id="one")
    record(1, AuditEvent.LOGIN_FAILURE, account_id="two")
    record(1, AuditEvent.SMS_SEND, account_id="two")
    listed = audit.list_entries(platform)
    assert [entry.event for entry in listed] == ["sms:send", "login:failure"]
    assert [entry.id < listed[-1].id for entry in audit.list_entries(platform, page=2)] == [True, True]
    assert audit.list_entries(platform, "login")[0].event == "login:failure"
    assert len(audit.list_entries(platform, "login:failure")) == 1
    assert len(audit.list_entries(platform, account_id="two")) == 2
    assert audit.list_entries(platform, "log") == []
    assert audit.list_entries(platform, "%") == []


def test_an_export_has_every_line_of_the_period_with_its_seal(
    platform: Platform, moving_clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "READ_BATCH", 2)
    start = clock.now()
    for _ in range(5):
        record()
        moving_clock.advance(hours=1)
    audit.seal(platform)
    lines = list(audit.export(platform))
    assert [line["seal_number"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[0]["occurred_at"] == start.isoformat(timespec="microseconds")
    part = list(audit.export(platform, start + timedelta(hours=1), start + timedelta(hours=3)))
    assert [line["seal_number"] for line in part] == [2, 3]

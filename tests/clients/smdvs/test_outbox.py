"""Reminders on their way: each written once and sent once, by any number of workers, on both databases."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier, Lock

import pytest
from flask import Flask
from sqlalchemy import text

from clients.rp import clock
from clients.rp.sealed import SealBroken, Sealer
from clients.smdvs import drafts, outbox, reviews, submissions
from clients.smdvs.access import Reviewer
from clients.smdvs.contents import open_personal
from clients.smdvs.documents import report_from_json
from clients.smdvs.drafts import Kept, Seen
from clients.smdvs.lifecycle import Act
from clients.smdvs.outbox import LEASE, LONGEST_RETRY, MOST_A_DAY, Outcome, retry_after
from clients.smdvs.report import CHINA_TIME, Report
from clients.smdvs.sms import SmsError
from clients.smdvs.storage.outbox import OutboxMessage, list_recent, purge_messages
from clients.smdvs.submissions import Accepted
from clients.smdvs.system import System
from clients.smdvs.tickets import Owner, Sheet
from tests.clients.conftest import Browser, system_of
from tests.clients.documents import form_fields, report_json
from tests.clients.smdvs.test_submissions import ORIGIN, REPORTER
from tests.queries import AssertQueries

PHONE = "19900000001"
HOUR = timedelta(hours=1)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = clock.now()

    def __call__(self) -> datetime:
        return self.now


class Recorder:
    """A gateway that keeps what it is given; fails as long as ``fails`` says how."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.fails: BaseException | None = None
        self._lock = Lock()

    def send(self, phone: str, message: str, reference: str) -> None:
        if self.fails is not None:
            raise self.fails
        with self._lock:
            self.sent.append((phone, message, reference))


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moving = Clock()
    monkeypatch.setattr(clock, "now", moving)
    return moving


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    return system_of(smdvs_backend)


@pytest.fixture
def gateway() -> Recorder:
    return Recorder()


def report(**changes: object) -> Report:
    found = report_from_json(report_json(**changes), clock.now())
    assert isinstance(found, Report)
    return found


def submit(system: System, **changes: object) -> str:
    stored = submissions.submit_initial(system, REPORTER, report(**changes), ORIGIN, None, clock.now())
    assert isinstance(stored, Accepted)
    return stored.report_no


def messages(system: System) -> list[OutboxMessage]:
    with system.database.reading() as session:
        return list(list_recent(session, 100))


def drain(system: System, gateway: Recorder) -> Iterator[Outcome]:
    while (outcome := outbox.deliver_next(system, gateway)) is not None:
        yield outcome


def test_a_report_in_time_is_reminded_of_nothing(system: System, time: Clock, gateway: Recorder) -> None:
    submit(system)
    assert outbox.enqueue_due(system, time.now) == 0
    assert list(drain(system, gateway)) == []


def test_each_reminder_is_written_once_and_sent_once(system: System, time: Clock, gateway: Recorder) -> None:
    report_no = submit(system)
    for _ in range(140 * 2):
        time.now += HOUR / 2
        outbox.enqueue_due(system, time.now)
        list(drain(system, gateway))
    assert [phone for phone, _, _ in gateway.sent] == [PHONE] * 4
    assert all(report_no in message for _, message, _ in gateway.sent)
    assert len({reference for _, _, reference in gateway.sent}) == 4
    assert [row.kind for row in messages(system)][::-1] == [
        "detailed_half",
        "detailed_24h",
        "detailed_4h",
        "detailed_overdue",
    ]


def test_the_phone_is_the_newest_versions(system: System, time: Clock, gateway: Recorder) -> None:
    report_no = submit(system)
    newer = report(reporter_phone="19900000002")
    submissions.submit_version(
        system, REPORTER, report_no, Act.SUPPLEMENT, newer, ORIGIN, None, None, time.now
    )
    time.now += 100 * HOUR
    assert outbox.enqueue_due(system, time.now) == 1
    assert list(drain(system, gateway)) == [Outcome.SENT]
    assert gateway.sent[0][0] == "19900000002"


def test_what_is_done_meanwhile_is_not_sent(system: System, time: Clock, gateway: Recorder) -> None:
    report_no = submit(system)
    time.now += 100 * HOUR
    assert outbox.enqueue_due(system, time.now) == 1
    submissions.void(system, REPORTER, report_no, "重复上报", ORIGIN, None, None, time.now)
    assert list(drain(system, gateway)) == [Outcome.DROPPED]
    assert gateway.sent == []
    assert messages(system)[0].last_error == "no_longer_due"
    assert outbox.enqueue_due(system, time.now) == 0


def test_a_message_that_waited_says_how_it_stands_now(system: System, time: Clock, gateway: Recorder) -> None:
    submit(system)
    time.now += 100 * HOUR
    outbox.enqueue_due(system, time.now)
    time.now += 30 * HOUR
    outbox.enqueue_due(system, time.now)
    assert list(drain(system, gateway)) == [Outcome.DROPPED, Outcome.SENT]
    assert "逾期" in gateway.sent[0][1]


def test_a_return_is_told_of(system: System, time: Clock, gateway: Recorder) -> None:
    report_no = submit(system)
    reviewer = Reviewer("regulator", "smdvs")
    with system.database.transaction() as session:
        session.execute(text("UPDATE reports SET status = 'under_review'"))
    reviews.carry_out(system, reviewer, "", report_no, Act.RETURN, "缺少电池编码", None, time.now)
    assert outbox.enqueue_due(system, time.now) == 1
    assert list(drain(system, gateway)) == [Outcome.SENT]
    assert "退回补正" in gateway.sent[0][1]
    assert outbox.enqueue_due(system, time.now + HOUR) == 0


def test_a_gateway_that_fails_is_tried_again_later_each_time(
    system: System, time: Clock, gateway: Recorder
) -> None:
    submit(system)
    time.now += 100 * HOUR
    outbox.enqueue_due(system, time.now)
    gateway.fails = SmsError("answered 500")
    for _ in range(4):
        assert outbox.deliver_next(system, gateway) is Outcome.FAILED
        assert outbox.deliver_next(system, gateway) is None
        time.now += HOUR
    row = messages(system)[0]
    assert (row.attempts, row.sent_at, row.last_error) == (4, None, "answered 500")
    gateway.fails = None
    assert outbox.deliver_next(system, gateway) is Outcome.SENT
    assert messages(system)[0].last_error is None


def test_a_worker_that_dies_gives_its_message_back_when_the_lease_ends(
    system: System, time: Clock, gateway: Recorder
) -> None:
    submit(system)
    time.now += 100 * HOUR
    outbox.enqueue_due(system, time.now)
    gateway.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver_next(system, gateway)
    gateway.fails = None
    assert outbox.deliver_next(system, gateway) is None
    time.now += LEASE
    assert outbox.deliver_next(system, gateway) is Outcome.SENT


def test_whose_lease_has_run_out_marks_nothing(system: System, time: Clock, gateway: Recorder) -> None:
    submit(system)
    time.now += 100 * HOUR
    outbox.enqueue_due(system, time.now)

    class Slow(Recorder):
        def send(self, phone: str, message: str, reference: str) -> None:
            time.now += LEASE
            assert outbox.deliver_next(system, gateway) is Outcome.SENT
            raise SmsError("ReadTimeout")

    assert outbox.deliver_next(system, Slow()) is Outcome.FAILED
    row = messages(system)[0]
    assert row.sent_at is not None
    assert row.last_error is None


def test_two_workers_at_once_write_and_send_each_reminder_once(
    system: System, time: Clock, gateway: Recorder
) -> None:
    numbers = [submit(system) for _ in range(12)]
    time.now += 100 * HOUR
    barrier = Barrier(4)

    def worker(_: int) -> None:
        barrier.wait()
        outbox.enqueue_due(system, time.now)
        list(drain(system, gateway))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(worker, range(4)))
    assert len(messages(system)) == len(numbers)
    assert len(gateway.sent) == len(numbers)
    assert len({reference for _, _, reference in gateway.sent}) == len(numbers)


def test_no_telephone_rings_all_day(system: System, time: Clock, gateway: Recorder) -> None:
    for _ in range(MOST_A_DAY + 5):
        submit(system)
    time.now += 100 * HOUR
    assert outbox.enqueue_due(system, time.now) == MOST_A_DAY
    assert outbox.enqueue_due(system, time.now) == 0


def test_nothing_of_a_person_is_at_rest_or_in_the_log(
    system: System, time: Clock, gateway: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    submit(system)
    time.now += 100 * HOUR
    with caplog.at_level(logging.DEBUG):
        outbox.enqueue_due(system, time.now)
        gateway.fails = SmsError("answered 500")
        list(drain(system, gateway))
        gateway.fails = None
        time.now += HOUR
        list(drain(system, gateway))
    assert len(gateway.sent) == 1
    with system.database.engine.connect() as connection:
        at_rest = str(connection.exec_driver_sql("SELECT * FROM outbox").all())
    for place in (at_rest, caplog.text):
        assert PHONE not in place
        assert "李示例" not in place


def test_a_message_that_cannot_be_read_is_given_up(system: System, time: Clock, gateway: Recorder) -> None:
    submit(system)
    time.now += 100 * HOUR
    outbox.enqueue_due(system, time.now)
    with system.database.transaction() as session:
        session.execute(text("UPDATE outbox SET recipient_sealed = 'x.y'"))
    assert list(drain(system, gateway)) == [Outcome.DROPPED]
    assert messages(system)[0].last_error == "unreadable"


def test_looking_for_reminders_costs_few_statements(
    system: System, time: Clock, assert_queries: AssertQueries
) -> None:
    for _ in range(8):
        submit(system)
    with assert_queries(2):
        outbox.enqueue_due(system, time.now)
    time.now += 100 * HOUR
    outbox.enqueue_due(system, time.now)
    with assert_queries(3):
        outbox.enqueue_due(system, time.now)


def test_old_messages_are_forgotten_in_batches(system: System, time: Clock) -> None:
    for _ in range(3):
        submit(system)
    time.now += 100 * HOUR
    outbox.enqueue_due(system, time.now)
    with system.database.transaction() as session:
        assert purge_messages(session, time.now, 10) == 0
        assert purge_messages(session, time.now + HOUR, 2) == 2
        assert purge_messages(session, time.now + HOUR, 2) == 1


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_waiting_grows_and_has_an_end(chance: float) -> None:
    waits = [retry_after(attempts, chance) for attempts in range(1, 40)]
    assert waits == sorted(waits)
    assert timedelta(seconds=15) <= waits[0] <= timedelta(seconds=30)
    assert LONGEST_RETRY / 2 <= waits[-1] <= LONGEST_RETRY


def test_development_reads_its_messages(browser: Browser, smdvs: Flask, time: Clock) -> None:
    assert "还没有短信" in browser.get("/smdvs/dev/outbox").text
    submit(system_of(smdvs))
    time.now += 100 * HOUR
    outbox.enqueue_due(system_of(smdvs), time.now)
    page = browser.get("/smdvs/dev/outbox").text
    assert PHONE in page
    assert "等待发送" in page
    list(drain(system_of(smdvs), Recorder()))
    assert "已发送" in browser.get("/smdvs/dev/outbox").text


def test_production_has_no_such_page(browser: Browser, smdvs: Flask) -> None:
    object.__setattr__(system_of(smdvs).settings, "env", "production")
    assert browser.get("/smdvs/dev/outbox").status_code == 404


OWNER = Owner("person-1", REPORTER.enterprise_credit_code)


def keep(system: System, draft_id: str, time: Clock, **changes: str) -> None:
    fields = {**form_fields(), "occurred_at": f"{time.now.astimezone(CHINA_TIME):%Y-%m-%dT%H:%M}", **changes}
    kept = drafts.keep(system, OWNER, draft_id, Sheet(Act.INITIAL), fields, Seen(0, "window"), time.now)
    assert isinstance(kept, Kept)


def test_a_draft_is_reminded_of_until_it_is_gone(system: System, time: Clock, gateway: Recorder) -> None:
    keep(system, drafts.new_id(), time)
    thrown_away = drafts.new_id()
    keep(system, thrown_away, time)
    time.now += 21 * HOUR
    assert outbox.enqueue_due(system, time.now) == 2
    assert outbox.enqueue_due(system, time.now) == 0
    drafts.delete(system, OWNER, thrown_away)
    assert sorted(drain(system, gateway)) == [Outcome.DROPPED, Outcome.SENT]
    assert gateway.sent[0][0] == PHONE
    assert "草稿" in gateway.sent[0][1]
    time.now += 10 * HOUR
    assert outbox.enqueue_due(system, time.now) == 1
    assert [row.kind for row in messages(system)].count("draft_overdue") == 1


@pytest.mark.parametrize("phone", ["", "12345", "1990000000１", "19900000001 19900000002"])
def test_a_draft_without_a_phone_is_shown_on_pages_only(system: System, time: Clock, phone: str) -> None:
    keep(system, drafts.new_id(), time, reporter_phone=phone)
    time.now += 21 * HOUR
    assert outbox.enqueue_due(system, time.now) == 0


def test_a_draft_with_a_death_is_reminded_of_earlier(system: System, time: Clock) -> None:
    keep(system, drafts.new_id(), time, deaths="1")
    time.now += 9 * HOUR
    assert outbox.enqueue_due(system, time.now) == 1


def test_a_report_whose_people_cannot_be_read_holds_up_nobody(
    system: System, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, other = submit(system), submit(system)
    time.now += 100 * HOUR

    def open_but(sealer: Sealer, sealed: str, report_no: str, version: int) -> dict[str, object]:
        if report_no == lost:
            raise SealBroken(report_no)
        return open_personal(sealer, sealed, report_no, version)

    monkeypatch.setattr(outbox, "open_personal", open_but)
    assert outbox.enqueue_due(system, time.now) == 1
    assert other in messages(system)[0].parameters

"""The worker as a real process: killed, doubled, stopped; and what it does when something is wrong."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import text

from clients.rp import clock
from clients.smdvs import outbox, retention, worker
from clients.smdvs.config import Settings
from clients.smdvs.report import CHINA_TIME
from clients.smdvs.storage.database import DatabaseUnavailable
from clients.smdvs.system import System
from tests.applications import ROOT
from tests.clients.conftest import system_of
from tests.clients.smdvs.test_outbox import PHONE, Recorder, messages, submit
from tests.clients.smdvs.test_sms import Taken, listening

REPORTS = 5


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    """With reports whose detailed report is due in less than a day."""
    found = system_of(smdvs_backend)
    occurred_at = (clock.now() - timedelta(hours=100)).astimezone(CHINA_TIME)
    moments = dict.fromkeys(("occurred_at", "learned_at"), occurred_at.isoformat())
    for _ in range(REPORTS):
        submit(found, late_reason="为测试而迟报", **moments)
    with found.database.transaction() as session:
        session.execute(text("UPDATE reports SET received_at = occurred_at"))
    return found


def environ(settings: Settings, gateway: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "SMDVS_ISSUER": settings.issuer,
        "SMDVS_PUBLIC_URL": settings.public_url,
        "SMDVS_DATABASE_URL": settings.database_url,
        "SMDVS_SECRET_KEY": settings.secret_key,
        "SMDVS_KEYS_DIR": str(settings.keys_dir),
        "SMDVS_SMS_URL": gateway,
        "SMDVS_SMS_TOKEN": "token",
    }


@contextmanager
def working(system: System, gateway: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "clients.smdvs.worker"],
            cwd=ROOT,
            env=environ(system.settings, gateway),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not what():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def all_sent(system: System) -> bool:
    rows = messages(system)
    return len(rows) == REPORTS and all(row.sent_at is not None for row in rows)


def references(taken: Taken) -> Counter[str]:
    return Counter(body["reference"] for _, body in taken.requests)


def test_two_workers_send_each_reminder_once_and_stop_when_asked(system: System, tmp_path: Path) -> None:
    taken, log = Taken(200), tmp_path / "worker.log"
    with listening(taken) as url, ExitStack() as stack:
        workers = [stack.enter_context(working(system, url, log)) for _ in range(2)]
        wait_until(lambda: all_sent(system))
        wait_until(lambda: log.read_text().count(": working") == len(workers))
        for each in workers:
            each.send_signal(signal.SIGTERM)
        assert [each.wait(timeout=15) for each in workers] == [0, 0]
    assert list(references(taken).values()) == [1] * REPORTS
    said = log.read_text()
    assert said.count(" sent: detailed_24h") == REPORTS
    assert PHONE not in said
    assert "Traceback" not in said


def test_a_worker_killed_while_it_sends_loses_nothing(system: System, tmp_path: Path) -> None:
    taken, log = Taken(200, slow=Event()), tmp_path / "worker.log"
    with listening(taken) as url:
        with working(system, url, log) as first:
            wait_until(lambda: len(taken.requests) == 1)
            first.send_signal(signal.SIGKILL)
            first.wait()
        assert taken.slow is not None
        taken.slow.set()
        assert [row.sent_at for row in messages(system)] == [None] * REPORTS
        # The others at once, the one in flight when its lease is over: the gateway sees the same reference.
        with working(system, url, log):
            wait_until(lambda: len(references(taken)) == REPORTS)
            with system.database.transaction() as session:
                session.execute(text("UPDATE outbox SET send_after = created_at WHERE sent_at IS NULL"))
            wait_until(lambda: all_sent(system))
    assert sorted(references(taken).values()) == [1] * (REPORTS - 1) + [2]
    assert PHONE not in log.read_text()


def test_a_gateway_that_is_broken_is_tried_again_by_a_later_worker(system: System, tmp_path: Path) -> None:
    broken, log = Taken(500), tmp_path / "worker.log"
    with listening(broken) as url:
        with working(system, url, log):
            wait_until(lambda: len(references(broken)) == REPORTS)
            wait_until(lambda: all(row.last_error == "answered 500" for row in messages(system)))
        broken.status = 200
        with system.database.transaction() as session:
            session.execute(text("UPDATE outbox SET send_after = created_at"))
        with working(system, url, log):
            wait_until(lambda: all_sent(system))
    assert PHONE not in log.read_text()


def test_a_faulty_environment_is_told() -> None:
    command = [sys.executable, "-m", "clients.smdvs.worker"]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SMDVS_SMS: " in done.stderr
    assert "Traceback" not in done.stderr


def work_through(system: System, gateway: Recorder, steps: int) -> list[float]:
    """Work for some steps, without waiting; the waits that there would have been."""
    waits: list[float] = []

    class Stopping(Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            if len(waits) == steps:
                self.set()
            return self.is_set()

    worker.work(system, gateway, Stopping())
    return waits


def test_a_message_taken_is_followed_at_once_by_the_next(system: System) -> None:
    gateway = Recorder()
    waits = work_through(system, gateway, REPORTS + 1)
    assert waits == [0.0] * REPORTS + [worker.POLL_SECONDS]
    assert len(gateway.sent) == REPORTS


def test_a_database_that_is_away_is_waited_for(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise DatabaseUnavailable("SELECT 1", {}, Exception("database is locked"))

    monkeypatch.setattr(outbox, "enqueue_due", away)
    assert work_through(system, Recorder(), 1) == [worker.PAUSE_AFTER_ERROR_SECONDS]


def test_what_nobody_thought_of_is_logged_without_its_text_and_does_not_end_the_worker(
    system: System, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ValueError(PHONE)

    monkeypatch.setattr(retention, "purge", fail)
    with caplog.at_level(logging.DEBUG):
        gateway = Recorder()
        waits = work_through(system, gateway, 2)
    assert waits == [worker.PAUSE_AFTER_ERROR_SECONDS] * 2
    assert len(gateway.sent) == 2
    assert "something went wrong: ValueError" in caplog.text
    assert PHONE not in caplog.text

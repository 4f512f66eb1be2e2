"""The worker: delivers the outbox, seals the audit trail, ends and deletes what is over. Any number may run.

Messages are delivered in a few threads, and one client gets only its share of them: one that doesn't answer
holds up nobody else's logout.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import BoundedSemaphore, Event
from typing import cast

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from idp import clock, sms
from idp.domain.audit import internal_origin
from idp.ephemeral import EphemeralUnavailable
from idp.ephemeral.database import DatabaseEphemeral
from idp.oauth.event_tokens import sign_event_token
from idp.oauth.tokens import sign_logout_token
from idp.services import (
    audit,
    authentication,
    deletion,
    deliveries,
    dormancy,
    enterprise_status,
    handler_reminders,
    handler_reviews,
    outbox,
    retention,
    revocation,
    scan_retention,
    signals,
)
from idp.services.lanes import Lanes
from idp.services.outbox import Channels
from idp.services.platform import Platform
from idp.storage.outbox import Leased

POLL_SECONDS = 0.1  # a revocation reaches the clients' sessions within a second
PAUSE_AFTER_ERROR_SECONDS = 1.0
PARALLEL_DELIVERIES = 8
PUT_BACK_FOR = timedelta(seconds=1)
SEAL_EVERY_SECONDS = 1.0
END_EVERY_SECONDS = 10.0
REMIND_EVERY_SECONDS = 60.0
PURGE_EVERY_SECONDS = 60.0
TEND_EVERY_SECONDS = 600.0

logger = logging.getLogger("idp.worker")
ORIGIN = internal_origin("worker")


def run(app: Flask) -> None:
    """Work until SIGTERM or SIGINT; the messages just being delivered are finished first."""
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    work(app, stopping)


def work(app: Flask, stopping: Event) -> None:
    """Work until ``stopping`` is set. A store that is away now and then is waited for."""
    platform = cast("Platform", app.extensions["idp"])
    with (
        ThreadPoolExecutor(PARALLEL_DELIVERIES) as threads,
        ThreadPoolExecutor(1) as beside,
        app.app_context(),
    ):
        chores = _chores(platform, _Aside(app, beside, lambda: enterprise_status.check_due(platform, ORIGIN)))
        deliveries = _Deliveries(app, platform, threads)
        while not stopping.is_set():
            stopping.wait(_step(deliveries, chores))


def _step(deliveries: _Deliveries, chores: list[_Chore]) -> float:
    """One look at everything; answers how many seconds to wait before the next."""
    try:
        for chore in chores:
            chore.do_if_due()
        return 0 if deliveries.start_next() else POLL_SECONDS
    except (SQLAlchemyError, EphemeralUnavailable) as error:
        logger.warning("The store does not answer: %s", type(error).__name__)
        return PAUSE_AFTER_ERROR_SECONDS


@dataclass
class _Chore:
    """Something to do again and again."""

    every_seconds: float
    do: Callable[[], int]
    due: float = 0.0

    def do_if_due(self) -> None:
        """Do it when its time has come; what did something may have more to do and comes again at once."""
        if time.monotonic() >= self.due and not self.do():
            self.due = time.monotonic() + self.every_seconds


class _Aside:
    """A chore that waits for others' machines: in a thread, one run at a time, so that deliveries go on."""

    def __init__(self, app: Flask, thread: ThreadPoolExecutor, do: Callable[[], int]) -> None:
        self._app = app
        self._thread = thread
        self._do = do
        self._running: Future[None] | None = None

    def __call__(self) -> int:
        """Start it, unless it is still running."""
        if self._running is None or self._running.done():
            self._running = self._thread.submit(self._run)
        return 0

    def _run(self) -> None:
        try:
            with self._app.app_context():
                self._do()
        except Exception:
            logger.exception("The registers could not be asked")


def _chores(platform: Platform, aside: _Aside) -> list[_Chore]:
    chores = [
        _Chore(SEAL_EVERY_SECONDS, lambda: audit.seal(platform)),
        _Chore(END_EVERY_SECONDS, lambda: authentication.end_expired_logins(platform, clock.now(), ORIGIN)),
        _Chore(END_EVERY_SECONDS, lambda: revocation.end_lapsed_handlers(platform, clock.now())),
        _Chore(REMIND_EVERY_SECONDS, lambda: handler_reminders.remind_of_ends(platform, clock.now())),
        _Chore(REMIND_EVERY_SECONDS, lambda: handler_reviews.go_on(platform, clock.now(), ORIGIN)),
        _Chore(REMIND_EVERY_SECONDS, aside),
        _Chore(PURGE_EVERY_SECONDS, lambda: deletion.finish_due(platform, clock.now(), ORIGIN)),
        _Chore(TEND_EVERY_SECONDS, lambda: dormancy.tend(platform, clock.now(), ORIGIN)),
        _Chore(PURGE_EVERY_SECONDS, lambda: retention.purge(clock.now())),
        _Chore(PURGE_EVERY_SECONDS, lambda: scan_retention.purge(platform, clock.now(), ORIGIN)),
    ]
    store = platform.ephemeral
    if isinstance(store, DatabaseEphemeral):
        chores.append(_Chore(PURGE_EVERY_SECONDS, lambda: store.purge(clock.now())))
    return chores


class _Deliveries:
    """The outbox, delivered in threads; at most as many messages are leased as there are threads."""

    def __init__(self, app: Flask, platform: Platform, threads: ThreadPoolExecutor) -> None:
        self._app = app
        self._platform = platform
        self._threads = threads
        self._places = BoundedSemaphore(PARALLEL_DELIVERIES)
        self._channels = _channels(platform)
        self._lanes = Lanes()

    def start_next(self) -> bool:
        """Hand the next message to a thread; False when none is due or every thread is busy."""
        if not self._places.acquire(blocking=False):
            return False
        message = None
        try:
            message = outbox.lease_due(self._platform, clock.now())
        finally:
            if message is None:
                self._places.release()
        if message is not None:
            self._threads.submit(self._deliver, message)
        return message is not None

    def _deliver(self, message: Leased) -> None:
        """In a thread. Whatever goes wrong, the lease runs out and the message comes again."""
        try:
            with self._app.app_context():
                self._attempt(message)
        except Exception:
            logger.exception("Message %d could not be attempted", message.id)
        finally:
            self._places.release()

    def _attempt(self, message: Leased) -> None:
        """Deliver it, or put it back for a moment when its destination has no lane free."""
        destination = deliveries.destination(self._platform, message)
        entered, delivered = time.monotonic(), False
        if not self._lanes.enter(destination, entered):
            outbox.put_back(message, clock.now() + PUT_BACK_FOR)
            return
        try:
            delivered = outbox.deliver(self._platform, message, self._channels)
        finally:
            self._lanes.leave(destination, entered, time.monotonic(), delivered=delivered)


def _channels(platform: Platform) -> Channels:
    def post(url: str, body: Mapping[str, str], headers: Mapping[str, str]) -> sms.Answer:
        return platform.outbound.post(url, json=body, headers=headers)

    return Channels(
        sms.gateway(platform.settings, post),
        partial(sign_logout_token, platform),
        partial(signals.push, platform, partial(sign_event_token, platform)),
    )

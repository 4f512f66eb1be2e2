"""``python -m clients.smdvs.worker``: reminds of deadlines and deletes what is over. Any number may run.

It needs the database and the keys directory of smdvs and, with ``SMDVS_SMS=http``, the gateway; not the
provider. Killed at any moment it loses nothing: see outbox for what may come twice.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event

from clients.rp import clock
from clients.smdvs import outbox, retention, sms
from clients.smdvs import system as systems
from clients.smdvs.config import ConfigError, Settings
from clients.smdvs.outbox import Outcome
from clients.smdvs.sms import Gateway
from clients.smdvs.storage.database import DatabaseUnavailable
from clients.smdvs.system import System

POLL_SECONDS = 1.0
PAUSE_AFTER_ERROR_SECONDS = 2.0
REMIND_EVERY_SECONDS = 30.0
PURGE_EVERY_SECONDS = 300.0

logger = logging.getLogger("clients.smdvs.worker")
_BROKEN = object()


@dataclass
class _Chore:
    """Something to do again and again; what did something may have more to do, and comes again at once."""

    every_seconds: float
    do: Callable[[], int]
    due: float = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self.due and not self.do():
            self.due = time.monotonic() + self.every_seconds


def work(system: System, gateway: Gateway, stopping: Event) -> None:
    """Work until ``stopping`` is set; a database that is away is waited for."""
    chores = [
        _Chore(REMIND_EVERY_SECONDS, lambda: outbox.enqueue_due(system, clock.now())),
        _Chore(PURGE_EVERY_SECONDS, lambda: retention.purge(system, clock.now())),
    ]
    while not stopping.is_set():
        stopping.wait(_step(system, gateway, chores))


def _step(system: System, gateway: Gateway, chores: list[_Chore]) -> float:
    """One look at everything, each thing for itself; answers how many seconds to wait before the next."""
    looks: list[Callable[[], object]] = [*chores, partial(outbox.deliver_next, system, gateway)]
    done = [_guarded(look) for look in looks]
    if _BROKEN in done:
        return PAUSE_AFTER_ERROR_SECONDS
    # A gateway that fails is given a moment; one that takes messages gets the next at once.
    return 0.0 if done[-1] in (Outcome.SENT, Outcome.DROPPED) else POLL_SECONDS


def _guarded(do: Callable[[], object]) -> object:
    """What it answers, or _BROKEN: neither a database that is away nor one bad row ends the worker."""
    try:
        return do()
    except DatabaseUnavailable as error:
        logger.warning("the database does not answer: %s", type(error.orig).__name__)
    except Exception as error:  # noqa: BLE001 # whatever it is, the next look may go well
        logger.error("something went wrong: %s", type(error).__name__)  # noqa: TRY400 # a traceback may hold a phone
    return _BROKEN


def main() -> int:
    """Work until SIGTERM or SIGINT; the message just being sent is finished first."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = Settings.from_env(os.environ)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    logger.info("working")
    work(systems.build(settings), sms.gateway(settings), stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())

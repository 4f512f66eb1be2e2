"""Rounds of load and what they cost: CPU read before and after, divided by the units between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from bench import processes, stores, wrk
from bench.installation import Cpu, Installation, pid_of, running, start
from bench.items import CONNECTIONS, Item
from bench.wrk import Data, Load


@dataclass(frozen=True)
class Plan:
    """How long everything is measured; seconds are whole because wrk's are."""

    rounds: int
    seconds: int
    starts: int
    limit_seconds: float
    hello_before_each_item: bool
    warm_up_seconds: int = 1


FULL = Plan(rounds=3, seconds=3, starts=3, limit_seconds=1.0, hello_before_each_item=True)
QUICK = Plan(rounds=1, seconds=1, starts=1, limit_seconds=0.3, hello_before_each_item=False)


@dataclass(frozen=True)
class Measured:
    """One item: medians over the rounds; CPU and times in milliseconds per unit, errors of all rounds."""

    server_ms: float
    store_ms: float
    worker_ms: float
    rate: float
    p50_ms: float
    p99_ms: float
    errors: int
    first_error: str = ""

    @property
    def cpu_ms(self) -> float:
        """What the goals are about: the server and its stores."""
        return self.server_ms + self.store_ms


class NothingDone(Exception):
    """Not one unit was completed in a round."""


def of_round(load: Load, cpu: Cpu) -> Measured:
    """Divide what a round has used by the units it completed."""
    if not load.units:
        raise NothingDone(load.first_error or "no answer at all")
    per_unit_ms = 1000 / load.units
    return Measured(
        server_ms=cpu.server * per_unit_ms,
        store_ms=cpu.store * per_unit_ms,
        worker_ms=cpu.worker * per_unit_ms,
        rate=load.units / load.seconds,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
        errors=load.errors,
        first_error=load.first_error,
    )


def middle(rounds: list[Measured]) -> Measured:
    """The median of each figure; errors add up."""
    return Measured(
        server_ms=median(r.server_ms for r in rounds),
        store_ms=median(r.store_ms for r in rounds),
        worker_ms=median(r.worker_ms for r in rounds),
        rate=median(r.rate for r in rounds),
        p50_ms=median(r.p50_ms for r in rounds),
        p99_ms=median(r.p99_ms for r in rounds),
        errors=sum(r.errors for r in rounds),
        first_error=next((r.first_error for r in rounds if r.first_error), ""),
    )


def item(installation: Installation, measured: Item, plan: Plan) -> Measured:
    """Warm up, then measure round by round, with fresh tokens for each."""
    _drive(installation, measured, measured.data(installation), plan.warm_up_seconds)
    return middle([_round(installation, measured, plan.seconds) for _ in range(plan.rounds)])


def _round(installation: Installation, measured: Item, seconds: int) -> Measured:
    installation.settle()
    data = measured.data(installation)
    before = installation.cpu()
    load = _drive(installation, measured, data, seconds)
    return of_round(load, installation.cpu() - before)


def _drive(installation: Installation, measured: Item, data: Data, seconds: int) -> Load:
    return wrk.drive(
        measured.script,
        installation.url,
        data,
        seconds=seconds,
        connections=measured.connections,
        threads=measured.threads,
    )


@dataclass
class Hello:
    """Plain Flask's hello under the same server, measured now and again: what goals are scaled by."""

    pid: int
    url: str
    samples: list[float] = field(default_factory=list)

    def sample(self, seconds: int) -> None:
        """Measure once more."""
        before = processes.cpu_seconds([self.pid])
        load = self._drive(seconds)
        if not load.units:
            raise NothingDone("plain Flask does not answer")
        self.samples.append((processes.cpu_seconds([self.pid]) - before) * 1000 / load.units)

    def _drive(self, seconds: int) -> Load:
        data = [{"method": "GET", "path": "/hello", "headers": {}}]
        return wrk.drive("single", self.url, data, seconds=seconds, connections=CONNECTIONS, threads=2)

    def warm_up(self) -> None:
        """Before the first sample."""
        self._drive(1)

    @property
    def cpu_ms(self) -> float:
        """The median of what was measured so far."""
        return median(self.samples)


@contextmanager
def hello() -> Iterator[Hello]:
    """Serve plain Flask while the block runs."""
    port = stores.free_port()
    with running() as children:
        start(children, "hello", "bench.hello:app", port, os.environ, "/hello")
        served = Hello(pid_of(children, "hello"), f"http://{stores.LOOPBACK}:{port}")
        served.warm_up()
        yield served

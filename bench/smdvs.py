"""smdvs beside the product: a report by its API, and the list with many reports; CPU of each side apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

from bench import processes, relying_party, stores, wrk
from bench.installation import Installation, pid_of, start
from bench.measuring import NothingDone, Plan
from bench.population import REGULATOR, SMDVS_URL, Person
from bench.relying_party import UnexpectedAnswer, call
from clients.rp import clock
from clients.smdvs.openapi import example

REPORTS = 100_000
QUICK_REPORTS = 5_000
CONNECTIONS = 16
# It asks the provider in each submission, so a process does more than one thing (deploy/demo).
THREADS = 4
MEDIANS = ("smdvs_ms", "provider_ms", "store_ms", "rate", "p50_ms", "p99_ms")
HEALTH = "/smdvs/healthz"


@dataclass(frozen=True)
class Row:
    """One kind of request; CPU and times in milliseconds a request."""

    title: str
    smdvs_ms: float
    provider_ms: float
    store_ms: float
    rate: float
    p50_ms: float
    p99_ms: float
    errors: int
    first_error: str


@dataclass(frozen=True)
class Smdvs:
    """smdvs, served with two workers beside an installation."""

    product: Installation
    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{stores.LOOPBACK}:{self.port}"

    def cpu(self) -> tuple[float, float, float]:
        """CPU seconds so far of smdvs, the provider and the stores, which both share."""
        product = self.product
        return (
            processes.cpu_seconds([pid_of(product.children, "smdvs")]),
            processes.cpu_seconds([pid_of(product.children, "idp")]),
            processes.cpu_seconds(product.store_pids) if product.store_pids else 0.0,
        )


def measured(product: Installation, plan: Plan, *, quick: bool) -> tuple[Row, ...]:
    """Fill smdvs's database, serve it, and measure a report by API and the list page."""
    count = QUICK_REPORTS if quick else REPORTS
    product.say("bench.reports", str(count))
    smdvs = _serve(product)
    people = product.population.people
    listed = _row(smdvs, f"list page, regulator, {count:,} reports", _list(smdvs, people[REGULATOR]), plan)
    submitted = _row(smdvs, "report by API, liveness asked", _submission(product, people[0]), plan)
    return submitted, listed


def lines(name: str, rows: tuple[Row, ...]) -> Iterator[str]:
    """The table; CPU and times in milliseconds a request."""
    yield f"smdvs beside {name}: CPU ms per request, latency in ms"
    heads = ("smdvs", 9), ("provider", 10), ("stores", 9), ("req/s", 9), ("p50", 9), ("p99", 9), ("errors", 8)
    yield f"{'request':<37}" + "".join(head.rjust(width) for head, width in heads)
    for row in rows:
        cpu = f"{row.smdvs_ms:>9.3f}{row.provider_ms:>10.3f}{row.store_ms:>9.3f}"
        yield f"{row.title:<37}{cpu}{row.rate:>9,.0f}{row.p50_ms:>9.2f}{row.p99_ms:>9.2f}{row.errors:>8}"
        if row.first_error:
            yield f"    first error: {row.first_error}"


def _serve(product: Installation) -> Smdvs:
    port = stores.free_port()
    start(product.children, "smdvs", "clients.smdvs.wsgi:app", port, product.environ, HEALTH, threads=THREADS)
    return Smdvs(product, port)


def _submission(product: Installation, person: Person) -> wrk.Data:
    token = relying_party.tokens(product.url, person, product.population.app)["access_token"]
    body = example(clock.now()) | {"enterprise_credit_code": "91990101MADEM00117"}
    row = {
        "method": "POST",
        "path": "/smdvs/api/v1/reports",
        "headers": {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        "body": json.dumps(body),
    }
    return [row] * 2


def _list(smdvs: Smdvs, person: Person) -> wrk.Data:
    row = {"method": "GET", "path": "/smdvs/reports", "headers": {"Cookie": _session(smdvs, person)}}
    return [row] * 2


def _session(smdvs: Smdvs, person: Person) -> str:
    """The cookie of a browser that has signed in at smdvs by the provider, where it is known already."""
    begun = call(smdvs.url, "GET", "/smdvs/login", {})
    back = call(smdvs.product.url, "GET", _path(begun.headers["location"]), {"Cookie": _known(person)})
    location = back.headers.get("location", "")
    if not location.startswith(SMDVS_URL):
        raise UnexpectedAnswer(f"sign-in at smdvs: {back.status} {location} {back.text[:300]}")
    done = call(smdvs.url, "GET", _path(location), {"Cookie": _pair(begun.headers["set-cookie"])})
    cookies = [value for name, value in done.cookies if name == "smdvs_session"]
    if not cookies:
        raise UnexpectedAnswer(f"sign-in at smdvs: {done.status} {done.text[:300]}")
    return f"smdvs_session={cookies[0]}"


def _known(person: Person) -> str:
    return relying_party.cookie_of(person)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def _pair(set_cookie: str) -> str:
    return set_cookie.partition(";")[0]


def _row(smdvs: Smdvs, title: str, data: wrk.Data, plan: Plan) -> Row:
    """Warm up, then the median of the rounds."""
    _drive(smdvs, data, plan.warm_up_seconds)
    rounds = [_round(smdvs, title, data, plan.seconds) for _ in range(plan.rounds)]
    middle = {name: median(getattr(each, name) for each in rounds) for name in MEDIANS}
    errors = sum(each.errors for each in rounds)
    first = next((each.first_error for each in rounds if each.first_error), "")
    return Row(title, **middle, errors=errors, first_error=first)


def _round(smdvs: Smdvs, title: str, data: wrk.Data, seconds: int) -> Row:
    smdvs.product.settle()
    before = smdvs.cpu()
    load = _drive(smdvs, data, seconds)
    if not load.units:
        raise NothingDone(load.first_error or "smdvs: no answer at all")
    ours, provider, store = (
        (now - then) * 1000 / load.units for now, then in zip(smdvs.cpu(), before, strict=True)
    )
    rate = load.units / load.seconds
    return Row(title, ours, provider, store, rate, load.p50_ms, load.p99_ms, load.errors, load.first_error)


def _drive(smdvs: Smdvs, data: wrk.Data, seconds: int) -> wrk.Load:
    return wrk.drive("single", smdvs.url, data, seconds=seconds, connections=CONNECTIONS, threads=2)

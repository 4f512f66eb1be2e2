"""Whatever is killed while reports come in, what was acknowledged is there, once and whole."""

from __future__ import annotations

import itertools
import json
import os
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from joserfc.jwk import KeySet
from sqlalchemy import select

from clients.smdvs import chain, keys, migrate
from clients.smdvs.config import Settings
from clients.smdvs.storage.database import Database
from clients.smdvs.storage.reports import ReportNumber, ReportRow, ReportVehicle, ReportVersion, Submission
from clients.smdvs.system import build
from tests.applications import free_ports
from tests.clients.documents import report_json
from tests.clients.processes import Cluster, Served, cluster
from tests.clients.provider import TestProvider, serving

pytestmark = pytest.mark.server

CLIENTS = 4
LOAD_SECONDS = 22.0
TIMEOUT = 3.0
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Acknowledged:
    """An act that smdvs said it has, and what was said in it."""

    report_no: str
    version: int
    narrative: str


@dataclass
class Maker:
    """The back end of an enterprise: asks again with the same key until it is told something."""

    url: str
    token: Callable[[], str]
    stop: threading.Event
    acknowledged: list[Acknowledged] = field(default_factory=list)
    retries: int = 0

    def work(self) -> None:
        while not self.stop.is_set():
            number = self._report("", report_json(narrative=_words()), None)
            if secrets.randbelow(2):
                more = {"kind": "supplement", "report": report_json(narrative=_words())}
                self._report(f"/{number}/versions", more, '"1"')

    def _report(self, path: str, body: dict[str, Any], seen: str | None) -> str:
        """Until it is acknowledged; now and again once more, for the same answer."""
        headers = {"Idempotency-Key": secrets.token_hex(16), **({"If-Match": seen} if seen else {})}
        first = self._told(path, body, headers)
        assert secrets.randbelow(4) or self._told(path, body, headers) == first
        narrative = body.get("report", body)["narrative"]
        self.acknowledged.append(Acknowledged(first["report_no"], first["version"], narrative))
        return str(first["report_no"])

    def _told(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            shown = {"Authorization": f"Bearer {self.token()}", **headers}
            try:
                answer = requests.post(self.url + path, json=body, headers=shown, timeout=TIMEOUT)
            except requests.RequestException:
                self.retries += 1
                time.sleep(0.05)
                continue
            if answer.status_code != 503:
                assert answer.status_code == 201, answer.text
                return dict(answer.json())
            self.retries += 1
            time.sleep(0.05)
        raise AssertionError("smdvs does not come back")


def _words() -> str:
    """A narrative like no other."""
    return f"车辆起火，编号 {secrets.token_hex(12)}。"


@contextmanager
def smdvs(database_url: str, directory: Path, provider: TestProvider) -> Iterator[Served]:
    (port,) = free_ports(1)
    environ = {
        "SMDVS_ISSUER": provider.issuer,
        "SMDVS_ENV": "development",
        "SMDVS_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SMDVS_DATABASE_URL": database_url,
        "SMDVS_SECRET_KEY": "0123456789abcdef" * 4,
        "SMDVS_KEYS_DIR": str(directory / "keys"),
    }
    public = {"keys": [keys.load(directory / "keys").client.as_dict(private=False)]}
    provider.client_keys = KeySet.import_key_set(public)  # type: ignore[arg-type]
    provider.audience = f"http://127.0.0.1:{port}/smdvs/api/v1"
    database = Database(database_url)
    migrate.upgrade(database)
    database.engine.dispose()
    served = Served(port, os.environ | environ, directory / "log")
    served.start()
    try:
        yield served
    finally:
        served.kill_all()


def load(served: Served, provider: TestProvider, disturb: Iterator[Callable[[], str]]) -> list[Maker]:
    """Let makers report while one disturbance after another happens; smdvs is up when this returns."""
    stop = threading.Event()
    makers = [
        Maker(f"{served.url}/smdvs/api/v1/reports", provider.access_token, stop) for _ in range(CLIENTS)
    ]
    with ThreadPoolExecutor(CLIENTS) as pool:
        working = [pool.submit(maker.work) for maker in makers]
        until = time.monotonic() + LOAD_SECONDS
        kills: dict[str, int] = {}
        try:
            while time.monotonic() < until:
                killed = next(disturb)()
                kills[killed] = kills.get(killed, 0) + 1
        finally:
            stop.set()
        for done in working:
            done.result()
    print("killed:", kills, "asked again:", sum(maker.retries for maker in makers))
    return makers


def kill_and_restart(served: Served, chance: random.Random) -> str:
    time.sleep(chance.uniform(0.2, 1.5))
    killed = served.kill_one(chance)
    time.sleep(chance.uniform(0, 0.4))  # what is left goes on for a moment, the workers of a dead server too
    served.kill_all()
    served.start()
    return killed


def check(served: Served, makers: list[Maker]) -> int:
    """Everything acknowledged is stored once with its content, and there is nothing else; how many."""
    acknowledged = [act for maker in makers for act in maker.acknowledged]
    system = build(Settings.from_env(served.environ))
    with system.database.reading() as session:
        rows = {row.id: row for row in session.scalars(select(ReportRow))}
        acts = session.scalars(select(ReportVersion)).all()
        submissions = session.scalars(select(Submission)).all()
        vehicles = session.scalars(select(ReportVehicle)).all()
        numbers = {row.day: row.last for row in session.scalars(select(ReportNumber))}
    stored = {
        (rows[act.report_id].report_no, act.version): json.loads(act.document)["narrative"] for act in acts
    }
    assert stored == {(act.report_no, act.version): act.narrative for act in acknowledged}
    assert len(stored) == len(acknowledged) == len(submissions)
    assert {(each.report_no, each.version) for each in submissions} == stored.keys()
    for row in rows.values():
        assert row.version == sum(act.report_id == row.id for act in acts)
        assert [each.vin for each in vehicles if each.report_id == row.id] == row.vins.split()
        assert row.status == ("initial_submitted" if row.version == 1 else "supplemented")
    assert sorted(row.report_no for row in rows.values()) == sorted(
        f"SMDVS-{day}-{number:04d}" for day, last in numbers.items() for number in range(1, last + 1)
    )
    assert [broken for broken in chain.verify_all(system) if broken is not None] == []
    system.database.engine.dispose()
    system.provider.transport.close()
    return len(acknowledged)


@pytest.fixture
def provider() -> Iterator[TestProvider]:
    with serving() as state:
        yield state


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("SMDVS_KILL_SEED", secrets.randbelow(10**6)))
    print("seed:", seed)
    return random.Random(seed)  # noqa: S311 - a kill that can be repeated, no secret


def test_on_sqlite(tmp_path: Path, provider: TestProvider, chance: random.Random) -> None:
    url = f"sqlite:///{tmp_path / 'smdvs.sqlite3'}"
    with smdvs(url, tmp_path, provider) as served:
        disturb = itertools.repeat(lambda: kill_and_restart(served, chance))
        makers = load(served, provider, disturb)
        print("acknowledged and stored:", check(served, makers))


def test_on_postgresql(tmp_path: Path, provider: TestProvider, chance: random.Random) -> None:
    with cluster() as postgresql, smdvs(postgresql.url, tmp_path, provider) as served:
        disturb = chances(served, postgresql, chance)
        makers = load(served, provider, disturb)
        print("acknowledged and stored:", check(served, makers))


def chances(served: Served, postgresql: Cluster, chance: random.Random) -> Iterator[Callable[[], str]]:
    """Now smdvs, now a process of PostgreSQL, and once all of PostgreSQL."""

    def restart_postgresql() -> str:
        time.sleep(chance.uniform(0.2, 1.0))
        postgresql.kill_all()
        postgresql.start()
        return "PostgreSQL"

    def kill_in_postgresql() -> str:
        time.sleep(chance.uniform(0.2, 1.0))
        return postgresql.kill_one(chance)

    yield kill_in_postgresql
    yield restart_postgresql
    while True:
        yield chance.choice([kill_in_postgresql, lambda: kill_and_restart(served, chance)])

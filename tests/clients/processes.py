"""Real processes that can be killed: smdvs as it is served, and a PostgreSQL of the test's own."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import requests

from deploy.serving import granian
from tests.applications import ROOT
from tests.servers import _as_user, _directory, _program, _unprivileged_user

START_SECONDS = 30


def children(pid: int) -> list[int]:
    """The processes that have this one as their parent."""
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def kill(pid: int) -> None:
    """Without a word of warning; it may be gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@dataclass
class Served:
    """smdvs under its production server, in a process group of its own."""

    port: int
    environ: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                granian("clients.smdvs.wsgi:app", self.port, threads=4),
                cwd=ROOT,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(lambda: requests.get(f"{self.url}/smdvs/healthz", timeout=2).status_code == 200, self.log)

    def kill_one(self, chance: random.Random) -> str:
        """A worker or the process above them."""
        assert self.process is not None
        workers = children(self.process.pid)
        chosen = chance.choice([self.process.pid, *workers])
        kill(chosen)
        return "main" if chosen == self.process.pid else "worker"

    def kill_all(self) -> None:
        """What a process manager does with the rest before it starts anew."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Cluster:
    """A PostgreSQL whose commits are in its log before it says so, started and killed at will."""

    directory: Path
    owner: str | None
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={self.directory}"

    def start(self) -> None:
        command = [_program("postgres"), "-D", str(self.directory / "data"), "-k", str(self.directory)]
        # A killed process loses nothing that the kernel has: fsync is for power cuts, which no test has.
        options = ["-clisten_addresses=", "-cfsync=off", "-cmax_connections=60"]
        with (self.directory / "log").open("ab") as output:
            self.started.append(
                subprocess.Popen(
                    [*_as_user(self.owner), *command, *options],
                    cwd=self.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            )
        wait_until(self._answers, self.directory / "log")

    def _answers(self) -> bool:
        psycopg.connect(host=str(self.directory), user="postgres", dbname="postgres").close()
        return True

    def kill_one(self, chance: random.Random) -> str:
        """One of its processes; the server above them then throws all sessions out and recovers."""
        below = children(self.started[-1].pid)
        if below:
            kill(chance.choice(below))
        return "PostgreSQL process"

    def kill_all(self) -> None:
        """The whole server; its children notice and go."""
        below = children(self.started[-1].pid)
        kill(self.started[-1].pid)
        self.started[-1].wait()
        for pid in below:
            kill(pid)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below), self.directory / "log")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """An empty cluster, gone when the block ends."""
    owner = _unprivileged_user()
    with _directory(owner) as directory:
        initdb = [_program("initdb"), "-D", str(directory / "data"), "-U", "postgres", "-A", "trust"]
        subprocess.run(
            [*_as_user(owner), *initdb, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
            check=True,
            cwd=directory,
            stdout=subprocess.DEVNULL,
        )
        made = Cluster(directory, owner)
        made.start()
        try:
            yield made
        finally:
            made.kill_all()


def wait_until(holds: object, log: Path) -> None:
    """Until the call says so; what the program said otherwise."""
    assert callable(holds)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError, psycopg.OperationalError, requests.RequestException):
            if holds():
                return
        time.sleep(0.02)
    raise AssertionError(log.read_text(errors="replace")[-4000:])

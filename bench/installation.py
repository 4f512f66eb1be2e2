"""The product as production runs it, in a directory of its own: on PostgreSQL and Redis, or embedded."""

from __future__ import annotations

import http.client
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import processes, stores
from bench.population import SMDVS_URL, Population
from deploy.demo.children import Child, Children
from deploy.serving import granian

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 30
POLL_SECONDS = 0.002
WORKER_START_SECONDS = 1.0
SETTLE_SECONDS = 5.0
IDLE_SHARE = 0.1
SMS_CODE = "246810"
DISCOVERY = "/.well-known/openid-configuration"
POSTGRESQL, EMBEDDED = "PostgreSQL and Redis", "embedded SQLite"


class NotServing(Exception):
    """A program did not do what it should; the text is what it said."""


@dataclass(frozen=True)
class Cpu:
    """CPU seconds by part: the server with its workers, the stores, and the product's worker process."""

    server: float
    store: float
    worker: float

    def __sub__(self, earlier: Cpu) -> Cpu:
        return Cpu(self.server - earlier.server, self.store - earlier.store, self.worker - earlier.worker)


@dataclass
class Installation:
    """A prepared product. It is served, by one supervisor with two workers, only while ``serving``."""

    name: str
    port: int
    environ: Mapping[str, str]
    children: Children
    store_pids: tuple[int, ...]
    population: Population

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://{stores.LOOPBACK}:{self.port}"

    def start(self) -> float:
        """Start the server; returns the seconds until discovery answered 200."""
        return start(self.children, "idp", "wsgi:app", self.port, self.environ, DISCOVERY)

    def stop(self) -> None:
        """Stop what was started; it can be started again."""
        self.children.stop()
        self.children.started.clear()

    def start_worker(self) -> None:
        """Start the process that delivers the outbox and seals the audit trail."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
        self.children.start("worker", command, self.environ)
        time.sleep(WORKER_START_SECONDS)

    def cpu(self) -> Cpu:
        """What each part has used so far."""
        self.children.check()
        return Cpu(
            server=processes.cpu_seconds([pid_of(self.children, "idp")]),
            store=processes.cpu_seconds(self.store_pids) if self.store_pids else 0.0,
            worker=processes.cpu_seconds([pid_of(self.children, "worker")]),
        )

    def settle(self) -> None:
        """Wait until the server rests: what an earlier load left unfinished belongs to no round."""
        deadline, pause = time.monotonic() + SETTLE_SECONDS, 0.1
        supervisor = [pid_of(self.children, "idp")]
        used = processes.cpu_seconds(supervisor)
        while time.monotonic() < deadline:
            time.sleep(pause)
            before, used = used, processes.cpu_seconds(supervisor)
            if used - before <= IDLE_SHARE * pause:
                return

    def say(self, module: str, *arguments: str) -> str:
        """What a program of the benchmark prints in the product's environment."""
        return _step([module, *arguments], self.environ)

    def memory(self) -> tuple[float, float]:
        """PSS in MiB of the server's workers, and of the process above them."""
        supervisor = pid_of(self.children, "idp")
        return processes.pss_mib(processes.children(supervisor)), processes.pss_mib([supervisor])


def start(
    children: Children,
    name: str,
    target: str,
    port: int,
    environ: Mapping[str, str],
    path: str,
    *,
    threads: int = 1,
) -> float:
    """Serve ``target`` as ``make run`` does; returns the seconds from exec to the first 200 on ``path``."""
    started = time.monotonic()
    children.start(name, granian(target, port, threads=threads), environ)
    while time.monotonic() - started < START_SECONDS:
        if status(port, path) == http.client.OK:
            return time.monotonic() - started
        children.check()
        time.sleep(POLL_SECONDS)
    raise NotServing(f"{name} does not answer {path}")


def status(port: int, path: str) -> int:
    """The status of a GET on this machine; 0 when nobody answers."""
    connection = http.client.HTTPConnection(stores.LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def pid_of(children: Children, name: str) -> int:
    """The first process of the program started last under ``name``."""
    return _child(children, name).process.pid


def _child(children: Children, name: str) -> Child:
    return next(child for child in reversed(children.started) if child.name == name)


@contextmanager
def running(directory: Path | None = None) -> Iterator[Children]:
    """Processes that end with the block; their output stays in its directory until then."""
    with tempfile.TemporaryDirectory(prefix="idp-bench-") as made:
        children = Children(ROOT, (directory or Path(made)) / "log")
        try:
            yield children
        finally:
            children.stop()


@contextmanager
def prepared(name: str) -> Iterator[Installation]:
    """An installation with all tables and the people and clients of the load."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="idp-bench-")))
        urls, pids = _stores(name, directory, stack)
        port = stores.free_port()
        environ = _environ(directory, port) | urls
        environ |= _smdvs_environ(directory, environ)
        environ["BENCH_SMDVS_JWKS"] = _step(["clients.smdvs.keys"], environ)
        _step(["flask", "--app", "wsgi", "db", "upgrade"], environ)
        population = Population.from_json(_step(["bench.population"], environ))
        children = stack.enter_context(running(directory))
        yield Installation(name, port, environ, children, pids, population)


def _stores(name: str, directory: Path, stack: ExitStack) -> tuple[dict[str, str], tuple[int, ...]]:
    if name == EMBEDDED:
        return {"IDP_DATABASE_URL": f"sqlite:///{directory / 'idp.sqlite3'}"}, ()
    database = stack.enter_context(stores.postgresql())
    short_lived = stack.enter_context(stores.redis_server())
    urls = {"IDP_DATABASE_URL": database.url, "IDP_REDIS_URL": short_lived.url}
    return urls, (database.pid, short_lived.pid)


def _environ(directory: Path, port: int) -> dict[str, str]:
    """Production's settings but for what automation can't do: solve captchas, wait, read a phone."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    return inherited | {
        "IDP_ENV": "development",
        "IDP_ISSUER": f"http://{stores.LOOPBACK}:{port}",
        "IDP_SECRET_KEY": secrets.token_urlsafe(48),
        "IDP_KEYS_DIR": str(directory / "keys"),
        "IDP_THROTTLE": "off",
        "IDP_CAPTCHA": "off",
        "IDP_SMS_FIXED_CODE": SMS_CODE,
    }


def _smdvs_environ(directory: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Smdvs beside it, with a database of its own on the same kind of store. It is called at SMDVS_URL, which
    its tokens name, wherever it listens.
    """
    database = f"sqlite:///{directory / 'smdvs.sqlite3'}"
    if environ["IDP_DATABASE_URL"].startswith("postgresql"):
        database = environ["IDP_DATABASE_URL"].removesuffix("/idp") + "/smdvs"
    return {
        "SMDVS_ENV": "development",
        "SMDVS_ISSUER": environ["IDP_ISSUER"],
        "SMDVS_PUBLIC_URL": SMDVS_URL,
        "SMDVS_DATABASE_URL": database,
        "SMDVS_SECRET_KEY": secrets.token_urlsafe(48),
        "SMDVS_KEYS_DIR": str(directory / "smdvs-keys"),
    }


def _step(module: list[str], environ: Mapping[str, str]) -> str:
    """Run a module to its end and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotServing(f"{' '.join(module)}:\n{done.stdout}{done.stderr}")
    return done.stdout

"""Real servers for the tests: one PostgreSQL and one Redis for each test process, gone when it ends."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis

START_SECONDS = 30
STOP_SECONDS = 10


@dataclass(frozen=True)
class PostgreSQL:
    """A running PostgreSQL that listens on a Unix socket in ``directory``."""

    directory: Path

    def url(self, database: str) -> str:
        """The address of a database as SQLAlchemy writes it."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.directory}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A superuser's connection in autocommit."""
        return psycopg.connect(host=str(self.directory), user="postgres", dbname=database, autocommit=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL with an empty cluster; nothing it holds survives the session."""
    owner = _unprivileged_user()
    with _directory(owner) as directory:
        data = directory / "data"
        initdb = [_program("initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*_as_user(owner), *initdb, "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
            check=True,
            cwd=directory,
            stdout=subprocess.DEVNULL,
        )
        server = PostgreSQL(directory)
        unsafe = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60"]
        options = [f"-c{option}" for option in ["listen_addresses=", *unsafe]]
        command = [_program("postgres"), "-D", str(data), "-k", str(directory), *options]
        with _running(command, directory, owner, lambda: server.connect().close()):
            yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The address of a Redis that persists nothing."""
    with _directory(None) as directory:
        socket = directory / "redis.sock"
        options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
        url = f"unix://{socket}"
        with _running([_program("redis-server"), *options], directory, None, lambda: _ping(url)):
            yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The address of an empty Redis."""
    with redis.Redis.from_url(redis_server) as connection:
        connection.flushall()
    return redis_server


def _ping(url: str) -> None:
    with redis.Redis.from_url(url) as connection:
        connection.ping()


def _program(name: str) -> str:
    """The path of a server's program; Debian keeps PostgreSQL's outside PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = shutil.which(name) or (str(debian[0]) if debian else None)
    if found is None:
        pytest.fail(f"{name} is not installed; `make test` says what to install", pytrace=False)
    return found


def _unprivileged_user() -> str | None:
    """The account PostgreSQL runs under: it refuses root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _as_user(owner: str | None) -> list[str]:
    """The words before a command that drop root's rights and end the program when this process dies."""
    rights = [] if owner is None else [f"--reuid={owner}", f"--regid={_group(owner)}", "--clear-groups"]
    return ["setpriv", *rights, "--pdeathsig=INT", "--"]


def _group(owner: str) -> str:
    return str(pwd.getpwnam(owner).pw_gid)


@contextmanager
def _directory(owner: str | None) -> Iterator[Path]:
    """A short-named directory (a socket's path has at most 107 bytes) that ``owner`` can reach."""
    directory = Path(tempfile.mkdtemp(prefix="idp-", dir="/tmp"))  # mkdtemp makes it private
    try:
        if owner is not None:
            shutil.chown(directory, owner)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _running(
    command: list[str],
    directory: Path,
    owner: str | None,
    answers: Callable[[], object],
    environ: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a server while the block runs; it is there when ``answers`` raises nothing."""
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_as_user(owner), *command],
            cwd=directory,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, answers, log)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], answers: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            answers()
        except (psycopg.OperationalError, redis.ConnectionError, OSError):
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the server does not answer; it says:\n{log.read_text(errors='replace')}", pytrace=False)

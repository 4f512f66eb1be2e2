"""PostgreSQL and Redis as production runs them: durable, on loopback addresses, gone with the benchmark."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import redis

# How to start servers without rights and without leaving them behind is the tests' knowledge too.
from tests.servers import _as_user, _directory, _program, _running, _unprivileged_user

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Store:
    """A running server: its address as the product's settings have it, and its first process."""

    url: str
    pid: int


def free_port() -> int:
    """A port of the loopback address that nobody has at this moment."""
    with socket.create_server((LOOPBACK, 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def postgresql() -> Iterator[Store]:
    """A PostgreSQL as installed: fsync on, synchronous commits, every other setting the default too."""
    owner, port = _unprivileged_user(), free_port()
    with _directory(owner) as directory:
        data = directory / "data"
        initdb = [_program("initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*_as_user(owner), *initdb, "--locale=C.UTF-8", "--no-instructions"],
            check=True,
            cwd=directory,
            stdout=subprocess.DEVNULL,
        )
        command = [_program("postgres"), "-D", str(data), "-k", str(directory)]
        options = [f"-clisten_addresses={LOOPBACK}", f"-cport={port}"]
        with _running([*command, *options], directory, owner, lambda: _execute(port, "SELECT 1")):
            for name in ("idp", "smdvs"):
                _execute(port, f"CREATE DATABASE {name}")
            pid = int((data / "postmaster.pid").read_text().splitlines()[0])
            yield Store(f"postgresql+psycopg://postgres@{LOOPBACK}:{port}/idp", pid)


def _execute(port: int, statement: str) -> None:
    with psycopg.connect(
        host=LOOPBACK, port=port, user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(statement.encode())


@contextmanager
def redis_server() -> Iterator[Store]:
    """A Redis that appends every write to a file and syncs it each second."""
    port = free_port()
    with _directory(None) as directory:
        url = f"redis://{LOOPBACK}:{port}/0"
        options = ["--bind", LOOPBACK, "--port", str(port), "--dir", str(directory), "--save", ""]
        durable = ["--appendonly", "yes", "--appendfsync", "everysec"]
        command = [_program("redis-server"), *options, *durable]
        with _running(command, directory, None, lambda: _ping(url)):
            with redis.Redis.from_url(url) as connection:
                pid = int(connection.info("server")["process_id"])
            yield Store(url, pid)


def _ping(url: str) -> None:
    with redis.Redis.from_url(url) as connection:
        connection.ping()

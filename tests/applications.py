"""Both applications and the worker as `make run` starts them, on free ports and with data of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.demo import environment

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Applications:
    """Where the running platform and smdvs answer (no slash at the end), the process that serves them,
    and the environment in which the platform's commands work on the same data."""

    idp_url: str
    smdvs_url: str
    process: subprocess.Popen[str]
    idp_environ: Mapping[str, str]

    def register(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Register a client as an operator does, with ``flask clients add``; its registration."""
        added = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "clients", "add", "--json", "-"],
            input=json.dumps(metadata),
            env=os.environ | self.idp_environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert added.returncode == 0, added.stderr
        registration: dict[str, Any] = json.loads(added.stdout)
        return registration

    def end(self, number: signal.Signals | None = None) -> str:
        """Wait for the end, after sending that signal; returns what was printed since the ready line."""
        if number is not None:
            self.process.send_signal(number)
        self.process.wait(timeout=30)
        assert self.process.stdout is not None
        return self.process.stdout.read()


@pytest.fixture(scope="session")
def applications(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applications]:
    """The embedded installation with demonstration data, one for all tests: leave it usable."""
    with serving(tmp_path_factory.mktemp("demonstration")) as running:
        yield running


@contextmanager
def serving(directory: Path, environ: Mapping[str, str] | None = None) -> Iterator[Applications]:
    """Serve while the block runs; ``directory`` keeps the data and can be served again."""
    own = os.environ | _own(directory) | dict(environ or {})
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.demo"],
        cwd=ROOT,
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield _when_ready(process, environment.read(own, ROOT).idp_environ)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()


def _own(directory: Path) -> dict[str, str]:
    idp_port, smdvs_port = free_ports(2)
    return {
        "DEMO_VAR": str(directory),
        "IDP_KEYS_DIR": str(directory / "keys"),
        "IDP_PORT": str(idp_port),
        "SMDVS_PORT": str(smdvs_port),
    }


def _when_ready(process: subprocess.Popen[str], idp_environ: Mapping[str, str]) -> Applications:
    said = []
    for line in process.stdout or ():
        said.append(line)
        if match := re.fullmatch(r"ready: idp (http://\S+) smdvs (http://\S+)/smdvs/\n", line):
            return Applications(match[1], match[2], process, idp_environ)
    pytest.fail(f"the applications do not start:\n{''.join(said)}", pytrace=False)


def free_ports(count: int) -> list[int]:
    """Ports free at the same time, so that no two of them are equal."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports

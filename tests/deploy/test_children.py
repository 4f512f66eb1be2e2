from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.children import Children, ask
from deploy.demo.environment import NotPossibleError

SERVER = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    started = Children(tmp_path, tmp_path / "log")
    yield started
    started.stop()


def _start(children: Children, name: str, code: str) -> None:
    children.start(name, [sys.executable, "-u", "-c", code], os.environ)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_waiting_ends_when_the_server_answers(children: Children) -> None:
    port = _free_port()
    _start(children, "server", SERVER.format(port=port))
    children.wait_for("server", port, "/")
    assert ask(port, "/")[0] == 200
    assert ask(port, "/nothing")[0] == 404


def test_a_program_that_ends_is_named_with_its_last_words(children: Children) -> None:
    _start(children, "smdvs", "import sys; print('no database'); sys.exit(3)")
    with pytest.raises(
        NotPossibleError, match=r"smdvs has ended by itself \(exit code 3\)(.|\n)*no database"
    ):
        children.wait_for("smdvs", _free_port(), "/")


def test_stopping_ends_also_what_ignores_it_and_its_own_children(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.demo.children.STOP_SECONDS", 0.3)
    _start(children, "stubborn", STUBBORN)
    log = children.started[0].log
    while not log.read_text().endswith("\n"):
        time.sleep(0.01)
    grandchild = int(log.read_text())
    children.stop()
    assert children.started[0].process.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 5
    while _alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _alive(grandchild)


def test_a_port_in_use_is_named_with_its_variable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "deploy.demo"],
            env=os.environ | {"IDP_PORT": str(port), "DEMO_VAR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port} can't be used" in done.stderr
    assert "IDP_PORT=" in done.stderr
    assert "Traceback" not in done.stderr

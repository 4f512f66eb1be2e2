"""The processes of the demonstration: started, watched, stopped together."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo.environment import LOOPBACK, NotPossibleError

START_SECONDS = 60
STOP_SECONDS = 10
LINES_SHOWN = 25


@dataclass(frozen=True)
class Child:
    """A started program, and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def obituary(self) -> str:
        """Why it is no longer there, with the end of what it said."""
        lines = self.log.read_text(errors="replace").splitlines()[-LINES_SHOWN:]
        said = "\n".join(f"    {line}" for line in lines)
        code = self.process.returncode
        return f"{self.name} has ended by itself (exit code {code}); {self.log} ends with:\n{said}"


@dataclass
class Children:
    """Everything that was started; whoever uses it calls ``stop`` at the end."""

    root: Path
    logs: Path
    started: list[Child] = field(default_factory=list)

    def start(self, name: str, command: list[str], environ: Mapping[str, str]) -> None:
        """Start a program in a process group of its own, so that Ctrl-C reaches it through us alone."""
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*_dying_with_us(), *command],
                cwd=self.root,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(Child(name, process, log))

    def check(self) -> None:
        """Raises NotPossibleError when one of them has ended."""
        for child in self.started:
            if child.process.poll() is not None:
                raise NotPossibleError(child.obituary())

    def wait_for(self, name: str, port: int, path: str) -> None:
        """Return when ``path`` answers 200; raises NotPossibleError when it does not, or a program ends."""
        deadline = time.monotonic() + START_SECONDS
        answer = ""
        while time.monotonic() < deadline:
            self.check()
            status, answer = ask(port, path)
            if status == http.client.OK:
                return
            time.sleep(0.05)
        raise NotPossibleError(f"{name} is not ready after {START_SECONDS} s; {path} says: {answer}")

    def stop(self) -> None:
        """End them all: politely, then not."""
        _signal_groups(self.started, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.started:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0, deadline - time.monotonic()))
        _signal_groups(self.started, signal.SIGKILL)
        for child in self.started:
            child.process.wait()


def ask(port: int, path: str) -> tuple[int, str]:
    """The status and the beginning of the body of a GET on this machine; 0 when nobody answers."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(1000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


def _dying_with_us() -> list[str]:
    """Words before a command that end it when this process is killed without a chance to stop it."""
    return ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []


def _signal_groups(children: Iterable[Child], number: signal.Signals) -> None:
    """Signals whole process groups: a server's workers must not survive it."""
    for child in children:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, number)

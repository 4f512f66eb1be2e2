"""Prepare and serve the demonstration until Ctrl-C; everything can be interrupted and repeated."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.demo.children import Children
from deploy.demo.environment import LOOPBACK, Demonstration, NotPossibleError, read
from deploy.serving import granian

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "Demo#2026pass"
ACCOUNTS = (
    ("demo_legal", "legal-person account of 示例新能源汽车有限公司, 91990101MADEM00117"),
    ("demo_handler", "handler (经办人) of it for nev-accident-report"),
    ("demo_multi", "handler of it and of 样板动力电池有限公司, 91990101MADEM002XY"),
    ("demo_pending", "person whose application to be a handler is pending"),
    ("demo_person", "verified person, handler of nothing"),
    ("demo_admin", "platform administrator"),
    ("demo_regulator", "reads all accident reports in smdvs"),
)


class Stopped(BaseException):
    """The person or the system asked this program to end; no error."""


def main() -> int:
    """Run; the exit code is 0 when asked to stop and 1 when something failed."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    _on_signals(_raise_stopped)
    try:
        _run(read(os.environ, ROOT))
    except NotPossibleError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    except Stopped:
        return 0


def _run(demo: Demonstration) -> NoReturn:
    for name, port in (("IDP_PORT", demo.idp_port), ("SMDVS_PORT", demo.smdvs_port)):
        _check_free(name, port)
    _prepare(demo)
    children = Children(demo.root, demo.var / "log")
    try:
        _serve(demo, children)
    finally:
        _on_signals(signal.SIG_IGN)
        children.stop()
        print("stopped", flush=True)


def _prepare(demo: Demonstration) -> None:
    """Keys, tables and demonstration data; each step finds what is already there and leaves it."""
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    jwks = demo.var / "smdvs-jwks.json"
    _step(demo, [*flask, "db", "upgrade"], demo.idp_environ)
    _step(demo, [sys.executable, "-m", "clients.smdvs.migrate"], demo.smdvs_environ)
    jwks.write_text(_step(demo, [sys.executable, "-m", "clients.smdvs.keys"], demo.smdvs_environ))
    events = demo.var / "smdvs-events.txt"
    events.touch(mode=0o600)  # a secret that both share
    events.write_text(_step(demo, [sys.executable, "-m", "clients.smdvs.events"], demo.smdvs_environ))
    registration = ["--smdvs-url", demo.smdvs_url, "--smdvs-jwks", str(jwks), "--smdvs-events", str(events)]
    _step(demo, [*flask, "demo", "load", *registration], demo.idp_environ)


def _step(demo: Demonstration, command: list[str], environ: Mapping[str, str]) -> str:
    """Run a command to its end and return what it printed."""
    words = " ".join(command[2:])
    print(f"… {words}", flush=True)
    done = subprocess.run(
        command, cwd=demo.root, env=dict(environ), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotPossibleError(f"{done.stdout}{done.stderr}This step failed: {words}")
    return done.stdout


def _serve(demo: Demonstration, children: Children) -> NoReturn:
    # Where it is another platform's client, that one asks for its keys while a page waits for the answer.
    threads = 4 if demo.idp_environ.get("IDP_UPSTREAM_ISSUER") else 1
    children.start("idp", granian("wsgi:app", demo.idp_port, threads=threads), demo.idp_environ)
    children.start("smdvs", granian("clients.smdvs.wsgi:app", demo.smdvs_port, threads=4), demo.smdvs_environ)
    children.start("worker", [sys.executable, "-m", "flask", "--app", "wsgi", "worker"], demo.idp_environ)
    children.wait_for("idp", demo.idp_port, "/readyz")
    children.wait_for("smdvs", demo.smdvs_port, "/smdvs/healthz")
    # Nobody waits for it, so it starts when it takes no time from those that somebody waits for.
    children.start("smdvs-worker", [sys.executable, "-m", "clients.smdvs.worker"], demo.smdvs_environ)
    _announce(demo)
    while True:
        children.check()
        time.sleep(0.25)


def _announce(demo: Demonstration) -> None:
    accounts = "\n".join(f"  {name:<15}{who}" for name, who in ACCOUNTS)
    print(
        f"ready: idp {demo.idp_url} smdvs {demo.smdvs_url}/smdvs/\n"
        f"Demonstration accounts, password {PASSWORD}:\n{accounts}\n"
        f"SMS codes: {demo.idp_url}/dev/outbox; reminders of smdvs: {demo.smdvs_url}/smdvs/dev/outbox",
        flush=True,
    )


def _check_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise NotPossibleError(
                f"Port {port} can't be used ({error.strerror}). Free it, or choose another: {name}=…"
            ) from None


def _on_signals(action: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, action)


def _raise_stopped(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())

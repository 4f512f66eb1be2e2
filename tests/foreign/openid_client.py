"""``openid-client`` from npm in a Node.js process of its own, asked by the line."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from tests.applications import ROOT

SOURCE = Path(__file__).with_name("openid-client")
FILES = ("package.json", "package-lock.json", "client.mjs")


class Refused(Exception):
    """The library refused an answer, or passes on an error of the provider."""

    def __init__(self, explained: Mapping[str, Any]) -> None:
        super().__init__(json.dumps(explained, ensure_ascii=False))
        self.error = explained.get("error")
        self.status = explained.get("status")


@dataclass(frozen=True)
class OpenIdClient:
    """A running program, by its standard input and output; commands as in ``client.mjs``."""

    told: IO[str]
    says: IO[str]

    def ask(self, command: str, **given: object) -> Any:
        """The result of a command. Raises Refused."""
        self.begin(command, **given)
        return self.result()

    def begin(self, command: str, **given: object) -> None:
        """Start a command whose result is asked for later."""
        self.told.write(json.dumps({"command": command, **given}) + "\n")
        self.told.flush()

    def result(self) -> Any:
        """The result of the command begun. Raises Refused."""
        line = self.says.readline()
        assert line, "the program has ended"
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]


@contextmanager
def running() -> Iterator[OpenIdClient]:
    """A process of its own while the block runs."""
    with subprocess.Popen(
        [_program("node"), "client.mjs"],
        cwd=_installed(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield OpenIdClient(process.stdin, process.stdout)
        finally:
            process.terminate()


def _installed() -> Path:
    """The program beside the packages of its lock, installed once for each version of the two.

    Two test processes may install at once: the first to finish wins, the other takes what is there.
    """
    content = b"".join((SOURCE / name).read_bytes() for name in FILES)
    directory = ROOT / "var" / "openid-client" / hashlib.sha256(content).hexdigest()[:16]
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=directory.parent))
        for name in FILES:
            shutil.copy(SOURCE / name, part)
        _install(part)
        try:
            part.rename(directory)
        except OSError:
            shutil.rmtree(part)
    return directory


def _install(directory: Path) -> None:
    npm = _program("npm")
    done = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"npm can't install openid-client:\n{done.stderr}", pytrace=False)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed; `make test` says what to install", pytrace=False)
    return found

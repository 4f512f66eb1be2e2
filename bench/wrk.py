"""The load generator: wrk with a script of ``bench/load``, as a process of its own."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent / "load"
GRACE_SECONDS = 30

Data = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Supply:
    """What is shown once each, a line for each unit: the script finds the path of a file with them."""

    lines: Sequence[str]


class LoadFailed(Exception):
    """The load generator did not come to its end; the text is what it said."""


@dataclass(frozen=True)
class Load:
    """One run: completed units, its length, the time a unit took, and everything that went wrong."""

    units: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int
    first_error: str


def drive(script: str, url: str, data: Data, *, seconds: int, connections: int, threads: int) -> Load:
    """Drive ``url`` with ``script``; each thread takes one element of ``data``."""
    with tempfile.TemporaryDirectory(prefix="idp-bench-") as directory:
        source = Path(directory) / "data.lua"
        source.write_text(f"return {lua(_stored(data, Path(directory)))}\n")
        program = Path(directory) / "script.lua"
        program.write_text((SCRIPTS / "common.lua").read_text() + (SCRIPTS / f"{script}.lua").read_text())
        return _run(program, source, url, seconds, connections, threads)


def _stored(data: Data, directory: Path) -> Data:
    """The data with each supply in a file of its own, for a thread to read as it goes."""
    return [
        {name: _path(value, directory / f"{name}-{number}") for name, value in row.items()}
        for number, row in enumerate(data)
    ]


def _path(value: object, path: Path) -> object:
    if not isinstance(value, Supply):
        return value
    path.write_text("".join(f"{line}\n" for line in value.lines))
    return str(path)


def _run(program: Path, source: Path, url: str, seconds: int, connections: int, threads: int) -> Load:
    done = subprocess.run(
        [
            *("setpriv", "--pdeathsig", "KILL", "--", "wrk"),
            *("-t", str(threads), "-c", str(connections), "-d", f"{seconds}s", "--timeout", "20s"),
            *("-s", str(program), url, "--", str(source)),
        ],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=seconds + GRACE_SECONDS,
        check=False,
    )
    answers = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not answers:
        raise LoadFailed(f"wrk: {done.stdout}{done.stderr}")
    return Load(**json.loads(answers[-1]))


def lua(value: object) -> str:
    """A value of strings, numbers, None, lists and string-keyed mappings as a Lua expression."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"[{lua(key)}]={lua(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "{" + ",".join(lua(item) for item in value) + "}"
    if value is None:
        return "nil"
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    """Every byte outside printable ASCII, and what would end the string, as Lua's decimal escape."""
    octets = text.encode()
    plain = {*range(0x20, 0x7F)} - {ord('"'), ord("\\")}
    return '"' + "".join(chr(octet) if octet in plain else f"\\{octet:03d}" for octet in octets) + '"'

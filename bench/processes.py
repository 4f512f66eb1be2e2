"""What processes have used, read from /proc: CPU time of whole trees, and memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
GONE = (FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True)
class Usage:
    """One process: its parent, and the CPU seconds of itself and of the children it has waited for."""

    parent: int
    cpu_seconds: float


def read_stat(text: str, ticks_per_second: int = TICKS_PER_SECOND) -> Usage:
    """A line of ``/proc/<pid>/stat`` (proc(5)); the name in it may hold spaces and brackets."""
    fields = text.rpartition(")")[2].split()
    ticks = sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
    return Usage(parent=int(fields[1]), cpu_seconds=ticks / ticks_per_second)


def snapshot() -> dict[int, Usage]:
    """Every process of this machine."""
    usages = {}
    for directory in PROC.iterdir():
        if directory.name.isdecimal():
            with suppress(*GONE):
                usages[int(directory.name)] = read_stat((directory / "stat").read_text(errors="replace"))
    return usages


def tree(root: int, usages: Mapping[int, Usage]) -> set[int]:
    """``root`` and everything below it."""
    found, waiting = set[int](), [root]
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        waiting.extend(child for child, usage in usages.items() if usage.parent == pid)
    return found


def cpu_seconds(roots: Iterable[int]) -> float:
    """User and system time of these processes and all below them, those that have ended included.

    An ended child counts in its parent, so differences of two readings are right whoever ends between them.
    """
    usages = snapshot()
    pids = set[int]().union(*(tree(root, usages) for root in roots))
    return sum(usages[pid].cpu_seconds for pid in pids if pid in usages)


def children(root: int) -> list[int]:
    """The processes whose parent is ``root``."""
    return sorted(pid for pid, usage in snapshot().items() if usage.parent == root)


def pss_mib(pids: Iterable[int]) -> float:
    """Memory of these processes in MiB, pages shared with others divided among them (PSS)."""
    return sum(_pss_kib(pid) for pid in pids) / 1024


def _pss_kib(pid: int) -> int:
    with suppress(*GONE):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0

"""Verdicts and the table: what was measured beside the machine's limit and goals scaled to the machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.items import Goal, Item
from bench.measuring import Measured

HELLO_MS = 0.10
"""What plain Flask's hello costs on the machine that the goals are written for."""

START = Goal(meet=0.8, proud=0.5)  # seconds, scaled like the rest
MEMORY = Goal(meet=160, proud=120)  # MiB, the same on every machine


@dataclass(frozen=True)
class Row:
    """One item of one installation, judged."""

    name: str
    title: str
    measured: Measured
    limit_ms: float | None
    judged_ms: float
    goal: Goal
    verdict: str

    @property
    def ratio(self) -> float | None:
        """How many times the bare cryptography the whole costs."""
        return None if self.limit_ms is None else self.measured.cpu_ms / self.limit_ms


@dataclass(frozen=True)
class Figure:
    """A measured figure that is no request: its unit, the goal and the verdict."""

    title: str
    value: float
    unit: str
    goal: Goal
    verdict: str
    remark: str = ""


@dataclass(frozen=True)
class Result:
    """What was found out about one installation."""

    installation: str
    rows: tuple[Row, ...]
    figures: tuple[Figure, ...]


def verdict_of(value: float, goal: Goal) -> str:
    """``proud``, ``met``, or by how much the goal is missed."""
    if value <= goal.proud:
        return "proud"
    if value <= goal.meet:
        return "met"
    return f"missed, {value / goal.meet:.2f}×"


def scaled(goal: Goal, hello_ms: float) -> Goal:
    """The goal on a machine where hello costs ``hello_ms``."""
    factor = hello_ms / HELLO_MS
    return Goal(goal.meet * factor, goal.proud * factor)


def row(
    item: Item, installation: str, measured: Measured, limits: Mapping[str, float], hello_ms: float
) -> Row:
    """Judge one item."""
    limit = sum(limits[name] for name in item.cryptography) if item.cryptography else None
    judged = measured.cpu_ms - (limit or 0.0) if item.beyond_cryptography else measured.cpu_ms
    goal = scaled(item.goals[installation], hello_ms)
    return Row(item.name, item.title, measured, limit, judged, goal, verdict_of(judged, goal))


def start_figure(seconds: float, hello_ms: float) -> Figure:
    """From exec to the first answer."""
    goal = scaled(START, hello_ms)
    return Figure("start to first answer", seconds, "s", goal, verdict_of(seconds, goal))


def memory_figure(workers_mib: float, supervisor_mib: float) -> Figure:
    """Memory of the workers after the load."""
    remark = f"the process above them {supervisor_mib:.0f} MiB"
    return Figure("PSS of two workers", workers_mib, "MiB", MEMORY, verdict_of(workers_mib, MEMORY), remark)


HEAD = (
    ("item", 37),
    ("server", 8),
    ("store", 8),
    ("total", 8),
    ("worker", 8),
    ("units/s", 9),
    ("p50", 8),
    ("p99", 8),
    ("errors", 7),
    ("crypto", 8),
    ("ratio", 7),
    ("judged", 8),
    ("goal", 8),
    ("proud", 8),
)


def lines(result: Result) -> Iterator[str]:
    """The table of one installation; CPU, p50, p99, crypto and goals in milliseconds per unit."""
    yield f"{result.installation}: CPU ms per unit, latency in ms"
    head = "".join(
        title.ljust(width) if not at else title.rjust(width) for at, (title, width) in enumerate(HEAD)
    )
    yield f"{head}  verdict"
    for judged in result.rows:
        cells = _cells(judged)
        body = "".join(cell.rjust(width) for cell, (_, width) in zip(cells, HEAD[1:], strict=True))
        yield f"{judged.title:<{HEAD[0][1]}}{body}  {judged.verdict}"
        if judged.measured.first_error:
            yield f"    first error: {judged.measured.first_error}"
    for figure in result.figures:
        goal = f"goal {figure.goal.meet:.2f}, proud {figure.goal.proud:.2f}"
        remark = f"; {figure.remark}" if figure.remark else ""
        yield f"{figure.title}: {figure.value:.2f} {figure.unit} ({goal}): {figure.verdict}{remark}"


def _cells(judged: Row) -> list[str]:
    measured = judged.measured
    return [
        f"{measured.server_ms:.3f}",
        f"{measured.store_ms:.3f}",
        f"{measured.cpu_ms:.3f}",
        f"{measured.worker_ms:.3f}",
        f"{measured.rate:,.0f}",
        f"{measured.p50_ms:.2f}",
        f"{measured.p99_ms:.2f}",
        f"{measured.errors}",
        "–" if judged.limit_ms is None else f"{judged.limit_ms:.3f}",
        "–" if judged.ratio is None else f"{judged.ratio:.1f}×",
        f"{judged.judged_ms:.3f}",
        f"{judged.goal.meet:.3f}",
        f"{judged.goal.proud:.3f}",
    ]

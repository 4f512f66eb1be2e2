"""`make bench`: measure the product as production runs it, and print how far it is from its goals."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from types import FrameType
from typing import NoReturn

from bench import installation, limits, measuring, smdvs, table
from bench.installation import EMBEDDED, POSTGRESQL, Installation, NotServing
from bench.items import ITEMS, Item
from bench.measuring import FULL, QUICK, Hello, Measured, NothingDone, Plan
from bench.relying_party import UnexpectedAnswer
from bench.wrk import LoadFailed
from deploy.demo.environment import NotPossibleError

FAULTS = (NotServing, NothingDone, UnexpectedAnswer, LoadFailed, NotPossibleError)


SMDVS = "smdvs"


class Stopped(BaseException):
    """The person or the system asked this program to end; no error."""


@dataclass(frozen=True)
class Raw:
    """What was measured of one installation, before it can be judged: hello is measured until the end."""

    name: str
    items: tuple[tuple[Item, Measured], ...]
    start_seconds: float
    workers_mib: float
    supervisor_mib: float
    smdvs: tuple[smdvs.Row, ...]


def main() -> int:
    """Run; the exit code is 1 when something could not be measured, whatever the verdicts say."""
    arguments = _arguments()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        return _run(arguments)
    except FAULTS as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except Stopped:
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of everything")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure to FILE")
    parser.add_argument(
        "--only",
        action="append",
        choices=[*(item.name for item in ITEMS), SMDVS],
        help="an item; may be repeated",
    )
    parser.add_argument("--on", choices=("postgresql", "sqlite"), help="one of the two installations")
    return parser.parse_args()


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


def _run(arguments: argparse.Namespace) -> int:
    plan = QUICK if arguments.quick else FULL
    chosen = [item for item in ITEMS if not arguments.only or item.name in arguments.only]
    with_smdvs = not arguments.only or SMDVS in arguments.only
    names = {None: (POSTGRESQL, EMBEDDED), "postgresql": (POSTGRESQL,), "sqlite": (EMBEDDED,)}[arguments.on]
    began = time.monotonic()
    _tell("bare cryptography")
    bare = limits.measure(plan.limit_seconds)
    with measuring.hello() as hello:
        found = [_measure(name, chosen, plan, hello, with_smdvs=with_smdvs) for name in names]
    results = [_judged(raw, bare, hello.cpu_ms) for raw in found]
    _print(results, bare, hello, time.monotonic() - began)
    for raw in found:
        print("\n".join(smdvs.lines(raw.name, raw.smdvs)) if raw.smdvs else "")
    if arguments.json:
        _write(arguments.json, results, bare, hello)
    return 0


def _measure(name: str, chosen: Sequence[Item], plan: Plan, hello: Hello, *, with_smdvs: bool) -> Raw:
    _tell(f"{name}: preparing")
    hello.sample(plan.seconds)
    with installation.prepared(name) as product:
        started = _started(product, plan)
        product.start_worker()
        measured = tuple((item, _measured(product, item, plan, hello)) for item in chosen)
        workers_mib, supervisor_mib = product.memory()
        hello.sample(plan.seconds)
        beside = _beside(product, plan) if with_smdvs else ()
    return Raw(name, measured, started, workers_mib, supervisor_mib, beside)


def _beside(product: Installation, plan: Plan) -> tuple[smdvs.Row, ...]:
    _tell(f"{product.name}: smdvs, filling its database")
    rows = smdvs.measured(product, plan, quick=plan is QUICK)
    for row in rows:
        _tell(f"{product.name}: smdvs, {row.title}: {row.smdvs_ms:.3f} ms, {row.rate:,.0f}/s")
    return rows


def _started(product: Installation, plan: Plan) -> float:
    """Start several times; the last one stays."""
    seconds = []
    for _ in range(plan.starts):
        product.stop()
        seconds.append(product.start())
        _tell(f"{product.name}: first answer after {seconds[-1]:.2f} s")
    return median(seconds)


def _measured(product: Installation, item: Item, plan: Plan, hello: Hello) -> Measured:
    """Measure hello beside each item: who else uses this machine changes from minute to minute."""
    if plan.hello_before_each_item:
        hello.sample(plan.warm_up_seconds)
    measured = measuring.item(product, item, plan)
    _tell(f"{product.name}: {item.title}: {measured.cpu_ms:.3f} ms, {measured.rate:,.0f}/s")
    return measured


def _judged(raw: Raw, bare: dict[str, float], hello_ms: float) -> table.Result:
    rows = tuple(table.row(item, raw.name, measured, bare, hello_ms) for item, measured in raw.items)
    figures = (
        table.start_figure(raw.start_seconds, hello_ms),
        table.memory_figure(raw.workers_mib, raw.supervisor_mib),
    )
    return table.Result(raw.name, rows, figures)


def _print(results: Sequence[table.Result], bare: dict[str, float], hello: Hello, seconds: float) -> None:
    for result in results:
        print("\n".join(table.lines(result)), end="\n\n")
    spread = f"{min(hello.samples):.3f}–{max(hello.samples):.3f} in {len(hello.samples)} samples"
    print(
        f"Plain Flask's hello: {hello.cpu_ms:.3f} ms ({spread}); goals are for {table.HELLO_MS} ms, scaled."
    )
    print("Bare cryptography, CPU ms: " + ", ".join(f"{name} {ms:.4f}" for name, ms in bare.items()) + ".")
    print(f"Measured in {seconds:.0f} s. How to read this: docs/benchmark.md")


def _write(path: Path, results: Sequence[table.Result], bare: dict[str, float], hello: Hello) -> None:
    document = {
        "hello_ms": hello.cpu_ms,
        "hello_samples_ms": hello.samples,
        "cryptography_ms": bare,
        "installations": [asdict(result) for result in results],
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _tell(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

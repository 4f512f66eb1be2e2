"""The tables of docs/protocol.md are true: each line is proved by the tests it names, and by no others."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINES = set(range(1, 121))
PITFALLS = set(range(1, 27))


def proved(mark: str) -> dict[int, set[str]]:
    """The test files that name each number with this mark."""
    marks = re.compile(rf"mark\.{mark}\(([^)]*)\)")
    files = defaultdict(set)
    for file in (ROOT / "tests").rglob("test_*.py"):
        for marked in marks.findall(file.read_text()):
            for line in re.findall(r"\d+", marked):
                files[int(line)].add(str(file.relative_to(ROOT / "tests").with_suffix("")))
    return dict(files)


def listed(row: str) -> dict[int, set[str]]:
    """The test files in the rows of the document that begin so."""
    rows = re.findall(rf"^\| {row} \|.*\| ([^|]*) \|$", (ROOT / "docs/protocol.md").read_text(), re.MULTILINE)
    return {int(number): set(re.findall(r"`([^`]+)`", tests)) for number, tests in rows}


def test_each_line_of_the_checklist_has_tests_and_the_table_names_them() -> None:
    assert listed(r"(\d+)") == proved("checklist")
    assert proved("checklist").keys() == LINES


def test_each_pitfall_of_authlib_has_tests_and_the_table_names_them() -> None:
    assert listed(r"P(\d+)") == proved("pitfall")
    assert proved("pitfall").keys() == PITFALLS


def test_every_test_that_the_document_names_is_there() -> None:
    named = re.findall(r"`([a-z_/]*test_\w+)`", (ROOT / "docs/protocol.md").read_text())
    assert [name for name in named if not (ROOT / "tests" / f"{name}.py").is_file()] == []

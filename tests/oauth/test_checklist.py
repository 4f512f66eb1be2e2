"""The table of docs/protocol.md is true: each line is proved by the tests it names, and by no others."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARK = re.compile(r"mark\.checklist\(([^)]*)\)")
ROW = re.compile(r"\| (\d+) \|.*\| ([^|]*) \|")


def proved() -> dict[int, set[str]]:
    """The test files that name each line."""
    files = defaultdict(set)
    for file in (ROOT / "tests").rglob("test_*.py"):
        for marked in MARK.findall(file.read_text()):
            for line in re.findall(r"\d+", marked):
                files[int(line)].add(str(file.relative_to(ROOT / "tests").with_suffix("")))
    return dict(files)


def test_the_table_of_the_protocol_names_the_tests_of_each_line() -> None:
    table = (ROOT / "docs/protocol.md").read_text().partition("\n## ")[0]
    listed = {int(line): set(re.findall(r"`([^`]+)`", tests)) for line, tests in ROW.findall(table)}
    assert listed == proved()

"""docs/security/dengbao.md is true: each requirement has its row, and what a row names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / "docs/security/dengbao.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in DOCUMENT.splitlines()
    if re.match(r"\| [A-G]\d+ \|", line)
]
NUMBERS = {"A": 7, "B": 2, "C": 2, "D": 1, "E": 4, "F": 1, "G": 5}


def test_each_requirement_has_one_whole_row() -> None:
    wanted = [f"{letter}{number}" for letter, last in NUMBERS.items() for number in range(1, last + 1)]
    assert [row[0].strip() for row in ROWS] == wanted
    assert [row[0] for row in ROWS if len(row) != 6 or not all(row)] == []


def test_every_file_that_a_row_names_is_there() -> None:
    named = {file for row in ROWS for file in re.findall(r"`([^`]+)`", row[3])}
    assert sorted(file for file in named if not (ROOT / file).is_file()) == []


def test_every_test_that_a_row_names_is_there() -> None:
    named = {test for row in ROWS for test in re.findall(r"`([^`]+)`", row[4])}
    assert sorted(test for test in named if not _is_there(test)) == []
    assert [row[0] for row in ROWS if "::test_" not in row[4]] == []


def test_nothing_is_claimed() -> None:
    assert "This is no certificate" in DOCUMENT
    for word in ("compliant with", "certified to", "通过等保", "符合等保"):
        assert word not in DOCUMENT


def _is_there(test: str) -> bool:
    file, _, name = test.partition("::")
    path = ROOT / "tests" / file
    return path.is_file() and re.search(rf"^def {name}\(", path.read_text(), re.MULTILINE) is not None

"""docs/seed-coverage.md is true: each item has a page, a test and a picture, and all of them are there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from flask import Flask

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs/screenshots"
WIDTHS = (1440, 360)
LARGEST = 150_000
DOCUMENT = (ROOT / "docs/seed-coverage.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in DOCUMENT.splitlines()
    if line.startswith("| ") and not line.startswith(("| item", "| ---"))
]


def named(column: int) -> set[str]:
    """What a column names."""
    return {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[column])}


def test_every_section_of_the_document_has_its_rows() -> None:
    sections = re.split(r"^## ", DOCUMENT, flags=re.MULTILINE)[1:]
    assert [section.split()[0] for section in sections] == [f"1.{number}" for number in range(1, 10)]
    assert all(section.count("\n| ") > 3 for section in sections)
    assert [row[0] for row in ROWS if len(row) != 4 or not all("`" in cell for cell in row[1:])] == []


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_every_page_is_a_page(app: Flask) -> None:
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    paths = {path for path in named(1) if not path.startswith("/smdvs/")}
    blocks = {path for path in paths if path.startswith("/services/")}
    assert sorted(paths - blocks - rules) == []
    assert {app.test_client().get(path).status_code for path in blocks} == {200}


def test_every_test_is_there() -> None:
    assert sorted(test for test in named(2) if not _is_there(test)) == []


def test_every_picture_is_there_at_both_widths_and_no_other() -> None:
    wanted = {f"{width}-{name}.png" for name in named(3) for width in WIDTHS}
    assert wanted == {picture.name for picture in PICTURES.glob("*.png")}


def test_no_picture_is_too_large() -> None:
    assert [p.name for p in PICTURES.glob("*.png") if p.stat().st_size > LARGEST] == []


def test_the_walks_take_each_picture() -> None:
    walks = "".join(file.read_text() for file in (ROOT / "tests/browser").glob("*.py"))
    taken = set(re.findall(r'shot\("([^"]+)"', walks)) | set(_by_name(walks))
    missing = {name for name in named(3) if name not in taken and not name.startswith("block-")}
    assert sorted(missing) == []


def _by_name(walks: str) -> Iterable[str]:
    """Those that a walk takes in a loop over ``PICTURED``."""
    for table in re.findall(r"PICTURED\w* = \{(.*?)\n\}", walks, re.DOTALL):
        yield from re.findall(r'"([a-z-]+)":', table)


def _is_there(test: str) -> bool:
    file, _, name = test.partition("::")
    path = ROOT / "tests" / file
    return path.is_file() and (
        not name or re.search(rf"^def {name}\(", path.read_text(), re.MULTILINE) is not None
    )

"""axe-core in the page that a window shows."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests import npm

SOURCE = Path(__file__).with_name("axe-core")
GRAVE = {"serious", "critical"}


@cache
def _script() -> str:
    directory = npm.installed(SOURCE, ("package.json", "package-lock.json"))
    return (directory / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def faults(page: Page) -> list[str]:
    """The serious and critical faults of the page, each with its place."""
    page.evaluate(_script())
    result: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['impact']} {fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in result["violations"]
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]

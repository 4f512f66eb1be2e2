"""A headless Chromium of the distribution's, and both applications for it to visit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.applications import ROOT, Applications, serving

QUIET = (
    "--accept-lang=zh-CN",  # the pages follow the browser
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
SCREENSHOTS = ROOT / "var" / "screenshots"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("chromium is not installed; `make test` says what to install", pytrace=False)
    sandbox = () if os.geteuid() else ("--no-sandbox",)  # Chromium refuses its sandbox to root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*QUIET, *sandbox])
        yield browser
        browser.close()


@pytest.fixture
def walked(tmp_path: Path) -> Iterator[Applications]:
    """Both applications for one walk: no captcha to read, no minute to wait for the next code."""
    with serving(tmp_path, {"IDP_THROTTLE": "off", "IDP_CAPTCHA": "off"}) as applications:
        yield applications

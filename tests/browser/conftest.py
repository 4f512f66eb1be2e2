"""A headless Chromium of the distribution's, and both applications for it to visit."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.applications import ROOT, Applications, free_ports, serving

QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
TIMEOUT_MS = 20_000
SCREENSHOTS = ROOT / "var" / "screenshots"
KEPT = ROOT / "docs" / "screenshots"
COLOURS = 96


@dataclass(frozen=True)
class Camera:
    """Takes pictures of pages at one width: into docs/screenshots with SCREENSHOTS=1, else into a folder that
    is thrown away.
    """

    width: int
    folder: Path

    def shot(self, page: Page, name: str, *, whole: bool = True) -> None:
        """``<width>-<name>.png`` of the page as it is, or of what the window shows of it."""
        page.evaluate("document.activeElement && document.activeElement.blur()")
        picture = Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")
        picture.quantize(COLOURS).save(self.folder / f"{self.width}-{name}.png", optimize=True)


@pytest.fixture(params=[1440, 360], ids=["wide", "narrow"])
def camera(request: pytest.FixtureRequest, tmp_path: Path) -> Camera:
    """For each width one; ``SCREENSHOTS=1`` renews the pictures of the documents."""
    folder = KEPT if os.environ.get("SCREENSHOTS") == "1" else tmp_path / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return Camera(request.param, folder)


@pytest.fixture
def open_window(chromium: Browser, camera: Camera) -> Iterator[Callable[..., Page]]:
    """``open_window()``: a browser of its own, Chinese and of the camera's width."""
    contexts = []

    def open_(**options: Any) -> Page:
        size: ViewportSize = {"width": camera.width, "height": 900}
        context = chromium.new_context(**{"viewport": size, "locale": "zh-CN", **options})
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        return context.new_page()

    yield open_
    for context in contexts:
        context.close()


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


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applications]:
    """The same, one for all tests that leave its people as they were; another platform is set, and silent."""
    environ = {
        "IDP_THROTTLE": "off",
        "IDP_CAPTCHA": "off",
        "IDP_UPSTREAM_ISSUER": f"http://127.0.0.1:{free_ports(1)[0]}",
        "IDP_UPSTREAM_CLIENT_ID": "miit-platform",
    }
    with serving(tmp_path_factory.mktemp("demonstration"), environ) as applications:
        yield applications

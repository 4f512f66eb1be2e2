"""What a regulator looks at in smdvs, in a real browser: charts that lead to lists, and paper."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from joserfc.jwk import KeySet
from playwright.sync_api import Page, expect
from pypdf import PdfReader
from werkzeug.serving import make_server

from bench.reports import fill
from clients.rp.entitlement import Reader
from clients.smdvs import migrate
from clients.smdvs.app import create_app
from clients.smdvs.config import Settings
from clients.smdvs.search import Filters, find_page
from clients.smdvs.storage.database import Database
from clients.smdvs.system import System
from tests.applications import free_ports
from tests.browser import axe
from tests.browser.conftest import Camera
from tests.clients.provider import Person, serving

ALL = Reader("regulator", None)


@dataclass
class Running:
    """smdvs with synthetic reports, and where it is."""

    url: str
    system: System


@pytest.fixture(scope="module")
def smdvs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory, (port,) = tmp_path_factory.mktemp("smdvs"), free_ports(1)
    with serving() as provider:
        provider.person = Person.natural_person(roles=["regulator"])
        settings = settings_for(provider.issuer, f"http://127.0.0.1:{port}", directory)
        migrate.upgrade(Database(settings.database_url))
        app = create_app(settings)
        system: System = app.extensions["smdvs"]
        public = {"keys": [system.client.key.as_dict(private=False)]}
        provider.client_keys = KeySet.import_key_set(public)  # type: ignore[arg-type] # a plain mapping
        provider.audience = settings.resource
        fill(system, 60)
        server = make_server("127.0.0.1", port, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Running(settings.public_url, system)
        server.shutdown()
        thread.join()
        server.server_close()
        system.database.engine.dispose()


def settings_for(issuer: str, url: str, directory: Path) -> Settings:
    return Settings.from_env(
        {
            "SMDVS_ENV": "development",
            "SMDVS_ISSUER": issuer,
            "SMDVS_PUBLIC_URL": url,
            "SMDVS_DATABASE_URL": f"sqlite:///{directory / 'smdvs.sqlite3'}",
            "SMDVS_SECRET_KEY": "0123456789abcdef" * 4,
            "SMDVS_KEYS_DIR": str(directory / "keys"),
        }
    )


@dataclass
class Window:
    """A regulator's window, and what it complained of."""

    page: Page
    running: Running
    complaints: list[str]

    def open(self, path: str) -> None:
        self.page.goto(self.running.url + path)


@pytest.fixture
def window(open_window: Callable[..., Page], smdvs: Running) -> Window:
    page = open_window()
    found = Window(page, smdvs, [])
    page.on("console", lambda message: found.complaints.append(message.text))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.open("/smdvs/login")
    return found


def test_charts_are_drawn_from_the_tables_within_the_policy(window: Window, camera: Camera) -> None:
    window.open("/smdvs/statistics")
    expect(window.page.locator(".chart canvas")).to_have_count(10)
    expect(window.page.locator("details.figures[open]")).to_have_count(0)
    camera.shot(window.page, "smdvs-statistics")
    assert window.page.evaluate("document.documentElement.scrollWidth") <= camera.width
    assert window.complaints == []
    assert axe.faults(window.page) == []


def test_a_bar_leads_to_the_list_of_its_reports(window: Window) -> None:
    window.open("/smdvs/statistics")
    chart = window.page.locator('[data-table="state-table"] canvas')
    expect(chart).to_be_visible()
    count = window.page.locator("#state-table tbody tr").first.locator("td").text_content()
    box = chart.bounding_box()
    assert box is not None
    with window.page.expect_navigation():
        chart.click(position={"x": box["width"] * 0.3, "y": 8 + (box["height"] - 16) / 8})
    assert "vehicle_state=driving" in window.page.url
    assert f"符合条件的 {count} 份" in window.page.inner_text("main")


def test_a_province_leads_to_its_reports(window: Window) -> None:
    window.open("/smdvs/statistics")
    chart = window.page.locator(".chart-map canvas")
    expect(chart).to_be_visible()
    at = window.page.evaluate(
        "() => { const place = document.querySelector('.chart-map');"
        " return echarts.getInstanceByDom(place).convertToPixel('geo', [102.2, 31.6]); }"  # in Sichuan
    )
    if not window.page.locator('#province-table tr[data-code="510000"]').count():
        pytest.fail("no report of Sichuan among the synthetic ones")
    with window.page.expect_navigation():
        chart.click(position={"x": at[0], "y": at[1]})
    assert "province=510000" in window.page.url


def test_who_wants_no_motion_gets_none(open_window: Callable[..., Page], smdvs: Running) -> None:
    page = open_window(reduced_motion="reduce")
    page.goto(smdvs.url + "/smdvs/login")
    page.goto(smdvs.url + "/smdvs/statistics")
    expect(page.locator(".chart canvas")).to_have_count(10)
    still = page.evaluate(
        "() => [...document.querySelectorAll('.chart')].map("
        "place => echarts.getInstanceByDom(place).getOption().animation)"
    )
    assert still == [False] * 10


def test_without_scripts_the_tables_say_it_all(open_window: Callable[..., Page], smdvs: Running) -> None:
    page = open_window(java_script_enabled=False)
    page.goto(smdvs.url + "/smdvs/login")
    page.goto(smdvs.url + "/smdvs/statistics")
    expect(page.locator("details.figures[open]")).to_have_count(10)
    expect(page.locator(".chart:visible")).to_have_count(0)
    page.locator("#state-table a").first.click()
    assert "vehicle_state=" in page.url


def test_the_list_and_its_filters_have_no_barrier(window: Window, camera: Camera) -> None:
    window.open("/smdvs/reports?cause=battery&cause=human&from=nie")
    camera.shot(window.page, "smdvs-filters")
    assert window.page.evaluate("document.documentElement.scrollWidth") <= camera.width
    assert axe.faults(window.page) == []


def test_a_report_on_paper_is_whole(window: Window, camera: Camera) -> None:
    closed = find_page(window.running.system, ALL, Filters.model_validate({"status": ["closed"]}), 1)
    window.open(f"/smdvs/reports/{closed.rows[0].report_no}/print")
    assert axe.faults(window.page) == []
    assert window.complaints == []
    camera.shot(window.page, "smdvs-print")
    digests = window.page.locator(".digest").all_inner_texts()
    assert len(digests) == 6
    paper = PdfReader(io.BytesIO(window.page.pdf(prefer_css_page_size=True)))
    sizes = {(round(float(page.mediabox.width)), round(float(page.mediabox.height))) for page in paper.pages}
    assert sizes == {(595, 842)}  # A4 in points
    assert len(paper.pages) <= 2
    texts = [re.sub(r"\s", "", page.extract_text()) for page in paper.pages]
    assert all(
        any(digest in text for text in texts) for digest in digests
    )  # none is cut by the end of a page
    assert "返回上报" not in "".join(texts)

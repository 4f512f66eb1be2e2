"""Nothing typed is lost: the form saves itself, and outlives the page and the session."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.applications import Applications
from tests.browser import axe
from tests.browser.conftest import Camera
from tests.browser.test_report_life import enter, press_submit
from tests.browser.test_seed import fill_in_report
from tests.browser.visitor import Visitor
from tests.journeys.people import DEMO_PASSWORD, PHONES


def test_a_form_saves_itself_and_outlives_its_page_and_its_session(
    walked: Applications, camera: Camera, open_window: Callable[..., Page]
) -> None:
    pictures = Camera(camera.width, camera.folder / "smdvs")
    pictures.folder.mkdir(exist_ok=True)
    handler = Visitor("demo_handler", DEMO_PASSWORD, walked, open_window(), pictures)
    page = handler.page
    enter(handler, "handler")
    fill_in_report(handler)
    expect(page.locator("#draft-state")).to_contain_text("草稿已保存", timeout=15_000)
    page.goto(f"{walked.smdvs_url}/smdvs/drafts")  # the form's page is gone
    handler.shot("drafts")
    assert axe.faults(page) == []
    with page.expect_navigation():
        page.get_by_role("link", name="继续填写").first.click()
    expect(page.locator("#draft-restored")).to_be_visible()
    expect(page.locator("[name='vehicles-0-vin']")).to_have_value("LTEST00A0R1000001")
    page.fill("[name='narrative']", "会话结束前写下的一段事故经过，请勿丢失。")
    page.context.clear_cookies(name="smdvs_session")
    press_submit(handler)
    expect(page.locator("#form-notice")).to_contain_text("已保存为草稿")
    handler.shot("form-session-ended")
    assert axe.faults(page) == []
    sign_in_again(handler)
    expect(page.locator("#draft-restored")).to_be_visible()
    expect(page.locator("[name='narrative']")).to_have_value("会话结束前写下的一段事故经过，请勿丢失。")
    press_submit(handler)
    expect(page.locator("#submitted")).to_contain_text("SMDVS-")


def sign_in_again(handler: Visitor) -> None:
    """By the link under the form; the provider may still know the person."""
    page = handler.page
    with page.expect_navigation():
        page.click("#login-again")
    if page.locator("#login-page").count():
        handler.sign_in(PHONES["handler"])
    if page.locator("#consent-approve").count():
        handler.press("consent-approve")
    page.wait_for_url(f"{handler.running.smdvs_url}/smdvs/**")

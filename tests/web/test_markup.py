from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.web.visitor import Visitor

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
PUBLIC = [
    "/",
    "/login",
    "/register",
    "/help",
    "/help?q=密码",
    "/search?q=密码",
    "/search",
    "/services/permits",
    "/services/infographics",
    "/notices",
    "/notices/code-safety",
    "/progress",
    "/status",
    "/accessibility",
    "/terms",
    "/dev/outbox",
    "/nothing-here",
]
RECOVERY = [
    "/forgot-password",
    "/change-phone",
    "/change-phone/lost",
    *(f"/find-account?by={way}" for way in ("phone", "natural_person", "legal_person")),
]
PERSONAL = [
    "/account",
    "/account/verification",
    "/account/handler-applications",
    "/account/enterprise",
    "/account/systems",
    "/account/sessions",
    "/account/consents",
    "/account/security",
    "/account/export",
    "/account/deletion",
    "/account/phone",
]
FORMS = [
    "/account/verification?subject_type=natural_person",
    "/account/verification?subject_type=legal_person&manual=1",
]
CONSOLE = [
    "/admin",
    "/admin/clients",
    "/admin/clients/new",
    "/admin/accounts",
    "/admin/reviews",
    "/admin/reviews/phone-changes",
    "/admin/audit",
    "/admin/deliveries",
]


class Page(HTMLParser):
    """What assistive technology needs of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.unlabelled: list[str] = []
        self.headings = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "h1":
            self.headings += 1
        if tag == "label" and given.get("for"):
            self.labelled.add(str(given["for"]))
        shown = given.get("type") not in {"hidden", "radio"} and "hidden" not in given
        if tag in {"input", "select", "textarea"} and shown and "aria-label" not in given:
            self.unlabelled.append(str(given.get("id")))


def check(visitor: Visitor, path: str) -> None:
    page = Page(visitor.get(path).text)
    assert page.headings == 1 or path == "/terms"
    assert len(page.ids) == len(set(page.ids))
    assert set(page.unlabelled) <= page.labelled


@pytest.mark.parametrize("path", PUBLIC + RECOVERY)
def test_public_pages_have_one_heading_unique_ids_and_labels(visitor: Visitor, path: str) -> None:
    check(visitor, path)


def test_pages_of_a_person_do_too(person: Visitor) -> None:
    for path in PERSONAL:
        check(person, path)


def test_forms_of_verification_do_too(visitor: Visitor) -> None:
    visitor.register("newcomer", "19900001005")
    for path in FORMS:
        check(visitor, path)


def test_pages_of_the_console_do_too(administrator: Visitor) -> None:
    for path in CONSOLE:
        check(administrator, path)


def test_the_ids_that_programs_rely_on_are_there(visitor: Visitor) -> None:
    login = Page(visitor.get("/login").text).ids
    assert {"login-page", "identifier", "password", "sms_code", "send-code", "login-submit"} <= set(login)
    fields = {
        "login_name",
        "password",
        "confirm_password",
        "email",
        "phone",
        "sms_code",
        "agree",
        "send-code",
    }
    assert fields <= set(Page(visitor.get("/register").text).ids)


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_template_switches_escaping_off(template: Path) -> None:
    text = template.read_text("utf-8")
    assert "autoescape" not in text
    literals = text.replace("""'|safe""", "")
    assert "|safe" not in literals.replace(" ", "")

"""People at their browsers, without JavaScript: pages are opened, forms filled in and submitted."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

import requests
from lxml import html
from PIL import Image

TIMEOUT = 20
DEMO_PASSWORD = "Demo#2026pass"
PHONES = {
    name: f"1990000000{number}"
    for number, name in enumerate(
        ("legal", "legal_2", "handler", "multi", "pending", "person", "admin", "regulator"), 1
    )
}


@dataclass
class Page:
    """One answer of the server, as a person sees it."""

    response: requests.Response

    @property
    def url(self) -> str:
        """Where the person ended up."""
        return self.response.url

    @property
    def text(self) -> str:
        """What the page says."""
        return " ".join(self._tree().text_content().split())

    def _tree(self) -> html.HtmlElement:
        return html.fromstring(self.response.text, base_url=self.url)

    def numbers(self) -> set[str]:
        """The report numbers that the page links to."""
        links = self._tree().xpath("//a[contains(@href, '/reports/SMDVS-')]/@href")
        return {number for link in links for number in re.findall(r"SMDVS-[0-9]{8}-[0-9]+", str(link))}

    def form(self, button: str, row: str | None = None) -> html.FormElement:
        """The form that has a button or field with this id, or with ``name=value``.

        ``row`` chooses among several such forms the one whose hidden field ``id`` has this value.
        """
        name, _, value = button.partition("=")
        condition = f"@name='{name}' and @value='{value}'" if value else f"@id='{name}' or @name='{name}'"
        for form in self._tree().forms:
            if form.xpath(f".//*[{condition}]") and row in (None, dict(form.form_values()).get("id")):
                return form
        message = f"no form with {button} on {self.url}: {self.text[:600]}"
        raise AssertionError(message)


@dataclass
class Person:
    """One person with one browser."""

    idp_url: str
    browser: requests.Session = field(default_factory=requests.Session)

    def open(self, url: str) -> Page:
        """Follow a link."""
        return Page(self.browser.get(urljoin(self.idp_url, url), timeout=TIMEOUT))

    def submit(
        self,
        page: Page,
        button: str,
        fields: Mapping[str, str] | None = None,
        *,
        files: Mapping[str, bytes] | None = None,
        row: str | None = None,
    ) -> Page:
        """Fill in the form with this button, its other values as they stand, and press it.

        ``row`` as in ``Page.form``.
        """
        form = page.form(button, row)
        name, _, value = button.partition("=")
        values = {key: text for key, text in form.form_values() if key} | dict(fields or {})
        if value:
            values[name] = value
        else:
            for pressed in form.xpath(f".//button[@id='{name}' and @name]"):
                values[pressed.get("name")] = pressed.get("value", "")
        sent = {key: (f"{key}.png", content, "image/png") for key, content in (files or {}).items()}
        for key in sent:
            values.pop(key, None)
        return Page(
            self.browser.post(
                urljoin(page.url, form.action or page.url), values, files=sent or None, timeout=TIMEOUT
            )
        )

    def code_sent_to(self, phone: str) -> str:
        """The newest code in the development outbox."""
        answer = self.browser.get(
            f"{self.idp_url}/dev/outbox", headers={"Accept": "application/json"}, timeout=TIMEOUT
        )
        return str(next(message["code"] for message in answer.json() if message["phone"] == phone))

    def register(self, login_name: str, phone: str, password: str) -> Page:
        """用户注册."""
        values = {
            "login_name": login_name,
            "password": password,
            "confirm_password": password,
            "email": f"{login_name}@example.com",
            "phone": phone,
            "agree": "y",
        }
        page = self.submit(self.open("/register"), "action=send_code", values)
        return self.submit(page, "action=register", values | {"sms_code": self.code_sent_to(phone)})

    def sign_in(self, page: Page, identifier: str, phone: str, password: str) -> Page:
        """用户登录 on the page given."""
        typed = {"identifier": identifier, "password": password}
        page = self.submit(page, "send-code", typed)
        return self.submit(page, "login-submit", typed | {"sms_code": self.code_sent_to(phone)})


def scan() -> bytes:
    """A picture that stands for a scanned document, different each time."""
    picture = Image.new("RGB", (640, 400), tuple(secrets.token_bytes(3)))
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()

"""A person at the pages: a cookie jar, the forms as they were served, and a phone."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from html import unescape
from typing import Any, Final

from flask import Flask
from PIL import Image
from sqlalchemy import update
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from idp.storage.accounts import Account
from idp.storage.database import transaction

PASSWORD: Final = "Demo#2026pass"
LEGAL: Final = {
    "subject_type": "legal_person",
    "organization_type": "limited_company",
    "enterprise_credit_code": "91990101MADEM0038Y",
    "enterprise_name": "演示汽车科技有限公司",
    "legal_person_type": "enterprise",
    "representative_name": "张示例",
    "representative_document_type": "id_card",
    "representative_document_number": "990101197812310016",
    "address": "示例市演示区样板路2号",
}
LI: Final = {
    "subject_type": "natural_person",
    "real_name": "李示例",
    "document_type": "id_card",
    "document_number": "990101199001010027",
    "address": "示例市演示区样板路3号",
    "valid_from": "2020-01-01",
    "permanent": "y",
}
APPLICATION: Final = {
    "enterprise_name": LEGAL["enterprise_name"],
    "enterprise_credit_code": LEGAL["enterprise_credit_code"],
    "matters": "nev-accident-report",
    "action": "apply",
}


def picture(kind: str = "PNG") -> io.BytesIO:
    """A small picture, as a scanner would make one."""
    content = io.BytesIO()
    Image.new("RGB", (60, 40), "#bbccdd").save(content, kind)
    return io.BytesIO(content.getvalue())


def problems(page: TestResponse) -> list[str]:
    """What the page says is wrong."""
    found = re.findall(r'class="(?:wrong|notice danger)"[^>]*>([^<]+)<', page.text)
    return [unescape(text).strip() for text in found]


def hidden(page: TestResponse, name: str) -> str:
    """The value of the page's first hidden field of that name; empty when there is none."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    return unescape(found.group(1)) if found else ""


class Visitor:
    """Somebody with a browser without JavaScript."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.http = app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.http.get(path, **options)

    def send(self, path: str, fields: Mapping[str, Any], *, page: str | None = None) -> TestResponse:
        """Open a page and send its form with these fields (``page`` if the form is on another)."""
        form = {"csrf_token": hidden(self.get(page or path), "csrf_token"), **fields}
        files = {name: FileStorage(*value) for name, value in form.items() if isinstance(value, tuple)}
        if not files:
            return self.http.post(path.partition("?")[0], data=form)
        boundary, body = encode_multipart(form | files)  # the client itself would leave open files behind
        media_type = f'multipart/form-data; boundary="{boundary}"'
        return self.http.post(path.partition("?")[0], data=body, content_type=media_type)

    def code(self, phone: str) -> str:
        """The code in the latest message to a phone."""
        messages = self.get("/dev/outbox", headers={"Accept": "application/json"}).get_json()
        sent = [str(message["code"]) for message in messages if message["phone"] == phone]
        assert sent, f"no code was sent to {phone}"
        return sent[0]

    def register(self, login_name: str, phone: str) -> TestResponse:
        """用户注册, the code included."""
        form = {
            "login_name": login_name,
            "password": PASSWORD,
            "confirm_password": PASSWORD,
            "email": f"{login_name}@example.test",
            "phone": phone,
            "agree": "y",
        }
        self.send("/register", form | {"action": "send_code"})
        return self.send("/register", form | {"action": "register", "sms_code": self.code(phone)})

    def sign_in(self, identifier: str, phone: str) -> TestResponse:
        """用户登录, the code included."""
        self.send("/login", {"action": "send_code", "identifier": identifier})
        form = {"action": "login", "identifier": identifier, "password": PASSWORD}
        return self.send("/login", form | {"sms_code": self.code(phone)})

    def verify(self, fields: Mapping[str, Any], **more: Any) -> TestResponse:
        """实名认证 with scans."""
        scans = {"document_scan": (picture(), "both sides.png")}
        if fields["subject_type"] == "legal_person":
            scans["licence_scan"] = (picture("JPEG"), "licence.jpg")
        page = f"/account/verification?subject_type={fields['subject_type']}"
        return self.send("/account/verification", {**fields, **scans, "action": "submit", **more}, page=page)

    def become_administrator(self, login_name: str) -> None:
        """What ``flask accounts grant`` does on the operator's side."""
        with self.app.app_context(), transaction() as session:
            session.execute(
                update(Account).where(Account.login_name == login_name).values(platform_role="administrator")
            )

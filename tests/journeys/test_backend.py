"""A maker's own back end reports in its handler's name: its token comes from a device that the handler has
approved, or by exchange of such a token; when the enterprise revokes the handler, its next call is refused.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from lxml import html

from tests.applications import Applications, serving
from tests.clients.documents import report_json
from tests.journeys.people import DEMO_PASSWORD, PHONES, TIMEOUT, Page, Person

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
REPORTING = "accident_report:submit accident_report:read"
SCOPE = f"openid enterprise handler {REPORTING}"
GOAL_SECONDS = 1.0
CALL_SECONDS = 0.5


@dataclass(frozen=True)
class BackEnd:
    """The maker's program: a confidential client of the platform, and a caller of smdvs."""

    running: Applications
    client_id: str
    secret: str

    @classmethod
    def registered(cls, running: Applications) -> BackEnd:
        client = running.register(
            {
                "client_name": "示例车企事故管理系统",
                "grant_types": [DEVICE_CODE, TOKEN_EXCHANGE],
                "scope": SCOPE,
                "matters": ["nev-accident-report"],
                "require_enterprise": True,
            }
        )
        return cls(running, client["client_id"], client["client_secret"])

    def ask(self, path: str, form: dict[str, str]) -> requests.Response:
        url = self.running.idp_url + path
        return requests.post(url, form, auth=(self.client_id, self.secret), timeout=TIMEOUT)

    def token_by_device(self, handler: Person) -> str:
        """RFC 8628: the handler types the code that the program shows, and agrees."""
        started = self.ask("/oauth/device_authorization", {"scope": SCOPE}).json()
        page = handler.submit(handler.open("/device"), "user_code", {"user_code": started["user_code"]})
        page = handler.sign_in(page, "demo_handler", PHONES["handler"], DEMO_PASSWORD)
        assert started["user_code"] in page.text, page.text
        handler.submit(page, "decision=allow")
        form = {"grant_type": DEVICE_CODE, "device_code": started["device_code"]}
        return self._token(self.ask("/oauth/token", form))

    def exchanged(self, token: str) -> str:
        """RFC 8693: for the scopes of reporting alone."""
        form = {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
        scope = f"enterprise handler {REPORTING}"
        return self._token(self.ask("/oauth/token", form | {"scope": scope}))

    def _token(self, answer: requests.Response) -> str:
        assert answer.ok, answer.text
        return str(answer.json()["access_token"])

    def post(self, token: str, path: str, body: Any, seen: str | None = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(8)}
        headers |= {"If-Match": seen} if seen else {}
        return requests.post(self._api(path), json=body, headers=headers, timeout=TIMEOUT)

    def get(self, token: str, path: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(self._api(path), headers=headers, timeout=TIMEOUT)

    def _api(self, path: str) -> str:
        return f"{self.running.smdvs_url}/smdvs/api/v1/reports{path}"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Applications]:
    with serving(tmp_path, {"IDP_THROTTLE": "off", "IDP_CAPTCHA": "off"}) as applications:
        yield applications


def test_a_back_end_reports_until_its_handler_is_revoked(
    running: Applications, capsys: pytest.CaptureFixture[str]
) -> None:
    back_end = BackEnd.registered(running)
    by_device = back_end.token_by_device(Person(running.idp_url))
    by_exchange = back_end.exchanged(by_device)
    numbers = [report_and_supplement(back_end, token) for token in (by_device, by_exchange)]
    listed = back_end.get(by_exchange, "").json()["reports"]
    assert [report["report_no"] for report in listed] == numbers[::-1]

    legal = Person(running.idp_url)
    legal.sign_in(legal.open("/login"), "demo_legal", PHONES["legal"], DEMO_PASSWORD)
    handlers = legal.open("/enterprise/handlers")
    clicked_at = time.perf_counter()
    legal.submit(handlers, "decision=revoke", row=_row_of_demo_handler(handlers))
    seconds = {
        "submission, device token": first_refusal(back_end, by_device, clicked_at),
        "submission, exchanged token": first_refusal(back_end, by_exchange, clicked_at),
        "reading": first_refused_reading(back_end, by_exchange, clicked_at),
    }
    with capsys.disabled():
        shown = ", ".join(f"{name} {each * 1000:.0f} ms" for name, each in seconds.items())
        print(f"\nfrom the click on 撤销 to the back end's first refusal: {shown}")
    # Submissions are asked about each time, readings may rest on an answer of the last second.
    assert max(list(seconds.values())[:2]) < GOAL_SECONDS
    assert seconds["reading"] < GOAL_SECONDS + CALL_SECONDS


def report_and_supplement(back_end: BackEnd, token: str) -> str:
    """Submit, read, supplement what was read, read again; returns the number."""
    created = back_end.post(token, "", report_json())
    assert created.status_code == 201, created.text
    number = str(created.json()["report_no"])
    read = back_end.get(token, f"/{number}")
    assert read.headers["ETag"] == created.headers["ETag"]
    more = {"kind": "supplement", "report": report_json(narrative="明火已扑灭，车辆已拖离现场。")}
    supplemented = back_end.post(token, f"/{number}/versions", more, read.headers["ETag"])
    assert supplemented.status_code == 201, supplemented.text
    whole = back_end.get(token, f"/{number}").json()
    assert (whole["status"], whole["chain_intact"]) == ("supplemented", True)
    assert {entry["client_id"] for entry in whole["history"]} == {back_end.client_id}
    assert all(entry["handler_authorization_id"] for entry in whole["history"])
    return number


def first_refusal(back_end: BackEnd, token: str, clicked_at: float) -> float:
    """Seconds from the click until a submission is refused for the right reason."""
    while time.perf_counter() - clicked_at < TIMEOUT:
        refused = back_end.post(token, "", report_json())
        if refused.status_code != 201:
            assert refused.status_code == 401, refused.text
            assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
            return time.perf_counter() - clicked_at
    raise AssertionError("nobody refuses")


def first_refused_reading(back_end: BackEnd, token: str, clicked_at: float) -> float:
    """The same for reading the list."""
    while time.perf_counter() - clicked_at < TIMEOUT:
        if back_end.get(token, "").status_code == 401:
            return time.perf_counter() - clicked_at
    raise AssertionError("nobody refuses")


def _row_of_demo_handler(page: Page) -> str:
    found = html.fromstring(page.response.text).xpath(
        "//li[.//strong='demo_handler']//form[.//button[@value='revoke']]/input[@name='id']/@value"
    )
    assert isinstance(found, list)
    (row,) = found
    return str(row)

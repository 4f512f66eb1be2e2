from __future__ import annotations

from datetime import timedelta

import pytest

from idp import clock
from tests.web.conftest import MakeApp
from tests.web.visitor import LI, Visitor, problems

DOWNLOAD = {"action": "download"}


def test_the_page_masks_and_the_file_tells_all(person: Visitor) -> None:
    page = person.get("/account/export").text
    assert LI["document_number"] not in page
    assert all(text in page for text in ("操作记录", "常用设备", "199****1002"))
    answer = person.send("/account/export", DOWNLOAD)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="my-data-')
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_json()["account"]["document_number"] == LI["document_number"]


def test_it_needs_both_factors_of_the_last_ten_minutes(
    person: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = clock.now() + timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert person.send("/account/export", DOWNLOAD).location == "/account/confirm?next=/account/export"


def test_it_is_not_read_by_a_forged_form_or_another_action(person: Visitor) -> None:
    assert person.http.post("/account/export", data=DOWNLOAD).status_code == 400
    assert person.send("/account/export", {"action": "other"}).location == "/account/export"


def test_beyond_the_limit_it_is_said_when_to_come_back(make_app: MakeApp) -> None:
    person = Visitor(make_app(captcha="off"))
    person.register("li_shili", "19900001002")
    for _ in range(5):
        assert person.send("/account/export", DOWNLOAD).status_code == 200
    refused = person.send("/account/export", DOWNLOAD)
    assert (refused.status_code, problems(refused)) == (429, ["今日导出次数已达上限，请明日再试"])
    assert int(refused.headers["Retry-After"]) > 80_000

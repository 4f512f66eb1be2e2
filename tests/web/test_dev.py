from __future__ import annotations

from tests.web.conftest import MakeApp
from tests.web.visitor import Visitor


def test_the_outbox_lists_codes_as_json_newest_first(applicant: Visitor) -> None:
    messages = applicant.get("/dev/outbox", headers={"Accept": "application/json"}).get_json()
    assert all(set(message) == {"phone", "purpose", "code", "sent_at"} for message in messages)
    assert all(message["code"].isdigit() for message in messages)
    assert [message["phone"] for message in messages] == ["19900001002", "19900001001"]


def test_the_page_shows_notices_too(applicant: Visitor) -> None:
    page = applicant.get("/dev/outbox", headers={"Accept": "text/html"})
    assert "申请成为" in page.text
    assert "验证码" in page.text


def test_in_production_there_is_no_outbox(make_app: MakeApp) -> None:
    visitor = Visitor(make_app(env="production"))
    for accepted in ("text/html", "application/json"):
        assert visitor.get("/dev/outbox", headers={"Accept": accepted}).status_code == 404

from __future__ import annotations

from typing import Any, cast

import pytest
from flask import Flask

from idp.domain.audit import Origin
from idp.services import clients, outbox
from idp.services.platform import Platform
from idp.storage import outbox as rows
from idp.storage.database import reading, transaction
from idp.web.messages.faults import fault_text
from tests.web.visitor import Visitor, hidden

PHONE = "19900007788"
PATH = "/admin/deliveries"


@pytest.fixture
def platform(app: Flask) -> Platform:
    """The platform behind the pages, with a client."""
    platform = cast("Platform", app.extensions["idp"])
    metadata = {
        "client_id": "reports",
        "client_name": "<示例>应用",
        "redirect_uris": ["https://c.example/cb"],
    }
    with app.app_context():
        clients.register(platform, metadata, Origin("", "", ""))
    return platform


def write(administrator: Visitor, platform: Platform, kind: str, **columns: Any) -> int:
    """A message that has failed; its id."""
    values = {"attempts": 3, "next_attempt_at": None, "delivered_at": None, "last_error": "answered 503"}
    with administrator.app.app_context(), transaction() as session:
        if kind == "sms":
            outbox.enqueue_sms(session, platform, PHONE, "login", "验证码654321", code="654321")
        else:
            outbox.enqueue_logout_token(session, platform, "reports", "https://c.example/out", {"sid": "s"})
        message = session.scalar(
            rows.table.select().with_only_columns(rows.table.c.id).order_by(rows.table.c.id.desc())
        )
        change = rows.table.update().where(rows.table.c.id == message)
        session.execute(change.values(**values | {"kind": kind} | columns))
    return int(message or 0)


def remaining(administrator: Visitor) -> dict[int, Any]:
    with administrator.app.app_context(), reading() as session:
        return {row.id: row.next_attempt_at for row in session.execute(rows.table.select())}


def test_nothing_undelivered_says_so(administrator: Visitor) -> None:
    assert "没有未送达的通知" in administrator.get(PATH).text
    assert "通知均已送达" in administrator.get("/admin").text


def test_the_page_says_in_words_what_could_not_be_delivered(
    administrator: Visitor, platform: Platform
) -> None:
    write(administrator, platform, "backchannel_logout")
    page = administrator.get(PATH).text
    for words in (
        "退出通知",
        "已停止重试",
        "&lt;示例&gt;应用",
        "reports",
        "对方返回错误（HTTP 503）",
        "3 次",
    ):
        assert words in page
    assert "1 条通知没有送达" in administrator.get("/admin").text


def test_neither_phone_nor_code_nor_text_is_shown(administrator: Visitor, platform: Platform) -> None:
    write(administrator, platform, "sms", last_error="timeout sms.example")
    page = administrator.get(PATH).text
    for words in ("短信", "199****7788", "用户登录", "对方在限定时间内没有应答"):
        assert words in page
    assert PHONE not in page
    assert "654321" not in page


def test_a_kind_without_words_is_shown_by_its_code(administrator: Visitor, platform: Platform) -> None:
    write(administrator, platform, "carrier_pigeon")
    assert "carrier_pigeon" in administrator.get(PATH).text


def test_a_message_is_tried_again_and_stays_until_it_is_delivered(
    administrator: Visitor, platform: Platform
) -> None:
    message = write(administrator, platform, "backchannel_logout")
    answer = administrator.send(PATH, {"message": message, "action": "retry"})
    assert answer.status_code == 303
    page = administrator.get(answer.location).text
    assert "已安排重新投递" in page
    assert "重试中" in page
    assert remaining(administrator)[message] is not None
    assert "重新投递通知" in administrator.get("/admin/audit?area=delivery").text


def test_a_message_is_given_up_for_good(administrator: Visitor, platform: Platform) -> None:
    kept = write(administrator, platform, "sms")
    message = write(administrator, platform, "backchannel_logout")
    answer = administrator.send(PATH, {"message": message, "action": "discard"})
    assert "已放弃该通知" in administrator.get(answer.location).text
    assert kept in remaining(administrator)
    assert message not in remaining(administrator)
    assert "放弃通知" in administrator.get("/admin/audit?area=delivery").text


@pytest.mark.parametrize(
    "message", ["", "0", "-1", "x", "1e3", "٣", "2147483647", "2147483648", "9" * 40, "999999"]
)
def test_a_made_up_message_is_nothing(administrator: Visitor, platform: Platform, message: str) -> None:
    write(administrator, platform, "backchannel_logout")
    before = remaining(administrator)
    answer = administrator.send(PATH, {"message": message, "action": "discard"})
    assert answer.status_code == 303
    assert "已送达或已被放弃" in administrator.get(answer.location).text
    assert remaining(administrator) == before


def test_without_the_value_of_the_page_nothing_is_done(administrator: Visitor, platform: Platform) -> None:
    message = write(administrator, platform, "backchannel_logout")
    fields = {"message": message, "action": "discard", "csrf_token": "forged"}
    assert administrator.http.post(PATH, data=fields).status_code == 400
    assert message in remaining(administrator)


def test_others_can_neither_look_nor_act(administrator: Visitor, person: Visitor, platform: Platform) -> None:
    message = write(administrator, platform, "backchannel_logout")
    assert person.get(PATH).status_code == 403
    fields = {"message": message, "action": "discard"}
    assert person.send(PATH, fields, page="/account").status_code == 403
    assert message in remaining(administrator)


def test_pages_turn(administrator: Visitor, platform: Platform) -> None:
    for _ in range(51):
        write(administrator, platform, "backchannel_logout")
    first = administrator.get(PATH)
    assert first.text.count('name="message"') == 50
    assert 'rel="next"' in first.text
    before = len(remaining(administrator))
    second = administrator.get(PATH + "?page=2")
    assert second.text.count('name="message"') == 1
    answer = administrator.send(PATH + "?page=2", {"message": hidden(second, "message"), "action": "discard"})
    assert answer.status_code == 303
    assert len(remaining(administrator)) == before - 1


@pytest.mark.parametrize(
    ("last_error", "words"),
    [
        (None, "投递中断，没有结果"),
        ("answered 404", "对方返回错误（HTTP 404）"),
        ("refused invalid_request", "对方拒绝接受（invalid_request）"),
        ("refused unspecified", "对方拒绝接受"),
        ("name_unknown c.example", "域名无法解析"),
        ("tls_failed c.example", "对方的 https 证书有问题"),
        ("unreadable", "通知内容无法解密"),
        ("kind_unknown signal", "当前版本不认识这种通知"),
        ("something new", "投递时出现问题"),
        ("", "投递时出现问题"),
    ],
)
def test_a_failure_is_told_in_words(last_error: str | None, words: str) -> None:
    assert fault_text(last_error) == words

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from idp.domain.audit import internal_origin
from idp.domain.errors import Refusal
from idp.services import client_registration, clients
from idp.web.messages.answers import ANSWERS, CHAPTERS, PHONES
from idp.web.messages.blocks import BLOCKS, HOT_TERMS
from idp.web.messages.bulletins import BULLETINS
from tests.web.test_health import lose_store
from tests.web.visitor import Visitor

ORIGIN = internal_origin("test")
SMDVS = {
    "client_id": "smdvs",
    "client_name": "新能源汽车事故上报平台",
    "client_uri": "https://smdvs.example.test/smdvs/",
    "redirect_uris": ["https://smdvs.example.test/smdvs/callback"],
    "scope": "openid enterprise handler",
    "matters": ["nev-accident-report"],
}
SEED_BLOCKS = [
    "行政许可",
    "申报服务",
    "备案服务",
    "政策文件",
    "通知公告",
    "一图读懂",
    "查询",
    "在线帮助",
    "运行情况",
    "投诉与建议",
    "政务服务大厅线上预约",
]


def register_client(app: Flask, **changes: Any) -> None:
    platform = app.extensions["idp"]
    with app.app_context():
        assert not isinstance(clients.register(platform, SMDVS | changes, ORIGIN), Refusal)


def test_the_home_page_has_every_block_of_the_document(visitor: Visitor) -> None:
    page = visitor.get("/").text
    for text in ("全国一体化在线政务服务平台", "工业和信息化部政务服务平台", "注册", "登录", "无障碍"):
        assert text in page
    for text in ("请输入您要的办件进度编码、服务名称", *HOT_TERMS, *SEED_BLOCKS):
        assert text in page
    assert [block.name for block in BLOCKS] == SEED_BLOCKS


def test_every_block_leads_to_a_page(visitor: Visitor) -> None:
    with visitor.app.test_request_context():
        from idp.web.search import block_address

        addresses = [block_address(block) for block in BLOCKS]
    assert len(set(addresses)) == len(BLOCKS)
    for address in addresses:
        assert visitor.get(address).status_code == 200


@pytest.mark.parametrize(
    "code", ["permits", "declarations", "filings", "policies", "complaints", "appointments"]
)
def test_what_is_not_done_here_says_so_and_whom_to_call(visitor: Visitor, code: str) -> None:
    page = visitor.get(f"/services/{code}").text
    assert "怎样办理" in page
    assert "12381" in page


@pytest.mark.parametrize("path", ["/services/help", "/services/nothing", "/notices/nothing"])
def test_no_other_page_is_made_up(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_notices_are_listed_and_read(visitor: Visitor) -> None:
    assert list(BULLETINS) == sorted(BULLETINS, key=lambda bulletin: bulletin.day, reverse=True)
    listed = visitor.get("/notices").text
    for bulletin in BULLETINS:
        assert bulletin.title in listed
        assert bulletin.text[0] in visitor.get(f"/notices/{bulletin.code}").text


def test_the_state_is_the_real_one(visitor: Visitor) -> None:
    page = visitor.get("/status")
    assert (page.status_code, "全部正常" in page.text) == (200, True)
    lose_store(visitor.app)
    page = visitor.get("/status")
    assert (page.status_code, "部分服务异常" in page.text) == (503, True)
    assert "010-68200295" in page.text


def test_each_answer_has_an_anchor_and_leads_to_the_page_where_it_is_done(visitor: Visitor) -> None:
    page = visitor.get("/help").text
    for chapter in CHAPTERS:
        assert f'id="{chapter.code}"' in page
    for answer in ANSWERS:
        assert f'id="{answer.code}"' in page
        assert answer.question in page
    for phone, _ in PHONES:
        assert phone in page
    assert 'href="/account/handler-applications"' in page
    codes = [answer.code for answer in ANSWERS] + [chapter.code for chapter in CHAPTERS]
    assert len(codes) == len(set(codes))


def test_every_page_that_an_answer_leads_to_is_there(visitor: Visitor) -> None:
    with visitor.app.test_request_context():
        from idp.web.search import page_at

        assert [answer.code for answer in ANSWERS if page_at(answer.path) is None] == []
        assert page_at("/no-such-page") is None


@pytest.mark.parametrize(
    ("query", "anchor"),
    [
        ("忘记密码", "password"),
        ("收不到验证码", "sms"),
        ("手机丢了", "phone"),
        ("认证失败", "manual"),
        ("撤销授权", "revoke"),
        ("切换企业", "switch"),
        ("应该用哪个账号", "which-account"),
    ],
)
def test_help_is_searched(visitor: Visitor, query: str, anchor: str) -> None:
    page = visitor.get("/help", query_string={"q": query}).text
    first = page.partition('class="answer" id="')[2].partition('"')[0]
    assert first == anchor


def test_help_says_when_it_does_not_know(visitor: Visitor) -> None:
    page = visitor.get("/help?q=烟花爆竹").text
    assert "帮助中没有找到" in page
    assert 'class="answer"' not in page


@pytest.mark.parametrize("path", ["/help", "/search"])
def test_what_is_searched_for_comes_back_escaped(visitor: Visitor, path: str) -> None:
    page = visitor.get(path, query_string={"q": '"><script>alert(1)</script>' + "长" * 500})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "长" * 64 not in page.text


@pytest.mark.parametrize("term", HOT_TERMS)
def test_hot_terms_lead_to_what_this_platform_says_of_them(visitor: Visitor, term: str) -> None:
    page = visitor.get("/search", query_string={"q": term}).text
    assert 'href="/services/permits"' in page


def test_services_of_the_register_are_found(visitor: Visitor) -> None:
    register_client(visitor.app)
    page = visitor.get("/search?q=事故上报").text
    assert 'href="https://smdvs.example.test/smdvs/"' in page
    assert "新能源汽车事故上报平台" in visitor.get("/").text


def test_a_name_that_a_client_gave_itself_or_a_disabled_one_is_not_shown(visitor: Visitor) -> None:
    app = visitor.app
    platform = replace(
        app.extensions["idp"], settings=replace(app.extensions["idp"].settings, registration="open")
    )
    with app.app_context():
        raw = {key: value for key, value in SMDVS.items() if key not in {"client_id", "matters", "scope"}}
        outcome = client_registration.register(platform, raw, "", ORIGIN)
        assert not isinstance(outcome, Refusal)
    register_client(app, client_id="off", client_name="已停用的系统")
    with app.app_context():
        clients.disable(platform, "off", ORIGIN)
    assert "smdvs.example.test" not in visitor.get("/search?q=新能源汽车事故上报平台").text
    assert "smdvs.example.test" not in visitor.get("/").text
    assert "已停用的系统" not in visitor.get("/").text


def test_nothing_found_is_said_plainly(visitor: Visitor) -> None:
    page = visitor.get("/search?q=烟花爆竹许可证").text
    assert "没有找到" in page
    assert "12381" in page
    assert "没有找到" not in visitor.get("/search").text


def test_progress_is_shown_to_its_own_person_only(
    applicant: Visitor, owner: Visitor, visitor: Visitor
) -> None:
    page = applicant.get("/progress").text
    code = page.partition("JB")[2][:10]
    assert "待审核" in page
    found = applicant.get(f"/search?q=jb {code}").text
    assert "演示汽车科技有限公司" in found
    assert "待审核" in found
    assert "没有编码" in owner.get(f"/search?q=JB{code}").text
    assert "请登录后查询" in visitor.get(f"/search?q=JB{code}").text
    assert code not in visitor.get("/progress").text


def test_a_number_of_a_report_is_sent_where_reports_are(visitor: Visitor) -> None:
    assert "这是事故报告的编号" in visitor.get("/search?q=SMDVS-20261125-0001").text

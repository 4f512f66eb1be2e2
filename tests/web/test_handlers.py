from __future__ import annotations

import re

from flask import Flask

from tests.web.visitor import APPLICATION, LEGAL, Visitor, hidden, problems


def decide(owner: Visitor, decision: str) -> None:
    page = owner.get("/enterprise/handlers")
    answer = owner.send("/enterprise/handlers", {"id": hidden(page, "id"), "decision": decision})
    assert answer.status_code == 303


def test_an_application_shows_the_enterprise_whom_it_is_from(applicant: Visitor, owner: Visitor) -> None:
    page = owner.get("/enterprise/handlers").text
    for fact in ("li_shili", "李示例", "********0027", "待审核", "张示例", "新能源汽车事故上报"):
        assert fact in page
    assert "990101199001010027" not in page
    assert LEGAL["representative_document_number"] not in page


def test_approval_and_revocation_take_one_click_each(applicant: Visitor, owner: Visitor) -> None:
    decide(owner, "approve")
    page = owner.get("/enterprise/handlers").text
    assert "已同意 li_shili" in page
    assert "已通过" in page
    assert "已通过" in applicant.get("/account/handler-applications").text
    decide(owner, "revoke")
    assert "立即生效" in owner.get("/enterprise/handlers").text
    assert "已撤销" in applicant.get("/account/handler-applications").text
    assert "可代表的企业" not in applicant.get("/account").text


def test_a_refused_application_can_be_made_again(applicant: Visitor, owner: Visitor) -> None:
    decide(owner, "refuse")
    assert "已拒绝" in applicant.get("/account/handler-applications").text
    assert applicant.send("/account/handler-applications", APPLICATION).status_code == 303


def test_name_and_code_must_both_match(owner: Visitor, person: Visitor) -> None:
    page = person.send("/account/handler-applications", APPLICATION | {"enterprise_name": "别的公司"})
    assert page.status_code == 422
    assert problems(page)[0].startswith("没有找到名称与代码都相符的企业")
    assert 'value="别的公司"' in page.text


def test_an_application_can_be_withdrawn(applicant: Visitor) -> None:
    form = applicant.get("/account/handler-applications")
    row = hidden(form, "id")
    applicant.send("/account/handler-applications", {"id": row, "action": "withdraw"})
    assert "已撤回" in applicant.get("/account/handler-applications").text


def test_a_stale_or_foreign_row_is_told_and_changes_nothing(applicant: Visitor, owner: Visitor) -> None:
    for row in ("", "x" * 22, "x" * 5000):
        assert owner.send("/enterprise/handlers", {"id": row, "decision": "approve"}).status_code == 303
        assert "没有找到这条记录" in owner.get("/enterprise/handlers").text
    row = hidden(owner.get("/enterprise/handlers"), "id")
    owner.send("/enterprise/handlers", {"id": row, "decision": "explode"})
    assert "待审核" in owner.get("/enterprise/handlers").text


def test_only_the_legal_person_decides(applicant: Visitor, owner: Visitor) -> None:
    row = hidden(owner.get("/enterprise/handlers"), "id")
    answer = applicant.send("/enterprise/handlers", {"id": row, "decision": "approve"}, page="/account")
    assert answer.status_code == 403
    assert "待审核" in applicant.get("/account/handler-applications").text


def test_the_default_enterprise_is_one_the_person_can_act_for(applicant: Visitor, owner: Visitor) -> None:
    decide(owner, "approve")
    code = LEGAL["enterprise_credit_code"]
    assert applicant.send("/account/enterprise", {"enterprise": code}).status_code == 303
    page = applicant.get("/account/enterprise").text
    assert re.search(rf'value="{code}" checked', page)
    page = applicant.send("/account/enterprise", {"enterprise": "91990101MADEM00117"}).text
    assert "您目前不能代表所选企业" in page
    assert applicant.send("/account/enterprise", {"enterprise": ""}).status_code == 303
    assert re.search(r'value="" checked', applicant.get("/account/enterprise").text)


def test_who_is_not_verified_is_shown_the_way(app: Flask) -> None:
    visitor = Visitor(app)
    visitor.register("newcomer", "19900001005")
    assert "去实名认证" in visitor.get("/account/handler-applications").text
    page = visitor.send("/account/handler-applications", APPLICATION, page="/account")
    assert page.status_code == 422

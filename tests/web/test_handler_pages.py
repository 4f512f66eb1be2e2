from __future__ import annotations

import re
from datetime import timedelta

from idp import clock
from idp.services import enterprise_status
from tests.people import ORIGIN
from tests.web.visitor import LEGAL, Visitor, hidden, picture, problems


def first(owner: Visitor) -> str:
    """The page of the first authorisation in the list."""
    return f"/enterprise/handlers/{hidden(owner.get('/enterprise/handlers'), 'id')}"


def test_an_application_is_approved_on_other_terms(applicant: Visitor, owner: Visitor) -> None:
    page = first(owner)
    assert 'value="nev-accident-report" id="matters-nev-accident-report" checked' in owner.get(page).text
    fields = {"terms": "1", "matters": "vehicle-product-access", "valid_until": "2027-01-31"}
    assert owner.send(page, fields | {"decision": "approve"}).status_code == 303
    shown = applicant.get("/account/handler-applications").text
    assert "道路机动车辆产品准入" in shown
    assert "2027-01-31" in shown


def test_without_a_box_ticked_nothing_is_given(applicant: Visitor, owner: Visitor) -> None:
    page = first(owner)
    answer = owner.send(page, {"terms": "1", "valid_until": "2020-01-01", "decision": "approve"})
    assert answer.status_code == 422
    assert problems(answer) == ["请至少选择一个事项", "日期应为今日或以后"]
    assert "待审核" in owner.get(page).text


def test_a_change_and_a_revocation_with_their_reason_stand_in_the_history_of_both_sides(
    applicant: Visitor, owner: Visitor
) -> None:
    page = first(owner)
    owner.send(page, {"decision": "approve"})
    assert (
        owner.send(
            page,
            {
                "terms": "1",
                "matters": "nev-accident-report",
                "valid_until": "2027-05-01",
                "decision": "change",
            },
        ).status_code
        == 303
    )
    answer = owner.send(page, {"decision": "revoke", "reason_code": "other", "reason": ""})
    assert answer.status_code == 422
    assert problems(answer) == ["请填写原因，申请人会看到"]
    owner.send(page, {"decision": "revoke", "reason_code": "left_enterprise", "reason": "十一月"})
    theirs = applicant.get(page.replace("/enterprise/handlers", "/account/handler-applications")).text
    for text in (owner.get(page).text, theirs):
        steps = re.findall(r"<li>\s*<strong>([^<]+)</strong>", text)
        assert steps == ["提交申请", "同意授权", "变更事项或有效期", "撤销授权"]
        assert "已离职或调岗：十一月" in text
        assert "yanshi_car" in text


def test_a_page_of_somebody_else_is_not_there(
    applicant: Visitor, owner: Visitor, administrator: Visitor
) -> None:
    page = first(owner)
    theirs = page.replace("/enterprise/handlers", "/account/handler-applications")
    assert administrator.get(theirs).status_code == 404
    assert administrator.get(page).status_code == 403
    assert applicant.get(page).status_code == 403
    assert owner.get(theirs).status_code == 404
    assert owner.get("/enterprise/handlers/" + "x" * 22).status_code == 404


def test_the_list_can_be_narrowed_to_a_state_and_a_login_name(applicant: Visitor, owner: Visitor) -> None:
    assert "li_shili" in owner.get("/enterprise/handlers?show=pending&q=LI_").text
    assert "没有符合条件的记录" in owner.get("/enterprise/handlers?show=pending&q=wang").text
    assert "li_shili" not in owner.get("/enterprise/handlers?show=approved").text
    assert owner.get("/enterprise/handlers?show=nonsense&page=-1").status_code == 200


def test_a_renewal_is_asked_for_and_agreed_to(applicant: Visitor, owner: Visitor) -> None:
    page = first(owner)
    theirs = page.replace("/enterprise/handlers", "/account/handler-applications")
    owner.send(page, {"decision": "approve"})
    assert "申请续期" not in applicant.get(theirs).text
    soon = (clock.now() + timedelta(days=10)).date().isoformat()
    later = (clock.now() + timedelta(days=300)).date().isoformat()
    owner.send(
        page, {"terms": "1", "matters": "nev-accident-report", "valid_until": soon, "decision": "change"}
    )
    assert "即将到期" in applicant.get("/account/handler-applications").text
    form = {"action": "renew", "matters": "nev-accident-report", "valid_until": soon}
    assert problems(applicant.send(theirs, form)) == ["续期后的日期应晚于现在的有效期"]
    assert applicant.send(theirs, form | {"valid_until": later}).status_code == 303
    assert applicant.send(theirs, {"action": "withdraw_renewal"}).status_code == 303
    assert applicant.send(theirs, form | {"valid_until": later}).status_code == 303
    assert "续期申请待审核" in owner.get("/enterprise/handlers").text
    fields = {"id": page.rpartition("/")[2], "renewal": "1", "decision": "approve"}
    assert owner.send("/enterprise/handlers", fields).status_code == 303
    assert "授权不间断" in owner.get("/enterprise/handlers").text
    assert later in applicant.get(theirs).text


def test_a_review_confirms_those_ticked_and_revokes_the_others(applicant: Visitor, owner: Visitor) -> None:
    page = first(owner)
    owner.send(page, {"decision": "approve"})
    review = "/enterprise/handlers/review"
    with owner.app.app_context():
        platform = owner.app.extensions["idp"]
        assert (
            enterprise_status.representative_changed(platform, LEGAL["enterprise_credit_code"], ORIGIN)
            is None
        )
    assert owner.get(review).status_code == 303
    owner.sign_in("yanshi_car", "19900001001")
    assert "1 名经办人待复核" in owner.get("/enterprise/handlers").text
    shown = owner.get(review).text
    assert "企业法定代表人变更" in shown
    assert "没有使用记录" in shown
    assert owner.send(review, {"decision": "confirm"}).status_code == 303
    assert "请至少选择一名经办人" in owner.get(review).text
    assert "已暂停" in applicant.get("/account/handler-applications").text
    chosen = page.rpartition("/")[2]
    owner.send(review, {"handlers": chosen, "decision": "confirm"})
    assert "已确认 1 名经办人" in owner.get(review).text
    assert "已通过" in applicant.get("/account/handler-applications").text
    owner.send(review, {"revoke": chosen})
    assert "没有需要复核的经办人" in owner.get(review).text
    owner.send(review, {"revoke": chosen})
    assert "已不在有效状态" in owner.get(review).text
    assert applicant.get(review).status_code == 403


def test_an_invitation_is_sent_seen_and_accepted(person: Visitor, owner: Visitor) -> None:
    page, own = "/enterprise/handlers/invitations", "/account/handler-applications"
    fields = {"action": "invite", "phone": "1", "real_name": "李示例", "matters": "nev-accident-report"}
    answer = owner.send(page, fields)
    assert answer.status_code == 422
    assert problems(answer) == ["请输入 11 位中国大陆手机号"]
    assert owner.send(page, fields | {"phone": "19900001002"}).status_code == 303
    shown = owner.get(page).text
    assert "待确认" in shown
    assert "199****1002" in shown
    assert "演示汽车科技有限公司" in person.get(own).text
    row = hidden(person.get(own), "id")
    assert person.send(own, {"id": row, "action": "accept"}).status_code == 303
    shown = person.get(own).text
    assert "您已接受邀请" in shown
    assert "已通过" in shown
    assert "企业邀请" in person.get(f"{own}/{hidden(person.get(own), 'id')}").text
    owner.send(page, {"id": row, "action": "cancel"})
    assert "已处理过或已过期" in owner.get(page).text


def test_an_invitation_is_declined_or_taken_back(person: Visitor, owner: Visitor) -> None:
    page, own = "/enterprise/handlers/invitations", "/account/handler-applications"
    fields = {
        "action": "invite",
        "phone": "19900001002",
        "real_name": "李示例",
        "matters": "nev-accident-report",
    }
    owner.send(page, fields)
    person.send(own, {"id": hidden(person.get(own), "id"), "action": "decline"})
    assert "已谢绝" in owner.get(page).text
    owner.send(page, fields)
    owner.send(page, {"id": hidden(owner.get(page), "id"), "action": "cancel"})
    assert "已撤回邀请" in owner.get(page).text
    person.send(own, {"id": "x", "action": "accept"})
    assert "没有找到这条记录" in person.get(own).text


def test_the_platform_decides_where_the_enterprise_can_not(
    applicant: Visitor, owner: Visitor, administrator: Visitor
) -> None:
    own = first(owner).replace("/enterprise/handlers", "/account/handler-applications")
    assert "申请平台代审" in applicant.get(own).text
    page = f"{own}/escalation"
    answer = applicant.send(page, {"action": "submit"})
    assert answer.status_code == 422
    assert "请选择证明材料扫描件" in problems(answer)
    fields = {"ground": "phone_lost", "explanation": "手机号已停用", "action": "submit"}
    scan = {"evidence_scan": (picture(), "letter.png")}
    assert applicant.send(page, fields | scan).status_code == 303
    assert "待审核" in applicant.get(page).text
    assert applicant.send(page, {"action": "withdraw"}).status_code == 303
    scan = {"evidence_scan": (picture(), "letter.png")}
    assert applicant.send(page, fields | scan).status_code == 303

    queue = administrator.get("/admin/reviews/handlers").text
    assert "企业法人账号绑定的手机号无法使用" in queue
    review = re.search(r"/admin/reviews/handlers/[\w-]{22}", queue)
    assert review is not None
    shown = administrator.get(review.group()).text
    assert "yanshi_car" in shown
    evidence = re.search(r"/account/handler-applications/evidence/[\w-]{22}", shown)
    assert evidence is not None
    assert administrator.get(evidence.group()).mimetype == "image/png"
    assert owner.get(evidence.group()).status_code == 404
    answer = administrator.send(review.group(), {"decision": "approve", "reason": ""})
    assert problems(answer) == ["请填写原因，申请人会看到"]
    fields = {"decision": "approve", "reason": "已核对授权书"}
    assert administrator.send(review.group(), fields).status_code == 303
    assert "已通过" in applicant.get("/account/handler-applications").text
    assert "平台代审" in owner.get(first(owner)).text
    assert administrator.get("/admin/reviews/handlers/" + "x" * 22).status_code == 404


def test_a_representative_that_the_registers_do_not_know_is_told(owner: Visitor) -> None:
    fields = {
        "representative_name": "孙示例",
        "representative_document_type": "id_card",
        "representative_document_number": "990101198506150012",
    }
    answer = owner.send("/enterprise/representative", fields)
    assert answer.status_code == 422
    assert "请致电 12381 由平台登记" in problems(answer)[0]
    answer = owner.send("/enterprise/representative", fields | {"representative_name": ""})
    assert problems(answer) == ["请输入法定代表人姓名"]


def test_an_administrator_closes_an_enterprise_and_opens_it_again(
    applicant: Visitor, owner: Visitor, administrator: Visitor
) -> None:
    owner.send(first(owner), {"decision": "approve"})
    listed = administrator.get("/admin/accounts?q=yanshi_car").text
    found = re.search(r"/admin/accounts/[\w-]{22}", listed)
    assert found is not None
    page, own = found.group(), "/account/handler-applications"
    assert administrator.send(f"{page}/enterprise", {"action": "close"}, page=page).status_code == 303
    assert "已停用" in administrator.get(page).text
    assert "已暂停" in applicant.get(own).text
    administrator.send(f"{page}/enterprise", {"action": "reopen"}, page=page)
    assert "企业已恢复" in administrator.get(page).text
    assert "已暂停" in applicant.get(own).text
    administrator.send(f"{page}/enterprise", {"action": "representative_changed"}, page=page)
    assert "已登记法定代表人变更" in administrator.get(page).text
    assert owner.get("/enterprise/handlers").status_code == 303
    assert administrator.send(f"{page}/enterprise", {"action": "x"}, page=page).status_code == 404

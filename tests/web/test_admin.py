from __future__ import annotations

import json
import re

import pytest
from joserfc.jwk import ECKey, KeySet

from tests.web.test_step_up import grow_old
from tests.web.visitor import LI, Visitor, hidden, problems

CLIENT = {
    "client_name": "示例业务系统",
    "client_id": "example",
    "redirect_uris": "http://127.0.0.1:5001/callback",
    "token_endpoint_auth_method": "client_secret_basic",
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid enterprise handler",
    "matters": "nev-accident-report",
    "roles": "regulator",
    "application_type": "web",
    "id_token_signed_response_alg": "RS256",
    "access_token_signed_response_alg": "ES256",
}
PAGES = ["", "/clients", "/clients/new", "/accounts", "/reviews", "/audit", "/keys", "/deliveries"]


@pytest.mark.parametrize("path", PAGES)
def test_the_console_is_for_administrators(person: Visitor, path: str) -> None:
    page = person.get("/admin" + path)
    assert page.status_code == 403
    assert "仅供平台管理员使用" in page.text


def test_a_secret_is_shown_once(administrator: Visitor) -> None:
    answer = administrator.send("/admin/clients/new", CLIENT)
    assert answer.status_code == 303
    page = administrator.get(answer.location)
    secret = re.search(r'id="client-secret">([\w-]{43})<', page.text)
    assert secret is not None
    assert secret.group(1) not in answer.location
    assert secret.group(1) not in administrator.get(answer.location).text
    assert secret.group(1) not in administrator.get("/admin/clients/example").text


def test_a_registration_says_all_that_is_wrong_and_keeps_what_was_typed(administrator: Visitor) -> None:
    page = administrator.send(
        "/admin/clients/new", CLIENT | {"redirect_uris": "http://rp.example.test/callback", "jwks": "{"}
    )
    assert page.status_code == 422
    assert problems(page) == ["不是有效的 JSON，请检查后重试"]
    page = administrator.send("/admin/clients/new", CLIENT | {"redirect_uris": "http://rp.example.test/cb"})
    assert problems(page)[0].startswith("地址不符合要求")
    assert "http://rp.example.test/cb</textarea>" in page.text
    assert "还没有登记应用" in administrator.get("/admin/clients").text


def test_a_profile_and_any_further_metadata_can_be_registered(administrator: Visitor) -> None:
    further = '{"subject_type": "pairwise", "may_act": "smdvs", "require_auth_time": true}'
    strict = {"profile": "fapi2", "token_endpoint_auth_method": "private_key_jwt", "further": further}
    strict |= {"jwks": json.dumps(KeySet([ECKey.generate_key()]).as_dict(private=False))}
    strict |= {"id_token_signed_response_alg": "", "access_token_signed_response_alg": ""}
    answer = administrator.send("/admin/clients/new", CLIENT | strict)
    assert answer.status_code == 303, problems(answer)
    page = administrator.get(answer.location).text
    said = dict(re.findall(r'<dt class="code">(\w+)</dt><dd class="code">([^<]*)<', page))
    assert said["profile"] == "fapi2"
    assert said["require_pushed_authorization_requests"] == "是"
    assert said["id_token_signed_response_alg"] == "ES256"
    assert (said["subject_type"], said["may_act"], said["require_auth_time"]) == ("pairwise", "smdvs", "是")


@pytest.mark.parametrize(
    ("further", "wrong"),
    [
        ("{", "不是有效的 JSON"),
        ("[]", "不是有效的 JSON"),
        ("[" * 500, "不是有效的 JSON"),
        ('{"subject_type": "other"}', "subject_type：该项不符合要求"),
        (
            '{"may_act": 7, "contacts": {}}',
            "may_act：该项不符合要求：must be a text of at most 2000 characters；contacts：该项不符合要求",
        ),
    ],
)
def test_what_is_wrong_among_the_further_metadata_is_said_there(
    administrator: Visitor, further: str, wrong: str
) -> None:
    page = administrator.send("/admin/clients/new", CLIENT | {"further": further})
    assert page.status_code == 422
    assert problems(page)[0].startswith(wrong)


def test_a_field_of_its_own_counts_before_the_further_metadata(administrator: Visitor) -> None:
    further = '{"client_name": "另一个", "client_id": "another", "scope": "openid"}'
    answer = administrator.send("/admin/clients/new", CLIENT | {"further": further})
    assert answer.location.startswith("/admin/clients/example")
    assert "另一个" not in administrator.get(answer.location).text


def test_an_initial_access_token_is_shown_once_and_works(administrator: Visitor) -> None:
    answer = administrator.send("/admin/clients", {"uses": "2", "ttl": "3600", "action": "issue"})
    assert answer.status_code == 303
    page = administrator.get(answer.location)
    token = re.search(r'id="initial-access-token">([\w-]{43})<', page.text)
    assert token is not None
    assert token.group(1) not in answer.location
    assert "initial-access-token" not in administrator.get(answer.location).text
    metadata = {"client_name": "自助登记的应用", "redirect_uris": ["https://rp.example.test/cb"]}
    headers = {"Authorization": f"Bearer {token.group(1)}"}
    http = administrator.app.test_client()
    assert http.post("/oauth/register", json=metadata, headers=headers).status_code == 201
    assert "自助登记的应用" in administrator.get("/admin/clients").text
    assert "签发应用自助登记令牌" in administrator.get("/admin/audit").text


@pytest.mark.parametrize("uses", ["", "0", "-1", "1001", "1.5", "一", "9" * 40, "²"])
def test_leave_to_register_needs_a_number_within_limits(administrator: Visitor, uses: str) -> None:
    page = administrator.send("/admin/clients", {"uses": uses, "ttl": "3600"})
    assert page.status_code == 422
    assert problems(page) == ["请填写 1 至 1000 之间的整数"]
    assert administrator.send("/admin/clients", {"uses": "1", "ttl": "x"}).status_code == 422


def test_leave_to_register_is_given_by_administrators_alone(person: Visitor) -> None:
    assert person.send("/admin/clients", {"uses": "1", "ttl": "3600"}, page="/account").status_code == 403


def test_leave_to_register_needs_a_page_of_ours(administrator: Visitor) -> None:
    page = administrator.http.post("/admin/clients", data={"uses": "1", "ttl": "3600"})
    assert page.status_code == 400
    assert "页面已过期" in page.text


def test_a_new_secret_replaces_the_old_and_a_client_can_be_switched_off(administrator: Visitor) -> None:
    administrator.send("/admin/clients/new", CLIENT)
    rotated = administrator.send("/admin/clients/example", {"action": "rotate_secret"})
    assert 'id="client-secret"' in administrator.get(rotated.location).text
    administrator.send("/admin/clients/example", {"action": "disable"})
    assert "已停用" in administrator.get("/admin/clients/example").text
    administrator.send("/admin/clients/example", {"action": "enable"})
    assert "使用中" in administrator.get("/admin/clients/example").text
    assert administrator.get("/admin/clients/unknown").status_code == 404


@pytest.fixture
def submitted(visitor: Visitor) -> Visitor:
    """Somebody whose manual submission waits."""
    visitor.register("newcomer", "19900001005")
    manual = {"manual": "1", "explanation": "登记信息还没有更新"}
    assert visitor.verify(LI | {"real_name": "李别人"}, **manual).status_code == 303
    return visitor


def review_of(administrator: Visitor) -> str:
    page = administrator.get("/admin/reviews").text
    assert "newcomer" in page
    found = re.search(r"/admin/reviews/[\w-]{22}", page)
    assert found is not None
    return found.group()


def test_a_reviewer_sees_the_submission_and_its_scans(submitted: Visitor, administrator: Visitor) -> None:
    page = administrator.get(review_of(administrator)).text
    for fact in ("李别人", LI["document_number"], "登记信息还没有更新", "居民身份证"):
        assert fact in page
    link = re.search(r"/admin/reviews/scans/[\w-]{22}", page)
    assert link is not None
    scan = administrator.get(link.group())
    assert scan.mimetype == "image/png"
    assert "sandbox" in scan.headers["Content-Security-Policy"]
    assert scan.headers["Cache-Control"] == "no-store"
    assert submitted.get(link.group()).status_code == 403
    assert "查看扫描件" in administrator.get("/admin/audit").text


def test_a_rejection_needs_a_reason_and_the_applicant_sees_it(
    submitted: Visitor, administrator: Visitor
) -> None:
    review = review_of(administrator)
    page = administrator.send(review, {"decision": "reject"})
    assert problems(page) == ["请填写原因，申请人会看到"]
    assert administrator.send(review, {"decision": "reject", "reason": "照片不清楚"}).status_code == 303
    told = submitted.get("/account/verification").text
    assert "已驳回" in told
    assert "照片不清楚" in told


def test_an_approval_authenticates_and_stands(submitted: Visitor, administrator: Visitor) -> None:
    review = review_of(administrator)
    assert administrator.send(review, {"decision": "approve"}).status_code == 303
    assert "已实名认证" in submitted.get("/account").text
    page = administrator.send(review, {"decision": "reject", "reason": "x"}, page="/admin")
    assert page.status_code == 422


def test_an_identity_is_approved_with_both_factors_of_the_last_ten_minutes(
    submitted: Visitor, administrator: Visitor
) -> None:
    review = review_of(administrator)
    grow_old(administrator.app)
    answer = administrator.send(review, {"decision": "approve"})
    assert answer.location == f"/account/confirm?next={review}"
    assert "待审核" in submitted.get("/account").text


def test_roles_are_given_and_taken(administrator: Visitor, person: Visitor) -> None:
    administrator.send("/admin/clients/new", CLIENT)
    found = re.search(
        r'(/admin/accounts/[\w-]{22})">li_shili', administrator.get("/admin/accounts?q=li_s").text
    )
    assert found is not None
    page = administrator.get(found.group(1))
    assert LI["document_number"] not in page.text
    role = {"role": hidden(page, "role")}
    administrator.send(found.group(1), role | {"action": "grant"})
    assert "已授予" in administrator.get(found.group(1)).text
    administrator.send(found.group(1), role | {"action": "withdraw"})
    assert "state active" not in administrator.get(found.group(1)).text
    administrator.send(found.group(1), {"role": "example emperor", "action": "grant"})
    assert "该应用没有登记这个角色" in administrator.get(found.group(1)).text


def test_an_account_is_frozen_and_unfrozen(administrator: Visitor, person: Visitor) -> None:
    found = re.search(
        r"/admin/accounts/[\w-]{22}(?=\">li_)", administrator.get("/admin/accounts?q=li_s").text
    )
    assert found is not None
    status = found.group() + "/status"
    administrator.send(status, {"action": "freeze", "reason": " "}, page=found.group())
    assert "请填写原因" in administrator.get(found.group()).text
    assert person.get("/account").status_code == 200
    why = {"reason": "本人来电申请"}
    administrator.send(status, {"action": "freeze", **why}, page=found.group())
    assert "已冻结" in administrator.get(found.group()).text
    assert person.get("/account").location == "/login"
    administrator.send(status, {"action": "unfreeze", **why}, page=found.group())
    assert "账号已解冻" in administrator.get(found.group()).text
    answer = administrator.send(
        "/admin/accounts/unknown/status", {"action": "freeze", **why}, page="/admin/accounts"
    )
    assert answer.status_code == 303
    assert administrator.get(answer.location).status_code == 404


def test_an_administrator_is_not_offered_to_freeze_themselves(administrator: Visitor) -> None:
    found = re.search(
        r"/admin/accounts/[\w-]{22}(?=\">admin_)", administrator.get("/admin/accounts?q=admin").text
    )
    assert found is not None
    assert 'value="freeze"' not in administrator.get(found.group()).text
    form = {"action": "freeze", "reason": "误操作"}
    administrator.send(found.group() + "/status", form, page=found.group())
    assert "没有权限" in administrator.get(found.group()).text


def test_keys_are_listed_and_rotated(administrator: Visitor) -> None:
    assert "正在签名" in administrator.get("/admin/keys").text
    assert administrator.send("/admin/keys", {"algorithm": "RS256"}).status_code == 303
    page = administrator.get("/admin/keys").text
    assert "待启用" in page
    assert "轮换密钥" in administrator.get("/admin/audit?area=key").text
    administrator.send("/admin/keys", {"algorithm": "none"})
    assert "没有这种签名算法的密钥" in administrator.get("/admin/keys").text


@pytest.mark.parametrize("query", ["?page=2", "?page=-1", "?page=x", "?page=9999999999", "?q=%25", "?area=x"])
def test_lists_take_any_query(administrator: Visitor, query: str) -> None:
    for path in ("/admin/accounts", "/admin/reviews", "/admin/audit"):
        assert administrator.get(path + query).status_code == 200

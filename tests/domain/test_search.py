from __future__ import annotations

import pytest

from idp.domain.search import Text, find, units_of

TEXTS = [
    Text("forgotten", "忘记密码了怎么办", "在登录页点击忘记密码，凭手机验证码设置新密码。"),
    Text("sms", "收不到短信验证码", "请核对手机号，60 秒后可重新获取。密码无需重新输入。"),
    Text("permits", "行政许可", "电信业务经营许可、道路机动车辆产品准入许可、无线电发射设备型号核准。"),
    Text("smdvs", "新能源汽车事故上报平台", "车辆起火等事故由企业上报。smdvs"),
]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("忘了密码怎么办", "forgotten"),
        ("忘记密码", "forgotten"),
        ("短信验证码收不到", "sms"),
        ("电信业务经营许可", "permits"),
        ("SMDVS", "smdvs"),
        ("ｓｍｄｖｓ", "smdvs"),
        ("事故 上报", "smdvs"),
    ],
)
def test_what_was_meant_comes_first(query: str, first: str) -> None:
    assert find(TEXTS, query)[0] == first


@pytest.mark.parametrize("query", ["", "   ", "？！", "烟花爆竹", "<script>", "🚗", "a" * 10_000])
def test_what_is_not_there_is_not_found(query: str) -> None:
    assert find(TEXTS, query) == []


def test_a_title_counts_before_a_body_and_equals_keep_their_order() -> None:
    assert find(TEXTS, "密码") == ["forgotten", "sms"]
    twice = [Text("b", "授权", ""), Text("a", "授权", "")]
    assert find(twice, "授权") == ["b", "a"]


def test_a_question_of_asking_words_alone_is_still_a_question() -> None:
    assert units_of("怎么") == {"怎么"}
    assert units_of("我") == {"我"}

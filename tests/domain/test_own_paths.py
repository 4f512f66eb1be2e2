from __future__ import annotations

import pytest

from idp.domain.own_paths import LONGEST, find_own_path


@pytest.mark.parametrize(
    "text",
    [
        "/",
        "/account",
        "/enterprise/handlers",
        "/account/security/totp?next=%2Faccount",
        "/interaction/resume?request=a_b-c~d.e&x=",
    ],
)
def test_a_path_of_our_own_is_a_way_back(text: str) -> None:
    assert find_own_path(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "account",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/account",
        "https:/evil.example",
        "javascript:alert(1)",
        "/account\n",
        "/account\r\nLocation: //evil.example",
        "/\t/evil.example",
        " /account",
        "/account#//evil.example",
        "/account?next=//evil.example",
        "/account@evil.example",
        "/账号",
        "/" + "a" * LONGEST,
    ],
)
def test_anything_that_could_lead_elsewhere_is_none(text: str) -> None:
    assert find_own_path(text) is None

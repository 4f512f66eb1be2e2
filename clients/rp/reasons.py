"""Every reason for which the kit refuses, with its error code and its words in Chinese and English."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

_TOKEN = "invalid_token"
_SCOPE = "insufficient_scope"
_STEP_UP = "insufficient_user_authentication"


@dataclass(frozen=True)
class Reason:
    """``error`` is the code of RFC 6750 §3.1, RFC 9449 §7.1 or RFC 9470 §3; ``chinese`` is for people;
    ``english`` is ASCII for ``error_description``, with places for ``{scope}``, ``{matter}``, ``{role}``.
    """

    error: str
    chinese: str
    english: str


REASONS: Mapping[str, Reason] = {
    # How the token is shown: clients.rp.presentation. Who shows none is told no error (RFC 6750 §3.1).
    "credentials_missing": Reason(
        "", "请在 Authorization 请求头中给出访问令牌", "The request shows no access token"
    ),
    "proof_invalid": Reason(
        "invalid_dpop_proof",
        "DPoP 证明缺失、不正确或已使用过",
        "The DPoP proof is missing, wrong or used before",
    ),
    # The token itself, by its signature and the clock: clients.rp.access.
    "token_malformed": Reason(_TOKEN, "访问令牌不完整，请重新登录", "The access token is not a signed JWT"),
    "token_algorithm": Reason(
        _TOKEN,
        "访问令牌的签名算法不被接受",
        "The access token is signed with an algorithm that is not accepted",
    ),
    "token_key": Reason(
        _TOKEN, "访问令牌不是由平台的密钥签名的", "The access token is signed with an unknown key"
    ),
    "token_signature": Reason(_TOKEN, "访问令牌的签名不正确", "The signature of the access token is wrong"),
    "token_type": Reason(_TOKEN, "出示的不是访问令牌", "The token is not an access token (typ at+jwt)"),
    "token_issuer": Reason(_TOKEN, "访问令牌是由另一个平台签发的", "The access token is from another issuer"),
    "token_audience": Reason(
        _TOKEN, "访问令牌不是发给本系统的", "The access token is not meant for this resource"
    ),
    "token_claims": Reason(_TOKEN, "访问令牌缺少必要的内容", "The access token lacks sub or client_id"),
    "token_expired": Reason(_TOKEN, "访问令牌已过期，请重新登录", "The access token has expired"),
    "token_not_yet_valid": Reason(
        _TOKEN, "访问令牌尚未生效，请核对系统时间", "The access token is not valid yet"
    ),
    "token_binding": Reason(
        _TOKEN,
        "访问令牌与某个密钥绑定，而请求没有证明持有该密钥",
        "The access token is bound to a key whose possession was not proved",
    ),
    # What has become of it since: clients.rp.liveness.
    "authorisation_ended": Reason(
        _TOKEN,
        "登录已失效或授权已被撤销",
        "The authorization behind this token is no longer in force",
    ),
    "token_changed": Reason(
        _TOKEN,
        "登录的身份与平台现在的记录不一致，请重新登录",
        "The provider says something else about this token now",
    ),
    # Who may do what for whom: clients.rp.entitlement.
    "scope_missing": Reason(
        _SCOPE,
        "本次登录没有取得所需的权限，请重新登录并同意授权",
        "The access token lacks the scope {scope}",
    ),
    "no_enterprise": Reason(
        _SCOPE,
        "您当前以个人身份登录，没有可以代表的企业",
        "The access token acts for no enterprise",
    ),
    "enterprise_invalid": Reason(
        _TOKEN,
        "平台给出的企业代码不正确，请联系平台 12381",
        "The enterprise_credit_code of the access token is not valid",
    ),
    "enterprise_mismatch": Reason(
        _SCOPE,
        "办理的企业与当前登录的企业不一致，请切换企业后重试",
        "The request names another enterprise than the token",
    ),
    "handler_scope_missing": Reason(
        _SCOPE,
        "您的经办人授权不包含本系统所办理的事项",
        "The handler is not authorised for {matter}",
    ),
    "role_missing": Reason(
        _SCOPE, "您的账号没有办理此事的角色，请联系系统管理员", "The account lacks the role {role}"
    ),
    # How the person signed in: clients.rp.step_up.
    "sign_in_too_weak": Reason(
        _STEP_UP,
        "办理此事需要更高强度的登录方式，请按提示重新登录",
        "The person has not signed in by one of the means that are needed",
    ),
    "sign_in_too_old": Reason(
        _STEP_UP, "距上次登录时间过长，请重新登录", "The sign-in is longer ago than is allowed"
    ),
}


def chinese(reason: str) -> str:
    """What to tell a person. KeyError for a reason that isn't the kit's."""
    return REASONS[reason].chinese


def english(reason: str, **words: str) -> str:
    """What to tell a program: ASCII without quotes, fit for a header (RFC 6750 §3). KeyError as above."""
    return REASONS[reason].english.format(**words)


def table() -> str:
    """All reasons as the Markdown table of docs/relying-parties.md."""
    rows = [
        f"| `{code}` | {f'`{reason.error}`' if reason.error else ''} | {reason.chinese} | {reason.english} |"
        for code, reason in REASONS.items()
    ]
    return "\n".join(["| reason | error | 中文 | English |", "| --- | --- | --- | --- |", *rows]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())

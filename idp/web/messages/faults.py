"""Why a message could not be delivered, in words: the codes that the outbox keeps with a failed attempt."""

from __future__ import annotations

from collections.abc import Mapping

from idp.web.languages import translated

_FALLBACK = "投递时出现问题"
_FAULTS: Mapping[str, str] = {
    "url_invalid": "登记的地址无效",
    "scheme_refused": "登记的地址不是 https",
    "name_unknown": "域名无法解析",
    "address_refused": "域名指向内部网络，已拒绝连接",
    "unreachable": "无法连接对方服务器",
    "tls_failed": "对方的 https 证书有问题",
    "timeout": "对方在限定时间内没有应答",
    "too_large": "对方的应答过大",
    "answer_invalid": "对方的应答无法识别",
    "encryption_key_missing": "对方要求加密，但没有可用的加密公钥",
    "unreadable": "通知内容无法解密",
    "kind_unknown": "当前版本不认识这种通知",
}
_WITH_DETAIL: Mapping[str, str] = {
    "answered": "对方返回错误（HTTP {detail}）",
    "refused": "对方拒绝接受（{detail}）",
    "refused unspecified": "对方拒绝接受",
}


def fault_text(last_error: str | None) -> str:
    """The sentence for what a failed attempt left behind: a code, then a detail, which may be a stranger's."""
    code, _, detail = (last_error or "").partition(" ")
    if last_error is None:
        return translated("投递中断，没有结果")
    text = _WITH_DETAIL.get(last_error) or _WITH_DETAIL.get(code) or _FAULTS.get(code, _FALLBACK)
    return translated(text).format(detail=detail)

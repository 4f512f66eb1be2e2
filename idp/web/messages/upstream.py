"""Why a sign-in at the other platform led to none here: a title, and what to do; it is called ``{upstream}``."""

from __future__ import annotations

USUAL_NAME = "国家政务服务平台"  # the setting's default, here so that it has its English name

UPSTREAM_PAGES: dict[str, tuple[str, str]] = {
    "upstream_unavailable": (
        "暂时无法使用{upstream}账号登录",
        "{upstream}没有正常回应，登录没有完成。请稍后再试，或使用本平台的账号和密码登录。",
    ),
    "upstream_denied": (
        "登录已取消",
        "您没有同意{upstream}向本平台提供身份信息，登录没有完成。您可以重试，或使用本平台的账号和密码登录。",
    ),
    "upstream_answer_invalid": (
        "登录信息未通过核验",
        "{upstream}返回的信息没有通过核验。为保护您的账号，登录没有完成。请重新登录；如多次出现，请致电 12381。",
    ),
    "upstream_expired": (
        "本次登录已失效",
        "登录用时超过 10 分钟、已经完成，或是在另一个浏览器中开始的。请重新登录。",
    ),
    "upstream_stale": (
        "需要重新验证身份",
        "您要登录的系统要求刚刚验证过身份。请点击“换用其他账号或重新登录”，在{upstream}重新输入密码。",
    ),
    "upstream_unverified": (
        "请先在{upstream}完成实名认证",
        "{upstream}没有提供经过核验的证件信息，无法确认您是谁。请在{upstream}完成实名认证后重试，或使用本平台的账号和密码登录。",
    ),
    "upstream_identity_unknown:person": (
        "本平台还没有您的账号",
        "没有找到与您的证件对应的账号。请先注册，并用同一证件完成实名认证；之后就可以用{upstream}账号登录。",
    ),
    "upstream_identity_unknown:enterprise": (
        "本平台还没有该企业的法人账号",
        "没有找到与该统一社会信用代码对应的法人账号。请先注册，并完成法人实名认证；之后就可以用{upstream}账号登录。",
    ),
    "upstream_identity_changed": (
        "证件与已关联的账号不符",
        "您的{upstream}账号此前关联的是本平台的另一个账号，与这次提供的证件不一致，登录没有完成。请使用本平台的账号和密码登录，并致电 12381 核实。",
    ),
    "upstream_name_differs": (
        "姓名与登记的不一致",
        "{upstream}提供的姓名与本平台实名认证的姓名不一致，登录没有完成。请使用本平台的账号和密码登录；如您已更名，请致电 12381。",
    ),
    "upstream_too_weak": (
        "需要更强的登录方式",
        "您在{upstream}使用的登录方式达不到本平台的要求。请在{upstream}改用密码等方式登录后重试，或使用本平台的账号和密码登录。",
    ),
    "upstream_limit": ("操作过于频繁", "您所在网络登录过于频繁，请稍后再试，或使用本平台的账号和密码登录。"),
    "account_frozen": ("该账号已被冻结", "您的账号目前不能登录。如有疑问，请致电 12381。"),
}

"""通知公告: the platform's own notices, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class Bulletin:
    """One notice; ``text`` by paragraph."""

    code: str
    day: date
    title: str
    text: tuple[str, ...]


BULLETINS: Final = (
    Bulletin(
        "self-service",
        date(2026, 11, 25),
        "找回账号、更换手机号可在线办理",
        (
            "忘记密码、忘记登录名、更换绑定手机号，现在都可以从登录页自行办理；原手机号已不能使用的，提交材料由平台工作人员审核。",
            "办理步骤见“在线帮助”，疑问请致电 12381。",
        ),
    ),
    Bulletin(
        "code-safety",
        date(2026, 11, 24),
        "请勿向任何人透露短信验证码",
        (
            "平台工作人员不会索要您的密码和短信验证码。凡索要验证码、要求转账或点击陌生链接的，都不是本平台。",
            "如已透露，请立即修改密码，并在“登录设备”中退出其他设备。",
        ),
    ),
    Bulletin(
        "separate-handler",
        date(2026, 11, 23),
        "建议企业为事故上报单独设立经办人账号",
        (
            "每家企业只能注册一个法人账号，已有法人账号的直接使用，无需另行注册；账号由其他部门持有的，请在企业内部协调。",
            "建议由专门人员以自然人身份注册并实名认证，申请成为本企业的经办人，专门办理事故上报。人员变动时，由法人账号撤销授权即可。",
        ),
    ),
)

BULLETINS_BY_CODE: Final = {bulletin.code: bulletin for bulletin in BULLETINS}

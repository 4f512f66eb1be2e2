"""Text messages: their Chinese texts, and the gateways that send them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from idp.config import Settings

SIGNATURE: Final = "【政务服务平台】"
LONGEST_NAME: Final = 60  # a longer name of an enterprise is cut, so that the message stays one

_CODE: Final = "验证码{code}，用于{use}，5分钟内有效，请勿告诉他人。如非本人操作，请忽略。"
_FACTOR: Final = "您的账号{login_name}{did}。如非本人操作，请致电12381。"
_TEXTS: Final[Mapping[str, str]] = {
    "register": _CODE.replace("{use}", "用户注册"),
    "login": _CODE.replace("{use}", "用户登录"),
    "revive": _CODE.replace("{use}", "恢复使用账号"),
    "step_up": _CODE.replace("{use}", "确认本人身份"),
    "device_new": (
        "您的账号{login_name}于{moment}在新设备（{device}）登录。如非本人操作，请立即修改密码并致电12381。"
    ),
    "totp_added": _FACTOR.replace("{did}", "已启用动态口令"),
    "totp_removed": _FACTOR.replace("{did}", "已停用动态口令"),
    "passkey_added": _FACTOR.replace("{did}", "已添加通行密钥"),
    "passkey_removed": _FACTOR.replace("{did}", "已删除一个通行密钥"),
    "recovery_codes_renewed": _FACTOR.replace("{did}", "已生成新的恢复码，原恢复码失效"),
    "recovery_code_used": _FACTOR.replace("{did}", "已使用一个恢复码"),
    "factors_reset": _FACTOR.replace("{did}", "的动态口令和通行密钥已由平台重置，请重新登录并设置"),
    "reset_password": _CODE.replace("{use}", "重设密码"),
    "find_account": _CODE.replace("{use}", "账号找回"),
    "bind_phone": _CODE.replace("{use}", "绑定手机号"),
    "phone_changed": "您的账号{login_name}绑定的手机号已更换为{phone}。如非本人操作，请立即致电12381。",
    "phone_bound": "您的账号{login_name}已绑定此手机号，登录时的验证码将发送到这里。",
    "phone_change_applied": "有人申请将账号{login_name}的手机号更换为{phone}，正在审核。"
    "如非本人操作，请立即登录平台，在“手机号修改”中撤销，并修改密码。",
    "phone_change_received": "您为账号{login_name}更换手机号的申请已提交，结果将以短信告知。",
    "phone_change_rejected": "您为账号{login_name}更换手机号的申请未通过。如有疑问请致电12381。",
    "account_found": "您的登录名为{login_name}。如非本人操作，请忽略。",
    "upstream_login": _CODE.replace("{use}", "确认登录"),
    "upstream_linked": "您的账号{login_name}已关联{upstream_name}账号并登录。如非本人操作，请致电12381。",
    "password_changed": "您的账号{login_name}的登录密码已修改。如非本人操作，请致电12381。",
    "password_reset": "您的账号{login_name}的登录密码已重设，此前的登录均已退出。如非本人操作，请致电12381。",
    "password_temporary": "您的账号{login_name}已发放临时密码，24小时内有效，登录时须设置新密码。"
    "如非本人要求，请致电12381。",
    "account_frozen": "您的账号{login_name}已被冻结，暂不能登录。如有疑问，请致电12381。",
    "account_unfrozen": "您的账号{login_name}已解冻，可以重新登录。",
    "account_woken": "您的账号{login_name}已恢复使用。如非本人操作，请致电12381。",
    "deletion_requested": (
        "您的账号{login_name}已申请删除，将于{day}删除。在此之前登录即可撤销。如非本人操作，请致电12381。"
    ),
    "deletion_cancelled": "您的账号{login_name}已撤销删除，可正常使用。如非本人操作，请致电12381。",
    "deletion_done": "您的账号{login_name}已删除，个人信息已清除。此手机号可用于注册新账号。",
    "identity_withdrawn": "您的账号{login_name}已撤回身份信息授权，实名认证失效。如非本人操作，请致电12381。",
    "dormancy_near": "您的账号{login_name}已长期未登录，如{day}前仍未登录，将转入休眠。登录一次即可避免。",
    "real_name_approved": "您的账号{login_name}已通过实名认证。",
    "real_name_rejected": "您的账号{login_name}的实名认证申请未通过，请登录用户中心查看原因。",
    "handler_applied": "{applicant_name}申请成为{enterprise_name}的经办人，请登录用户中心审核。",
    "handler_withdrawn": "{applicant_name}已撤回{enterprise_name}的经办人申请。",
    "handler_gone": "{applicant_name}已注销账号或撤回身份信息，其在{enterprise_name}的经办人申请、授权终止。",
    "handler_approved": "您已成为{enterprise_name}的经办人，可代表该企业办理已授权事项。",
    "handler_refused": "您提交的{enterprise_name}的经办人申请未通过，请登录用户中心查看原因。",
    "handler_revoked": "您在{enterprise_name}的经办人授权已被撤销，即刻起不能再代表该企业办理业务，"
    "原因请登录用户中心查看。",
    "handler_renewal_applied": "{applicant_name}申请续期{enterprise_name}的经办人授权，请登录用户中心审核。",
    "handler_renewal_approved": "您在{enterprise_name}的经办人授权已续期，请登录用户中心查看。",
    "handler_renewal_refused": "您在{enterprise_name}的经办人续期申请未通过，原授权到期前仍有效。",
    "handler_ends_soon": "您在{enterprise_name}的经办人授权将于{day}到期，请登录用户中心申请续期。",
    "handlers_end_soon": "{enterprise_name}有经办人授权将于{day}到期，请登录用户中心办理续期。",
    "handler_suspended": "您在{enterprise_name}的经办人授权已暂停，恢复前不能代表该企业办理业务。",
    "handler_resumed": "您在{enterprise_name}的经办人授权已恢复，可继续办理已授权事项。",
    "enterprise_closed": "{enterprise_name}已在本平台停用，不能再办理业务。如有疑问，请致电12381。",
    "handlers_to_confirm": "{enterprise_name}的经办人授权已暂停，请登录用户中心逐一确认。",
    "handlers_review_due": "{enterprise_name}有经办人授权满半年未复核，请在30日内登录复核，逾期将暂停。",
    "handlers_review_last": "{enterprise_name}有经办人授权仍未复核，7日后将暂停，请尽快登录用户中心复核。",
    "handler_review_last": "您在{enterprise_name}的经办人授权尚未经企业复核，7日后将暂停，请提醒企业复核。",
    "handler_invited": "{enterprise_name}邀请您成为其经办人，请在14日内登录平台，在“经办人申请”中确认。",
    "handler_invitation_accepted": "{applicant_name}已接受邀请，成为{enterprise_name}的经办人。",
    "handler_invitation_declined": "{applicant_name}已谢绝成为{enterprise_name}的经办人。",
    "handler_escalated": "{applicant_name}已就{enterprise_name}的经办人授权申请平台代审，异议请致电12381。",
    "handler_escalation_rejected": "您就{enterprise_name}提交的平台代审申请未通过，请登录用户中心查看原因。",
    "handler_last_resort": "平台代审已同意{applicant_name}作为{enterprise_name}的经办人，异议请致电12381。",
    "handler_changed": "您在{enterprise_name}的经办人授权的事项或有效期已调整，请登录用户中心查看。",
}


def text(purpose: str, **values: str) -> str:
    """The whole message for a purpose; KeyError for an unknown one or a missing value."""
    shown = {name: value[:LONGEST_NAME] for name, value in values.items()}
    return SIGNATURE + _TEXTS[purpose].format_map(shown)


class SmsError(Exception):
    """The gateway did not take the message; the text says why without naming the phone. Worth another try."""


class SmsGateway(Protocol):
    """Something that sends one message to one phone, or raises SmsError."""

    def send(self, phone: str, message: str, reference: str) -> None:
        """Send ``message``; the same ``reference`` again is the same message again."""


class Answer(Protocol):
    """As much of an HTTP answer as a gateway looks at."""

    @property
    def status(self) -> int:
        """The HTTP status."""


Post = Callable[
    [str, Mapping[str, str], Mapping[str, str]], Answer
]  # url, JSON body, headers; may raise OSError-likes


class HttpSmsGateway:
    """An operator's gateway: POST of ``{"phone", "text", "reference"}`` as JSON with a bearer token.

    Any 2xx means that it was taken; ``reference`` lets the gateway drop a repetition.
    """

    def __init__(self, url: str, token: str, post: Post) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._post = post

    def send(self, phone: str, message: str, reference: str) -> None:
        """One POST."""
        body = {"phone": phone, "text": message, "reference": reference}
        answer = self._post(self._url, body, self._headers)
        if not 200 <= answer.status < 300:
            raise SmsError(f"answered {answer.status}")


class DevelopmentOutbox:
    """Development: the row in the outbox is the message; it is read at ``/dev/outbox`` and never leaves."""

    def send(self, phone: str, message: str, reference: str) -> None:
        """Nothing: there is no way from here to a telephone."""


def gateway(settings: Settings, post: Post) -> SmsGateway:
    """The gateway that the settings name."""
    if settings.sms == "http" and settings.sms_url and settings.sms_token:
        return HttpSmsGateway(settings.sms_url, settings.sms_token, post)
    return DevelopmentOutbox()

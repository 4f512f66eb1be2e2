"""The forms of strong factors, and of showing one's factors again."""

from __future__ import annotations

from typing import Any

from wtforms import Field, HiddenField, PasswordField, StringField

from idp.web.forms import PASSWORD_BOX, TEXT_BOX, PageForm


def _box(label: str, most: int, autocomplete: str, **attributes: Any) -> Field:
    given = {"maxlength": most, "autocomplete": autocomplete, "required": True, **attributes}
    return StringField(label, widget=TEXT_BOX, render_kw=given)


class ConfirmForm(PageForm):
    """确认本人身份 before a sensitive act."""

    password = PasswordField(
        "密码",
        widget=PASSWORD_BOX,
        render_kw={"maxlength": 64, "autocomplete": "current-password", "required": True},
    )
    sms_code = _box("短信验证码", 12, "one-time-code", inputmode="numeric")
    totp_code = _box("动态口令或恢复码", 20, "one-time-code", spellcheck="false")
    method = HiddenField()
    purpose = HiddenField()
    next = HiddenField()
    kept = HiddenField()


class TotpForm(PageForm):
    """启用动态口令."""

    totp_code = _box("验证器显示的 6 位动态口令", 12, "one-time-code", inputmode="numeric")
    next = HiddenField()


class PasskeyForm(PageForm):
    """添加通行密钥."""

    passkey_name = _box("名称", 30, "off")
    next = HiddenField()

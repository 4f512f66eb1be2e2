"""The forms of getting an account back: 忘记密码, 账号找回, 手机号修改."""

from __future__ import annotations

from wtforms import HiddenField, PasswordField

from idp.web.forms import PASSWORD_BOX, PageForm

_NEW_PASSWORD = {"maxlength": 64, "autocomplete": "new-password", "required": True}


class NewPasswordForm(PageForm):
    """A new password in place of one that is worn out or forgotten."""

    password = PasswordField("新密码", widget=PASSWORD_BOX, render_kw=_NEW_PASSWORD)
    confirm_password = PasswordField("确认新密码", widget=PASSWORD_BOX, render_kw=_NEW_PASSWORD)
    ticket = HiddenField()

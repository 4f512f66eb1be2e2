"""The forms of getting an account back: 忘记密码, 账号找回, 手机号修改."""

from __future__ import annotations

from wtforms import HiddenField, PasswordField, StringField

from idp.web.forms import (
    PASSWORD_BOX,
    TEXT_BOX,
    HandlerApplicationForm,
    LoginForm,
    NaturalPersonForm,
    PageForm,
    RegistrationForm,
    WithCaptcha,
)

_NEW_PASSWORD = {"maxlength": 64, "autocomplete": "new-password", "required": True}


class NewPasswordForm(PageForm):
    """A new password in place of one that is worn out or forgotten."""

    password = PasswordField("新密码", widget=PASSWORD_BOX, render_kw=_NEW_PASSWORD)
    confirm_password = PasswordField("确认新密码", widget=PASSWORD_BOX, render_kw=_NEW_PASSWORD)
    ticket = HiddenField()


class ForgottenPasswordForm(PageForm):
    """忘记密码: who it is."""

    identifier = LoginForm.identifier
    sms_code = LoginForm.sms_code


class ResetForm(NewPasswordForm):
    """忘记密码: the second proof and the new password."""

    document_number = NaturalPersonForm.document_number
    enterprise_credit_code = HandlerApplicationForm.enterprise_credit_code


class FindAccountForm(WithCaptcha, PageForm):
    """账号找回, each way with its own fields."""

    by = HiddenField()
    phone = RegistrationForm.phone
    real_name = NaturalPersonForm.real_name
    document_type = NaturalPersonForm.document_type
    document_number = NaturalPersonForm.document_number
    enterprise_credit_code = HandlerApplicationForm.enterprise_credit_code
    sms_code = RegistrationForm.sms_code


class NewPhoneForm(WithCaptcha, PageForm):
    """手机号修改: the new number."""

    phone = StringField(
        "新手机号",
        widget=TEXT_BOX,
        render_kw={"maxlength": 20, "autocomplete": "tel", "inputmode": "tel", "required": True},
    )
    sms_code = RegistrationForm.sms_code
    ticket = HiddenField()


class LostPhoneForm(PageForm):
    """绑定手机号 when the old phone is lost; the file is read from the request, not from here."""

    identifier = LoginForm.identifier
    password = LoginForm.password
    real_name = NaturalPersonForm.real_name
    document_number = NaturalPersonForm.document_number
    document_scan = NaturalPersonForm.document_scan
    explanation = NaturalPersonForm.explanation
    ticket = HiddenField()

"""The forms of the pages: which fields there are and how they are typed.

The rules are the services' and the domain's; a form only shows what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import g, request
from flask_wtf import FlaskForm
from markupsafe import Markup, escape
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    PasswordField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)

from idp.domain.clients import SIGNING_ALGORITHMS
from idp.domain.errors import Problem, Refusal
from idp.domain.languages import SOURCE
from idp.web import waiting
from idp.web.languages import language, translated
from idp.web.messages import names, problem_text

CHOOSE = {"": "请选择"}


def _choices(table: Mapping[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value, text) for value, text in table.items()]


class PageForm(FlaskForm):
    """A form of a page: keeps what was typed, and shows problems at their fields."""

    class Meta:
        """The blueprint has looked at the CSRF value (pages.py), and templates write it."""

        csrf = False

    def __init__(self, **values: Any) -> None:
        """``values`` fill the form when it is first shown; what was sent wins."""
        super().__init__(formdata=request.form if request.method == "POST" else None, data=values)
        self.problems: list[str] = []
        if language() != SOURCE:
            self._translate()

    def is_ours(self) -> bool:
        """Whether the form came from a page of ours; if not, it says that the page has expired."""
        if not g.get("csrf_valid", False):
            self.refuse(Refusal.of("page_expired"))
        return bool(g.get("csrf_valid", False))

    def refuse(self, refusal: Refusal) -> None:
        """Show each problem at its field, or above the form when it has none here."""
        waiting.note(refusal)
        for problem in refusal.problems:
            self._show(problem)

    def require(self, *fields: str) -> bool:
        """Whether these are filled in; a problem at each that isn't."""
        missing = [name for name in fields if not self.text(name)]
        if missing:
            self.refuse(Refusal(tuple(Problem("required", name) for name in missing)))
        return not missing

    def text(self, name: str) -> str:
        """What was typed in a field, or nothing."""
        return str(self[name].data or "")

    @property
    def first_wrong(self) -> str | None:
        """The name of the first field with a problem, which gets the focus."""
        return next((field.name for field in self if field.errors), None)

    @property
    def problem_texts(self) -> dict[str, str]:
        """The problems by field, for scripts; ``form`` holds those of the whole form."""
        texts = {field.name: field.errors[0] for field in self if field.errors}
        return texts | ({"form": self.problems[0]} if self.problems else {})

    def _translate(self) -> None:
        """The labels and choices, which stand here in Chinese."""
        for field in self:
            field.label.text = translated(field.label.text)
            if isinstance(field, SelectField):
                field.choices = [
                    replace(choice, label=translated(choice.label)) for choice in field.choices or ()
                ]

    def _show(self, problem: Problem) -> None:
        field: Field | None = self._fields.get(problem.field) if problem.field else None
        if field is None:
            self.problems.append(problem_text(problem))
        else:
            field.errors = [*field.errors, problem_text(problem)]


class TextBox:
    """``<input>`` for text: WTForms' own way of writing attributes cost half of the sign-in page."""

    def __init__(self, input_type: str) -> None:
        self._type = input_type

    def __call__(self, field: Field, **attributes: Any) -> Markup:
        """With the attributes in order; ``True`` stands for one without value, ``False`` for none."""
        value = "" if self._type == "password" or field.data is None else field.data
        given = {"type": self._type, "id": field.id, "name": field.name, "value": value, **attributes}
        written = [
            name if said is True else f'{name}="{escape(said)}"'
            for name, said in sorted(given.items())
            if said is not False
        ]
        return Markup(f"<input {' '.join(written)}>")  # noqa: S704 - every value is escaped, names are ours


TEXT_BOX, PASSWORD_BOX = TextBox("text"), TextBox("password")


def _text(
    label: str, *, most: int | None, autocomplete: str = "off", required: bool = True, **attributes: Any
) -> Field:
    keywords = {"maxlength": most, "autocomplete": autocomplete, "required": required, **attributes}
    given = {name: value for name, value in keywords.items() if value not in (False, None)}
    return StringField(label, widget=TEXT_BOX, render_kw=given)


def _code() -> Field:
    return _text("短信验证码", most=12, autocomplete="one-time-code", inputmode="numeric")


def _password(label: str, autocomplete: str) -> Field:
    given = {"maxlength": 64, "autocomplete": autocomplete, "required": True}
    return PasswordField(label, widget=PASSWORD_BOX, render_kw=given)


class UpstreamCodeForm(PageForm):
    """国家政务服务平台账号登录, with a code to the bound phone."""

    sms_code = _code()
    ticket = HiddenField()


class LoginForm(PageForm):
    """用户登录."""

    identifier = _text(
        "登录名/统一社会信用代码/身份证号",
        most=64,
        autocomplete="username",
        autocapitalize="none",
        spellcheck="false",
    )
    password = _password("密码", "current-password")
    sms_code = _code()
    totp_code = _text("动态口令或恢复码", most=20, autocomplete="one-time-code", spellcheck="false")
    kept = HiddenField()


class WithCaptcha:
    """The fields of a captcha (captchas.py), for a form of a page to inherit as well."""

    captcha = _text("验证码", most=8, required=False, autocapitalize="characters", spellcheck="false")
    captcha_handle = HiddenField()


class RegistrationForm(WithCaptcha, PageForm):
    """用户注册."""

    login_name = _text("登录名", most=16, autocomplete="username", autocapitalize="none", spellcheck="false")
    password = _password("密码", "new-password")
    confirm_password = _password("确认密码", "new-password")
    email = _text("电子邮箱", most=254, autocomplete="email", inputmode="email")
    phone = _text("账号绑定手机号", most=20, autocomplete="tel", inputmode="tel")
    sms_code = _code()
    agree = BooleanField("我已阅读并同意《用户服务协议》和《隐私政策》", render_kw={"required": True})
    kept = HiddenField()


class PasswordForm(PageForm):
    """修改密码."""

    old_password = _password("原密码", "current-password")
    password = _password("新密码", "new-password")
    confirm_password = _password("确认新密码", "new-password")


class DeletionForm(PageForm):
    """删除账号."""

    login_name = _text("请输入您的登录名以确认", most=16, autocapitalize="none", spellcheck="false")


class RevivalForm(PageForm):
    """恢复使用账号."""

    sms_code = _code()
    request = HiddenField()


class VerificationForm(PageForm):
    """What both kinds of 实名认证 have in common; files are read from the request, not from here."""

    address = _text("联系地址", most=200, autocomplete="street-address")
    document_scan = StringField("证件扫描件")
    explanation = TextAreaField("情况说明", render_kw={"maxlength": 1000, "rows": 4, "required": True})


class NaturalPersonForm(WithCaptcha, VerificationForm):
    """自然人实名认证."""

    real_name = _text("真实姓名", most=60, autocomplete="name")
    document_type = SelectField(
        "证件类型", choices=_choices(CHOOSE | names.DOCUMENT_TYPES), render_kw={"required": True}
    )
    document_number = _text("证件号", most=30, autocapitalize="characters", spellcheck="false")
    valid_from = _text("证件有效起始日期", most=None, type="date")
    valid_until = _text("证件有效结束日期", most=None, type="date", required=False)
    permanent = BooleanField("永久期限")


class LegalPersonForm(VerificationForm):
    """法人实名认证."""

    organization_type = SelectField(
        "企业或机构类型", choices=_choices(CHOOSE | names.ORGANIZATION_TYPES), render_kw={"required": True}
    )
    enterprise_credit_code = _text(
        "统一社会信用代码或机构代码", most=30, autocapitalize="characters", spellcheck="false"
    )
    enterprise_name = _text("法人企业或机构名称", most=100, autocomplete="organization")
    legal_person_type = SelectField(
        "法人类型", choices=_choices(CHOOSE | names.LEGAL_PERSON_TYPES), render_kw={"required": True}
    )
    representative_name = _text("法定代表人姓名", most=60)
    representative_document_type = SelectField(
        "法定代表人证件类型", choices=_choices(CHOOSE | names.DOCUMENT_TYPES), render_kw={"required": True}
    )
    representative_document_number = _text(
        "法定代表人证件号", most=30, autocapitalize="characters", spellcheck="false"
    )
    licence_scan = StringField("营业执照扫描件")


class HandlerApplicationForm(PageForm):
    """经办人申请."""

    enterprise_name = _text("企业名称", most=100, autocomplete="organization")
    enterprise_credit_code = _text(
        "统一社会信用代码", most=30, autocapitalize="characters", spellcheck="false"
    )
    matters = SelectMultipleField("申请办理的事项", choices=_choices(names.MATTERS), validate_choice=False)
    valid_until = _text("授权有效期至", most=None, type="date", required=False)


class EnterpriseForm(PageForm):
    """切换企业."""

    enterprise = StringField("所代表的企业")


class ReviewForm(PageForm):
    """实名认证审核."""

    reason = TextAreaField("驳回原因", render_kw={"maxlength": 500, "rows": 3})


def _lines(label: str) -> Field:
    return TextAreaField(label, render_kw={"rows": 3, "spellcheck": "false", "autocapitalize": "none"})


def _address(label: str) -> Field:
    return _text(label, most=2000, required=False, inputmode="url", spellcheck="false")


_ALGORITHMS = _choices({"": "默认"} | {name: name for name in SIGNING_ALGORITHMS})


class InitialAccessForm(PageForm):
    """签发登记令牌."""

    uses = _text("可登记的应用数", most=None, type="number", min="1", inputmode="numeric")
    ttl = SelectField("有效期", choices=_choices(names.INITIAL_ACCESS_TTLS))


class ClientForm(PageForm):
    """应用登记: RFC 7591 metadata as a person thinks of it; lists one a line."""

    client_name = _text("应用名称", most=200)
    client_id = _text("应用标识（client_id）", most=64, required=False, spellcheck="false")
    application_type = SelectField("应用类型", choices=_choices(names.APPLICATION_TYPES), default="web")
    client_uri = _address("应用网址")
    logo_uri = _address("图标网址")
    policy_uri = _address("隐私政策网址")
    tos_uri = _address("服务协议网址")
    redirect_uris = _lines("登录回调地址")
    post_logout_redirect_uris = _lines("退出后返回地址")
    backchannel_logout_uri = _address("后台退出通知地址")
    frontchannel_logout_uri = _address("浏览器退出通知地址")
    token_endpoint_auth_method = SelectField(
        "认证方式", choices=_choices(names.AUTHENTICATION_METHODS), default="private_key_jwt"
    )
    jwks_uri = _address("公钥地址（jwks_uri）")
    jwks = TextAreaField(
        "公钥（jwks）", render_kw={"rows": 5, "spellcheck": "false", "autocapitalize": "none"}
    )
    grant_types = SelectMultipleField("授权方式", choices=_choices(names.GRANT_TYPES), validate_choice=False)
    scope = TextAreaField(
        "允许的 scope", render_kw={"rows": 2, "spellcheck": "false", "autocapitalize": "none"}
    )
    profile = SelectField("安全要求", choices=_choices(names.PROFILES), default="")
    id_token_signed_response_alg = SelectField("ID 令牌签名算法", choices=_ALGORITHMS, default="")
    access_token_signed_response_alg = SelectField("访问令牌签名算法", choices=_ALGORITHMS, default="")
    default_acr_values = SelectField("登录强度", choices=_choices(names.ACR_VALUES), default="")
    matters = SelectMultipleField("办理的事项", choices=_choices(names.MATTERS), validate_choice=False)
    require_enterprise = BooleanField("只允许代表企业的用户登录")
    roles = _lines("角色代码")
    resources = _lines("受保护的接口地址（resources）")
    further = TextAreaField(
        "其他登记项（JSON）", render_kw={"rows": 4, "spellcheck": "false", "autocapitalize": "none"}
    )

    def _show(self, problem: Problem) -> None:
        """A member without a field of its own was typed among the further ones."""
        if problem.field is None or problem.field in self._fields:
            super()._show(problem)
        else:
            said = f"{problem.field}{translated('：')}{problem_text(problem)}"
            self.further.errors = [
                translated("；").join([*self.further.errors, said])
            ]  # a field shows one text

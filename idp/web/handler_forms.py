"""The forms of handler authorisations."""

from __future__ import annotations

from collections.abc import Mapping

from wtforms import SelectChoice, SelectField, SelectMultipleField, StringField, TextAreaField

from idp.web.forms import TEXT_BOX, PageForm, WithCaptcha
from idp.web.languages import translated
from idp.web.messages import handler_names, names


def choices(table: Mapping[str, str]) -> list[SelectChoice]:
    """A table of names as what can be chosen, in the language of the request."""
    return [SelectChoice(value, translated(text)) for value, text in table.items()]


class HandlerTermsForm(PageForm):
    """What an enterprise gives: matters and validity."""

    matters = SelectMultipleField("授权办理的事项", choices=choices(names.MATTERS), validate_choice=False)
    valid_until = StringField("授权有效期至", widget=TEXT_BOX, render_kw={"type": "date"})


class HandlerInvitationForm(WithCaptcha, HandlerTermsForm):
    """邀请经办人."""

    real_name = StringField("对方姓名", widget=TEXT_BOX, render_kw={"maxlength": 60, "required": True})
    phone = StringField(
        "对方手机号", widget=TEXT_BOX, render_kw={"maxlength": 20, "inputmode": "tel", "required": True}
    )


class HandlerEscalationForm(PageForm):
    """申请平台代审; the file is read from the request, not from here."""

    ground = SelectField("代审事由", choices=choices(handler_names.ESCALATION_GROUNDS), validate_choice=False)
    explanation = TextAreaField("情况说明", render_kw={"maxlength": 1000, "rows": 4, "required": True})
    evidence_scan = StringField("证明材料扫描件")


class EscalationReviewForm(PageForm):
    """平台代审."""

    reason = TextAreaField("审核意见", render_kw={"maxlength": 500, "rows": 3, "required": True})


class RepresentativeForm(PageForm):
    """法定代表人变更."""

    representative_name = StringField(
        "法定代表人姓名",
        widget=TEXT_BOX,
        render_kw={"maxlength": 60, "autocomplete": "off", "required": True},
    )
    representative_document_type = SelectField(
        "法定代表人证件类型", choices=choices(names.DOCUMENT_TYPES), validate_choice=False
    )
    representative_document_number = StringField(
        "法定代表人证件号",
        widget=TEXT_BOX,
        render_kw={"maxlength": 30, "autocomplete": "off", "autocapitalize": "characters", "required": True},
    )


class HandlerForm(HandlerTermsForm):
    """One authorisation: its terms, and a reason for refusing or revoking it."""

    reason_code = SelectField("原因", choices=[], validate_choice=False)
    reason = TextAreaField("补充说明", render_kw={"maxlength": 500, "rows": 2})

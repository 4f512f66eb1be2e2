"""账号找回: by the phone, by a person's document, by an enterprise's credit code."""

from __future__ import annotations

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

from idp import clock
from idp.domain import dates, recovery
from idp.domain.errors import Refusal
from idp.domain.recovery import Sought
from idp.services import finding
from idp.services.finding import Found
from idp.web import captchas
from idp.web.codes import asked_by_script, code_answer, resend_seconds
from idp.web.pages import keeps_typed_values, pages
from idp.web.recovery_forms import FindAccountForm
from idp.web.session import origin, platform

blueprint = pages("finding", __name__)


@blueprint.route("/find-account", methods=["GET", "POST"])
@keeps_typed_values
def find_account() -> ResponseReturnValue:
    """What one still knows, the code to the bound phone, and the answer."""
    form = FindAccountForm()
    if request.method == "GET":
        return _page(form)
    if not form.is_ours():
        return _page(form, 400)
    match request.form.get("action"):
        case captchas.ANOTHER:
            return _page(form)
        case "send_code":
            return _send_code(form)
        case _:
            return _find(form)


def _send_code(form: FindAccountForm) -> ResponseReturnValue:
    """A stranger names whose phone is to ring: only for somebody who has read a captcha."""
    sought, is_person = _sought(form), captchas.is_passed(form)
    if sought is not None and is_person:
        refusal = finding.send_code(platform(), sought, origin())
        if refusal:
            form.refuse(refusal)
    if asked_by_script():
        return code_answer(form)
    return _page(form, 422 if form.problem_texts else 200, sent=not form.problem_texts)


def _find(form: FindAccountForm) -> ResponseReturnValue:
    sought, has_code = _sought(form), form.require("sms_code")
    if sought is None or not has_code:
        return _page(form, 422)
    found = finding.find(platform(), sought, form.text("sms_code"), origin())
    if isinstance(found, Refusal):
        form.refuse(found)
        form.sms_code.data = ""
        return _page(form, 422)
    return _page(form, found=found)


def _sought(form: FindAccountForm) -> Sought | None:
    """What was typed, or None and the problems shown."""
    typed = {field.name: form.text(field.name) for field in form}
    today, allow_test = dates.china_date(clock.now()), platform().settings.allow_test_identities
    sought = recovery.read_sought(_way(), typed, today, allow_test=allow_test)
    if isinstance(sought, Refusal):
        form.refuse(sought)
        return None
    return sought


def _way() -> str:
    """How the account is looked for: by the phone unless the page says otherwise."""
    way = request.form.get("by") or request.args.get("by")
    return way if way in recovery.WAYS else recovery.PHONE


def _page(
    form: FindAccountForm, status: int = 200, *, sent: bool = False, found: Found | None = None
) -> ResponseReturnValue:
    page = render_template(
        "account/find_account.html", form=form, way=_way(), sent=sent, found=found, wait=resend_seconds()
    )
    return make_response(page, status)

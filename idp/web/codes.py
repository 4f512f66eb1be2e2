"""获取验证码 on any form: by the script, which wants JSON, and without it."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from idp.domain.accounts import SMS_RESEND_AFTER, seconds_left
from idp.web import captchas
from idp.web.forms import PageForm
from idp.web.session import platform


def asked_by_script() -> bool:
    """Whether the page stays and wants to know only what became of the code."""
    return request.accept_mimetypes.best == "application/json"


def code_answer(form: PageForm) -> ResponseReturnValue:
    """What the script is told: problems by field, seconds until the next code, the captcha to show."""
    problems = form.problem_texts
    answer: dict[str, object] = {"problems": problems, "wait": resend_seconds()}
    captcha = captchas.described(form) if "captcha" in form else None
    if captcha is not None:
        answer["captcha"] = captcha
    return jsonify(answer), 422 if problems else 200


def resend_seconds() -> int:
    """How long the next code has to wait."""
    return seconds_left(SMS_RESEND_AFTER) if platform().settings.throttle else 0

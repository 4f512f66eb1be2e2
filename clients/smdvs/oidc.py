"""Signing in and out (``/smdvs/login``, ``callback``, ``logout``, ``backchannel-logout``) is the kit's; here
is what is shown, and where one goes on.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Response

from clients.rp.errors import Refusal
from clients.rp.flask import Pages
from clients.rp.sign_in import SignInFailed
from clients.smdvs import messages, pages

SCOPE = "openid profile phone enterprise handler roles accident_report:submit accident_report:read"
DRAFT = re.compile(r"draft-[A-Za-z0-9_-]{22}")
REPORT_NO = re.compile(r"SMDVS-[0-9]{8}-[0-9]{4,8}")


class OurPages(Pages):
    """The kit's messages in the look of smdvs."""

    def failed(self, outcome: SignInFailed | None) -> Response:
        """The sign-in came to nothing."""
        error = None if outcome is None else outcome.error
        text = messages.SIGN_IN_FAULTS.get(error or "", messages.SIGN_IN_FAULT)
        return pages.message("登录没有完成", text, 403 if error == "access_denied" else 400)

    def refused(self, refusal: Refusal, session: Any) -> Response:
        """The door stays shut."""
        return pages.refused(refusal, session=session)

    def forged(self) -> Response:
        """Only signing out is a form of the kit's here."""
        return pages.message("没有退出", "页面已过期，请返回首页后重新退出。", 400)

    def unavailable(self) -> Response:
        """The provider can't be asked."""
        return pages.unavailable()


def then(wanted: str) -> str:
    """The path to go on with after sign-in. ``wanted`` names one of our pages, never an address."""
    if wanted == "new":
        return f"{pages.HOME}reports/new"
    if wanted in ("statistics", "drafts"):
        return pages.HOME + wanted
    if DRAFT.fullmatch(wanted):
        return pages.HOME + "drafts/" + wanted.removeprefix("draft-")
    return pages.HOME + (f"reports/{wanted}" if REPORT_NO.fullmatch(wanted) else "reports")

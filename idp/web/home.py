"""平台首页: the four steps, where this person stands in them, and the way in."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from idp import clock
from idp.services import handlers
from idp.services.authentication import LoginView
from idp.web.pages import pages
from idp.web.session import current_login, platform
from idp.web.steps import Step, steps

blueprint = pages("home", __name__)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """平台首页."""
    return render_template("home.html", steps=steps_of(current_login()))


@blueprint.get("/help")
def guide() -> ResponseReturnValue:
    """在线帮助: the way from registering to reporting, and whom to call."""
    return render_template("help.html")


@blueprint.get("/terms")
def terms() -> ResponseReturnValue:
    """用户服务协议 and 隐私政策."""
    return render_template("terms.html")


def steps_of(login: LoginView | None) -> list[Step]:
    """The step bar of this person; looks up what they may act for."""
    can_act = login is not None and bool(
        handlers.acting_candidates(platform(), login.account_id, clock.now())
    )
    return steps(login, can_act=can_act)

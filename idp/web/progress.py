"""查询: the signed-in person's own 办件."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from idp.services import proceedings
from idp.web.pages import pages
from idp.web.session import current_login, platform

blueprint = pages("progress", __name__)


@blueprint.get("/progress")
def index() -> ResponseReturnValue:
    """Each with its code and state; without a login, what can be asked for here."""
    login = current_login()
    mine = proceedings.list_of_account(platform(), login.account_id) if login else []
    return render_template("progress.html", proceedings=mine)

"""通知公告: the platform's own notices."""

from __future__ import annotations

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from idp.web.messages.bulletins import BULLETINS, BULLETINS_BY_CODE
from idp.web.pages import pages

blueprint = pages("notices", __name__, "/notices")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """All of them, newest first."""
    return render_template("notices/index.html", bulletins=BULLETINS)


@blueprint.get("/<code>")
def show(code: str) -> ResponseReturnValue:
    """One of them."""
    if code not in BULLETINS_BY_CODE:
        abort(404)
    return render_template("notices/show.html", bulletin=BULLETINS_BY_CODE[code])

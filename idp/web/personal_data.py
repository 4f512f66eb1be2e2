"""我的数据: what the platform holds about this person, summed up, and all of it as a file."""

from __future__ import annotations

import json

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.dates import china_date
from idp.domain.errors import Refusal
from idp.services import personal_data
from idp.services.personal_data import PersonalData
from idp.web.messages import problem_text
from idp.web.pages import pages
from idp.web.session import origin, platform, require_login
from idp.web.step_up import require_recent
from idp.web.waiting import note

blueprint = pages("personal_data", __name__, "/account/export")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """The sections with how much there is in each; what identifies is masked."""
    login = require_login()
    return _page(personal_data.look(platform(), login.account_id))


@blueprint.post("")
def download() -> ResponseReturnValue:
    """``action`` = ``download``: the file, after both factors."""
    login = require_login()
    if request.form.get("action") != "download":
        return redirect(url_for("personal_data.index"), 303)
    require_recent(login)
    data = personal_data.export(platform(), login.account_id, origin())
    if isinstance(data, Refusal):
        note(data)
        return _page(personal_data.look(platform(), login.account_id), problem_text(data.problems[0]), 422)
    return _file(data)


def _file(data: PersonalData) -> Response:
    text = json.dumps(data.as_json(), ensure_ascii=False, indent=2)
    response = Response(text, mimetype="application/json")
    name = f"my-data-{china_date(data.taken_at).isoformat()}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(data: PersonalData, problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    return make_response(render_template("user_centre/export.html", data=data, problem=problem), status)

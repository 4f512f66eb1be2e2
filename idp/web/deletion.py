"""删除账号."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.account_life import DELETION_PAUSE
from idp.services import deletion
from idp.services.authentication import LoginView
from idp.web import session
from idp.web.forms import DeletionForm
from idp.web.messages import notify
from idp.web.pages import keeps_typed_values, pages
from idp.web.session import origin, platform, require_login
from idp.web.step_up import require_recent

blueprint = pages("deletion", __name__, "/account/deletion")


@blueprint.route("", methods=["GET", "POST"])
@keeps_typed_values
def index() -> ResponseReturnValue:
    """What will happen, what stands in the way, and the confirmation by typing the login name."""
    login = require_login()
    form = DeletionForm()
    if request.method == "GET":
        return _page(form, login)
    if not form.is_ours():
        return _page(form, login, 400)
    require_recent(login)
    refusal = deletion.request(platform(), login.account_id, form.text("login_name"), origin())
    if refusal is not None:
        form.refuse(refusal)
        return _page(form, login, 422)
    session.sign_out()
    notify("deletion_requested")
    return redirect(url_for("home.index"), 303)


def _page(form: DeletionForm, login: LoginView, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "user_centre/deletion.html",
        form=form,
        view=deletion.look(login.account_id),
        pause_days=DELETION_PAUSE.days,
    )
    return make_response(page, status)

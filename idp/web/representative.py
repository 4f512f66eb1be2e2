"""法定代表人变更: the enterprise's account says who represents it now."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.services import representatives
from idp.web.enterprise import require_legal_person
from idp.web.handler_forms import RepresentativeForm
from idp.web.messages import notify
from idp.web.pages import keeps_typed_values, pages
from idp.web.session import origin, platform
from idp.web.step_up import require_recent

blueprint = pages("representative", __name__, "/enterprise/representative")


@blueprint.route("", methods=["GET", "POST"])
@keeps_typed_values
def index() -> ResponseReturnValue:
    """The form; afterwards the account signs in anew."""
    login, enterprise_id = require_legal_person()
    form = RepresentativeForm()
    if request.method == "GET":
        return _page(form)
    if not form.is_ours():
        return _page(form, 400)
    require_recent(login)
    typed = {name: form.text(name) for name in representatives.FIELDS}
    refusal = representatives.change(platform(), login.account_id, enterprise_id, typed, origin())
    if refusal:
        form.refuse(refusal)
        return _page(form, 422)
    notify("representative_changed_sign_in")
    return redirect(url_for("account.login"), 303)


def _page(form: RepresentativeForm, status: int = 200) -> ResponseReturnValue:
    return make_response(render_template("enterprise/representative.html", form=form), status)

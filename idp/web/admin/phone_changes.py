"""/admin/reviews/phone-changes: the queue of lost phones, and the decision."""

from __future__ import annotations

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp import clock
from idp.domain.errors import Refusal
from idp.services import phone_change_reviews
from idp.web.admin.console import admin_pages
from idp.web.admin.paging import page_number
from idp.web.forms import ReviewForm
from idp.web.messages import notify
from idp.web.pages import keeps_typed_values
from idp.web.scan_files import scan_response
from idp.web.session import origin, platform, require_administrator
from idp.web.step_up import require_recent

DECIDED = {"approve": "phone_change_approved", "reject": "phone_change_rejected"}

blueprint = admin_pages("phone_changes", __name__, "/admin/reviews/phone-changes")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """The applications that wait, the oldest first."""
    page = page_number()
    return render_template(
        "admin/phone_changes.html",
        changes=phone_change_reviews.list_pending(platform(), page),
        page=page,
        page_size=phone_change_reviews.PAGE_SIZE,
    )


@blueprint.route("/<phone_change_id>", methods=["GET", "POST"])
@keeps_typed_values
def review(phone_change_id: str) -> ResponseReturnValue:
    """One application beside its document, and the decision."""
    form = ReviewForm()
    if request.method == "GET":
        return _page(form, phone_change_id)
    if not form.is_ours():
        return _page(form, phone_change_id, 400)
    login = require_administrator()
    require_recent(login)
    decision = request.form.get("decision", "")
    refusal = phone_change_reviews.decide(
        platform(), phone_change_id, decision, form.text("reason"), login.account_id, origin()
    )
    if refusal is not None:
        form.refuse(refusal)
        return _page(form, phone_change_id, 422)
    notify(DECIDED[decision])
    return redirect(url_for("phone_changes.index"), 303)


@blueprint.get("/<phone_change_id>/scan")
def scan(phone_change_id: str) -> ResponseReturnValue:
    """The document; that it was seen is in the audit trail."""
    actor = require_administrator().account_id
    document = phone_change_reviews.get_scan(platform(), phone_change_id, actor, origin())
    if isinstance(document, Refusal):
        abort(404)
    return scan_response(document.content, document.content_type, phone_change_id)


def _page(form: ReviewForm, phone_change_id: str, status: int = 200) -> ResponseReturnValue:
    view = phone_change_reviews.get(platform(), phone_change_id)
    if isinstance(view, Refusal):
        abort(404)
    page = render_template("admin/phone_change.html", form=form, change=view, now=clock.now())
    return make_response(page, status)

"""/admin/reviews/phone-changes: the queue of lost phones, and the decision."""

from __future__ import annotations

from flask import abort, make_response, render_template
from flask.typing import ResponseReturnValue

from idp import clock
from idp.domain.errors import Refusal
from idp.services import phone_change_reviews
from idp.web.admin import review_form
from idp.web.admin.console import admin_pages
from idp.web.admin.paging import page_number
from idp.web.forms import ReviewForm
from idp.web.pages import keeps_typed_values
from idp.web.scan_files import scan_response
from idp.web.session import origin, platform, require_administrator

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

    def page(status: int) -> ResponseReturnValue:
        view = phone_change_reviews.get(platform(), phone_change_id)
        if isinstance(view, Refusal):
            abort(404)
        text = render_template("admin/phone_change.html", form=form, change=view, now=clock.now())
        return make_response(text, status)

    def decide(actor: str, decision: str, reason: str) -> Refusal | None:
        return phone_change_reviews.decide(platform(), phone_change_id, decision, reason, actor, origin())

    return review_form.review(form, page, decide, DECIDED, "phone_changes.index")


@blueprint.get("/<phone_change_id>/scan")
def scan(phone_change_id: str) -> ResponseReturnValue:
    """The document; that it was seen is in the audit trail."""
    actor = require_administrator().account_id
    document = phone_change_reviews.get_scan(platform(), phone_change_id, actor, origin())
    if isinstance(document, Refusal):
        abort(404)
    return scan_response(document.content, document.content_type, phone_change_id)

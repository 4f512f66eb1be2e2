"""/admin/reviews: 人工实名认证, the queue and the decision."""

from __future__ import annotations

from flask import abort, make_response, render_template
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.services import real_name, reviews
from idp.web.admin import review_form
from idp.web.admin.console import admin_pages
from idp.web.admin.paging import page_number
from idp.web.forms import ReviewForm
from idp.web.pages import keeps_typed_values
from idp.web.scan_files import scan_response
from idp.web.session import origin, platform, require_administrator

DECIDED = {"approve": "review_approved", "reject": "review_rejected"}

blueprint = admin_pages("reviews", __name__, "/admin/reviews")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """The submissions that wait, the oldest first."""
    page = page_number()
    pending = reviews.list_pending(platform(), page)
    return render_template("admin/reviews.html", reviews=pending, page=page, page_size=reviews.PAGE_SIZE)


@blueprint.route("/<review_id>", methods=["GET", "POST"])
@keeps_typed_values
def review(review_id: str) -> ResponseReturnValue:
    """One submission with its scans, and the decision."""
    form = ReviewForm()

    def page(status: int) -> ResponseReturnValue:
        view = reviews.get_review(platform(), review_id)
        if isinstance(view, Refusal):
            abort(404)
        return make_response(render_template("admin/review.html", form=form, review=view), status)

    def decide(actor: str, decision: str, reason: str) -> Refusal | None:
        return real_name.decide(platform(), review_id, decision, reason, actor, origin())

    return review_form.review(form, page, decide, DECIDED, "reviews.index")


@blueprint.get("/scans/<upload_id>")
def scan(upload_id: str) -> ResponseReturnValue:
    """The content of one scan; that it was seen is in the audit trail."""
    actor = require_administrator().account_id
    upload = reviews.get_upload(platform(), upload_id, actor, origin())
    if isinstance(upload, Refusal):
        abort(404)
    return scan_response(upload.content, upload.content_type, upload.id)

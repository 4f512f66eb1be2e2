"""/admin/reviews: 人工实名认证, the queue and the decision."""

from __future__ import annotations

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.services import real_name, reviews
from idp.web.admin.console import admin_pages
from idp.web.admin.paging import page_number
from idp.web.forms import ReviewForm
from idp.web.messages import notify
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
    if request.method == "GET":
        return _page(form, review_id)
    if not form.is_ours():
        return _page(form, review_id, 400)
    decision = request.form.get("decision", "")
    actor = require_administrator().account_id
    refusal = real_name.decide(platform(), review_id, decision, form.text("reason"), actor, origin())
    if refusal is not None:
        form.refuse(refusal)
        return _page(form, review_id, 422)
    notify(DECIDED[decision])
    return redirect(url_for("reviews.index"), 303)


@blueprint.get("/scans/<upload_id>")
def scan(upload_id: str) -> ResponseReturnValue:
    """The content of one scan; that it was seen is in the audit trail."""
    actor = require_administrator().account_id
    upload = reviews.get_upload(platform(), upload_id, actor, origin())
    if isinstance(upload, Refusal):
        abort(404)
    return scan_response(upload.content, upload.content_type, upload.id)


def _page(form: ReviewForm, review_id: str, status: int = 200) -> ResponseReturnValue:
    view = reviews.get_review(platform(), review_id)
    if isinstance(view, Refusal):
        abort(404)
    return make_response(render_template("admin/review.html", form=form, review=view), status)

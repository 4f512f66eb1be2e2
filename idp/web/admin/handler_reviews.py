"""/admin/reviews/handlers: 平台代审, the queue and the decision in an enterprise's place."""

from __future__ import annotations

from typing import Final

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.services import handler_escalation_views as views
from idp.services import handler_escalations
from idp.web.admin.console import admin_pages
from idp.web.admin.paging import page_number
from idp.web.handler_forms import HandlerReviewForm
from idp.web.messages import notify
from idp.web.pages import keeps_typed_values
from idp.web.session import origin, platform, require_administrator
from idp.web.step_up import require_recent

DECIDED: Final = {"approve": "handler_escalation_approved", "reject": "review_rejected"}

blueprint = admin_pages("admin_handlers", __name__, "/admin/reviews/handlers")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """What waits, the oldest first."""
    page = page_number()
    return render_template(
        "admin/handler_reviews.html",
        reviews=views.list_pending(platform(), page),
        page=page,
        page_size=views.PAGE_SIZE,
    )


@blueprint.route("/<escalation_id>", methods=["GET", "POST"])
@keeps_typed_values
def review(escalation_id: str) -> ResponseReturnValue:
    """One of them with its evidence, and the decision."""
    form = HandlerReviewForm()
    if request.method == "GET":
        return _page(form, escalation_id)
    if not form.is_ours():
        return _page(form, escalation_id, 400)
    login = require_administrator()
    require_recent(login)
    decision = request.form.get("decision", "")
    refusal = handler_escalations.decide(
        platform(), login.account_id, escalation_id, decision, form.text("reason"), origin()
    )
    if refusal is not None:
        form.refuse(refusal)
        return _page(form, escalation_id, 422)
    notify(DECIDED[decision])
    return redirect(url_for("admin_handlers.index"), 303)


def _page(form: HandlerReviewForm, escalation_id: str, status: int = 200) -> ResponseReturnValue:
    view = views.find(platform(), escalation_id)
    if view is None:
        abort(404)
    return make_response(render_template("admin/handler_review.html", form=form, review=view), status)

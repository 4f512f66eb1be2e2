"""/admin/reviews/handlers: 平台代审, the queue and the decision in an enterprise's place."""

from __future__ import annotations

from typing import Final

from flask import abort, make_response, render_template
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.services import handler_escalation_views as views
from idp.services import handler_escalations
from idp.web.admin import review_form
from idp.web.admin.console import admin_pages
from idp.web.admin.paging import page_number
from idp.web.handler_forms import EscalationReviewForm
from idp.web.pages import keeps_typed_values
from idp.web.session import origin, platform

DECIDED: Final = {"approve": "handler_escalation_approved", "reject": "review_rejected"}

blueprint = admin_pages("escalation_reviews", __name__, "/admin/reviews/handlers")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """What waits, the oldest first."""
    page = page_number()
    return render_template(
        "admin/handler_escalations.html",
        reviews=views.list_pending(platform(), page),
        page=page,
        page_size=views.PAGE_SIZE,
    )


@blueprint.route("/<escalation_id>", methods=["GET", "POST"])
@keeps_typed_values
def review(escalation_id: str) -> ResponseReturnValue:
    """One of them with its evidence, and the decision."""
    form = EscalationReviewForm()

    def page(status: int) -> ResponseReturnValue:
        view = views.find(platform(), escalation_id)
        if view is None:
            abort(404)
        return make_response(render_template("admin/handler_escalation.html", form=form, review=view), status)

    def decide(actor: str, decision: str, reason: str) -> Refusal | None:
        return handler_escalations.decide(platform(), actor, escalation_id, decision, reason, origin())

    return review_form.review(form, page, decide, DECIDED, "escalation_reviews.index")

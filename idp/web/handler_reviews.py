"""经办人复核: twice a year an enterprise looks at each of its handlers, and at those who are suspended."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.services import handler_decisions, handler_reviews
from idp.services.authentication import LoginView
from idp.services.handler_decisions import Decision
from idp.web import session
from idp.web.enterprise import require_legal_person
from idp.web.messages import notify, notify_refusal
from idp.web.pages import pages
from idp.web.session import origin, platform
from idp.web.step_up import require_recent

LONGEST_LIST: Final = 200

blueprint = pages("handler_reviews", __name__, "/enterprise/handlers/review")


@blueprint.get("")
def review() -> ResponseReturnValue:
    """Every handler with the last use, those to look at first."""
    _, enterprise_id = require_legal_person()
    return render_template(
        "enterprise/review.html", rows=handler_reviews.list_rows(platform(), enterprise_id)
    )


@blueprint.post("")
def confirm() -> ResponseReturnValue:
    """Confirm those ticked (``handlers``), or revoke one (``revoke``)."""
    login, enterprise_id = require_legal_person()
    require_recent(login)
    if "revoke" in request.form:
        return _revoke(login, request.form["revoke"])
    chosen = request.form.getlist("handlers")[:LONGEST_LIST]
    result = handler_reviews.confirm(platform(), login.account_id, enterprise_id, chosen, origin())
    if isinstance(result, Refusal):
        notify_refusal(result)
    else:
        session.renew_token()
        notify("handlers_confirmed", count=result)
    return redirect(url_for("handler_reviews.review"), 303)


def _revoke(login: LoginView, authorization_id: str) -> ResponseReturnValue:
    result = handler_decisions.decide(
        platform(), login.account_id, authorization_id, Decision("revoke"), origin()
    )
    if isinstance(result, Refusal):
        notify_refusal(result)
    else:
        session.renew_token()
        notify("handler_revoked", name=result.applicant_login_name)
    return redirect(url_for("handler_reviews.review"), 303)

"""The one way of a reviewer's decision, whatever is reviewed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.errors import Refusal
from idp.web.forms import PageForm
from idp.web.messages import notify
from idp.web.session import require_administrator
from idp.web.step_up import require_recent

Page = Callable[[int], ResponseReturnValue]
"""The thing under review with the form, under this HTTP status."""
Decide = Callable[[str, str, str], Refusal | None]
"""Of the reviewer's account, the ``decision`` and its ``reason``."""


def review(
    form: PageForm, page: Page, decide: Decide, notices: Mapping[str, str], queue: str
) -> ResponseReturnValue:
    """Show the page, or decide and go back to the endpoint of the ``queue`` with the notice of the decision.

    A decision gives somebody an identity, a phone or a mandate: it needs both factors, shown of late.
    """
    if request.method == "GET":
        return page(200)
    if not form.is_ours():
        return page(400)
    login = require_administrator()
    require_recent(login)
    decision = request.form.get("decision", "")
    refusal = decide(login.account_id, decision, form.text("reason"))
    if refusal is not None:
        form.refuse(refusal)
        return page(422)
    notify(notices[decision])
    return redirect(url_for(queue), 303)

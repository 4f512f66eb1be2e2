"""/admin/keys: the keys, where each stands, and adding a successor."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp import clock
from idp.domain.errors import Refusal
from idp.services import keys
from idp.web.admin.console import admin_pages
from idp.web.messages import notify, notify_refusal
from idp.web.session import origin, platform, require_administrator

blueprint = admin_pages("keys", __name__, "/admin/keys")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Every key by algorithm, newest first."""
    return render_template("admin/keys.html", keys=platform().keyring.list_keys(clock.now()))


@blueprint.post("")
def rotate() -> ResponseReturnValue:
    """Add a key of one algorithm."""
    actor = require_administrator().account_id
    outcome = keys.rotate(platform(), request.form.get("algorithm", ""), origin(), actor)
    if isinstance(outcome, Refusal):
        notify_refusal(outcome)
    else:
        notify("key_rotated")
    return redirect(url_for("keys.index"), 303)

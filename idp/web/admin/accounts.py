"""/admin/accounts: finding accounts, the roles they have at clients, 冻结 and 解冻."""

from __future__ import annotations

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.domain.account_life import read_reason
from idp.domain.errors import Refusal
from idp.services import account_status, accounts, clients
from idp.web.admin.console import admin_pages
from idp.web.admin.paging import page_number
from idp.web.messages import notify, notify_refusal
from idp.web.session import origin, platform, require_administrator

LONGEST_SEARCH = 64

blueprint = admin_pages("accounts", __name__, "/admin/accounts")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Accounts by login name."""
    search, page = request.args.get("q", "")[:LONGEST_SEARCH].strip(), page_number()
    found = accounts.list_accounts(platform(), search, page)
    return render_template(
        "admin/accounts.html", accounts=found, search=search, page=page, page_size=accounts.PAGE_SIZE
    )


@blueprint.get("/<account_id>")
def show(account_id: str) -> ResponseReturnValue:
    """One account, masked, with its roles."""
    profile = accounts.find_profile(platform(), account_id)
    if profile is None:
        abort(404)
    return make_response(
        render_template(
            "admin/account.html",
            account_id=account_id,
            profile=profile,
            roles=accounts.list_roles(platform(), account_id),
            clients=[client for client in clients.list_clients(platform()) if client.metadata.get("roles")],
        )
    )


@blueprint.post("/<account_id>/status")
def change_status(account_id: str) -> ResponseReturnValue:
    """Freeze or unfreeze (``action``), for a ``reason`` that the trail keeps."""
    actor = require_administrator().account_id
    freezing = request.form.get("action") == "freeze"
    reason = read_reason(request.form.get("reason", ""))
    if reason is None:
        refusal: Refusal | None = Refusal.of("required", "freeze_reason")
    else:
        change = account_status.freeze if freezing else account_status.unfreeze
        refusal = change(platform(), account_id, origin(), actor, reason)
    if refusal is None:
        notify("account_frozen" if freezing else "account_unfrozen")
    else:
        notify_refusal(refusal)
    return redirect(url_for("accounts.show", account_id=account_id), 303)


@blueprint.post("/<account_id>")
def change_role(account_id: str) -> ResponseReturnValue:
    """Give or take one role (``role`` is "client_id role")."""
    actor = require_administrator().account_id
    client_id, _, role = request.form.get("role", "").partition(" ")
    granted = request.form.get("action") == "grant"
    outcome = accounts.set_role(platform(), account_id, client_id, role, granted, origin(), actor)
    if isinstance(outcome, Refusal):
        notify_refusal(outcome)
    else:
        notify("role_granted" if granted else "role_withdrawn")
    return redirect(url_for("accounts.show", account_id=account_id), 303)

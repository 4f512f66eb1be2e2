"""系统绑定: the systems this account uses, what they learn, and taking it back; those it may add."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp import clock
from idp.services import handlers, systems
from idp.services.authentication import LoginView
from idp.services.systems import SystemView
from idp.web.messages import notify, shared_data
from idp.web.pages import pages
from idp.web.session import origin, platform, require_login

blueprint = pages("systems", __name__, "/account/systems")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Bound systems first, then those of the register that may be added."""
    login = require_login()
    bound = systems.list_bound(platform(), login.account_id)
    known = {one.system.client_id for one in bound}
    others = [system for system in systems.list_connected(platform()) if system.client_id not in known]
    return render_template(
        "user_centre/systems.html",
        bound=bound,
        others=[(system, _may_enter(login, system)) for system in others],
        shared_data=shared_data,
    )


@blueprint.post("")
def unbind() -> ResponseReturnValue:
    """End the binding to one system: consents, tokens, and its sessions."""
    login = require_login()
    if systems.unbind(platform(), login.account_id, request.form.get("client_id", ""), origin()):
        notify("system_unbound")
    return redirect(url_for("systems.index"), 303)


def _may_enter(login: LoginView, system: SystemView) -> bool:
    """Whether the account has what the system needs: an enterprise to act for, with one of its matters."""
    if not (system.matters or system.require_enterprise):
        return True
    candidates = handlers.acting_candidates(platform(), login.account_id, clock.now())
    return any(
        acting.account_type == "legal_person"
        or not system.matters
        or set(acting.matters) & set(system.matters)
        for acting in candidates
    )

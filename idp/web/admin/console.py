"""/admin: the console's first page, and the blueprint of a page that only administrators see."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from idp.services import clients, deliveries, phone_change_reviews, reviews
from idp.web.pages import pages
from idp.web.session import platform, require_administrator


def admin_pages(name: str, module: str, url_prefix: str) -> Blueprint:
    """A blueprint whose every view is for administrators."""
    blueprint = pages(name, module, url_prefix)
    blueprint.before_request(_check_administrator)
    return blueprint


def _check_administrator() -> None:
    require_administrator()


blueprint = admin_pages("console", __name__, "/admin")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """What waits for an administrator."""
    return render_template(
        "admin/index.html",
        pending=reviews.count_pending(platform()),
        phone_changes=phone_change_reviews.count_pending(platform()),
        undelivered=deliveries.count_undelivered(),
        clients=clients.list_clients(platform()),
    )

"""``/smdvs/dev/outbox``: the messages as development sees them. In production there is no such page."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from clients.smdvs import outbox, pages
from clients.smdvs.cookies import system

blueprint = Blueprint("dev", __name__, url_prefix="/smdvs/dev")


@blueprint.before_request
def only_in_development() -> None:
    """Phones in clear are for nobody else's eyes."""
    if system().settings.env != "development":
        abort(404)


@blueprint.get("/outbox")
def show_outbox() -> Response:
    """The newest messages, with the phones they go to."""
    return pages.render("dev_outbox.html", messages=outbox.list_recent(system()))

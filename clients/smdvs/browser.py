"""The home page of smdvs."""

from __future__ import annotations

from flask import Blueprint, Response, request

from clients.smdvs import doors, pages

blueprint = Blueprint("browser", __name__, url_prefix="/smdvs")


@blueprint.get("/")
def home() -> Response:
    """首页: what this is, how to get in."""
    row = doors.find_session()
    return pages.render("home.html", session=row, signed_out=row is None and "state" in request.args)

"""The home page of smdvs."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, request

from clients.rp import clock
from clients.rp.errors import ProviderUnavailable, Refusal
from clients.smdvs import doors, pages, todo
from clients.smdvs.cookies import system
from clients.smdvs.storage.sessions import BrowserSession
from clients.smdvs.todo import Item

blueprint = Blueprint("browser", __name__, url_prefix="/smdvs")


@blueprint.get("/")
def home() -> Response:
    """首页: what this is, how to get in."""
    row = doors.find_session()
    signed_out = row is None and "state" in request.args
    return pages.render("home.html", session=row, signed_out=signed_out, todo=_todo(row))


def _todo(row: BrowserSession | None) -> Sequence[Item]:
    """What an enterprise has to do next; nothing without leave to read, or when it can't be asked for."""
    if row is None or row.account_type not in ("handler", "legal_person"):
        return ()
    try:
        reader = doors.reader_or_refusal(row)
    except ProviderUnavailable:
        return ()
    return () if isinstance(reader, Refusal) else todo.of_enterprise(system(), reader, clock.now())

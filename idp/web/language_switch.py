"""The switch in the header: 简体中文 or English, without JavaScript, and back to the same page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from idp.domain.languages import LANGUAGES
from idp.oauth import authorization
from idp.web.languages import cookie_name
from idp.web.pages import pages
from idp.web.session import is_secure, platform

REMEMBERED = timedelta(days=365)
OWN_ADDRESS = re.compile(r"/(?!/)[^\\\s]*")
LONGEST_QUERY = 2000
# What leads back to a form after it was sent.
FIELDS_OF_PAGES = ("request", "subject_type", "manual")

blueprint = pages("languages", __name__)


def register(app: Flask) -> None:
    """Let templates lead here."""
    app.jinja_env.globals["language_switch"] = address


def address(tag: str) -> str:
    """Where this page is shown in another language."""
    return url_for("languages.choose", to=tag, back=_here())


def _here() -> str:
    """The address that shows this page again, also after a form was sent; home where there is none."""
    rule = request.url_rule
    if rule is not None and "GET" not in (rule.methods or ()):
        return url_for("home.index")
    query = request.query_string.decode("utf-8", "replace")
    if request.method == "POST":
        query = urlencode({name: value for name, value in _sent().items() if name in FIELDS_OF_PAGES})
    path = request.script_root + request.path
    return f"{path}?{query}" if 0 < len(query) <= LONGEST_QUERY else path


def _sent() -> Mapping[str, str]:
    try:
        return request.form
    except HTTPException:  # too large, which is what this page says
        return {}


@blueprint.get("/language")
def choose() -> ResponseReturnValue:
    """Remember the choice in this browser, and go back to the page of ours that it was made on."""
    tag, back = request.args.get("to", ""), request.args.get("back", "")
    if tag not in LANGUAGES:
        abort(404)
    response = redirect(_without_wish(back) if OWN_ADDRESS.fullmatch(back) else url_for("home.index"), 303)
    response.set_cookie(
        cookie_name(), tag, max_age=REMEMBERED, path="/", secure=is_secure(), httponly=True, samesite="Lax"
    )
    return response


def _without_wish(back: str) -> str:
    """The same address, no longer with the language that a client wished for: the person has chosen."""
    parts = urlsplit(back)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    _forget_wish(query.get("request", ""))
    if "ui_locales" not in query:
        return back
    del query["ui_locales"]
    return parts._replace(query=urlencode(query)).geturl()


def _forget_wish(request_id: str) -> None:
    waiting = authorization.find(platform(), request_id) if request_id else None
    if waiting is not None and waiting.language is not None:
        authorization.save(platform(), request_id, replace(waiting, language=None))

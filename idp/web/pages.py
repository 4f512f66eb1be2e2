"""What every blueprint of pages does before a view runs: body limits, well-formed input, CSRF."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from flask import Blueprint, abort, current_app, g, request
from flask.typing import RouteCallable
from flask_wtf.csrf import CSRFError, CSRFProtect

from idp.web.errors import PageExpired

csrf = CSRFProtect()

UPLOAD_BYTES = 12 * 1024 * 1024
REPEATABLE = frozenset({"matters", "grant_types", "handlers"})
HOSTILE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\ud800-\udfff]")

View = TypeVar("View", bound=RouteCallable)


def pages(name: str, module: str, url_prefix: str | None = None) -> Blueprint:
    """A blueprint whose every request is checked before its view sees it."""
    blueprint = Blueprint(name, module, url_prefix=url_prefix)
    blueprint.before_request(_limit_body)
    blueprint.before_request(_refuse_malformed)
    blueprint.before_request(_check_csrf)
    return blueprint


def takes_uploads(view: View) -> View:
    """Mark a view whose body may be as large as its scans."""
    # A function may have attributes, whatever mypy thinks; here and below.
    view.takes_uploads = True  # type: ignore[union-attr]
    return view


def keeps_typed_values(view: View) -> View:
    """Mark a view whose form says itself that the page has expired, with what was typed still in it."""
    view.keeps_typed_values = True  # type: ignore[union-attr]
    return view


def refuse_forged() -> None:
    """What a view so marked calls that has no form of its own."""
    if not g.get("csrf_valid", True):
        raise PageExpired


def _is_marked(mark: str) -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, mark, False))


def _limit_body() -> None:
    if _is_marked("takes_uploads"):
        request.max_content_length = UPLOAD_BYTES


def _refuse_malformed() -> None:
    """400 for repeated fields, control characters, and what isn't UTF-8.

    Of a multipart body Werkzeug makes U+FFFD in that case; of the other kind it would keep the escapes.
    """
    if not (_is_utf8(request.query_string) and _is_utf8(_urlencoded_body())):
        abort(400)
    for name, values in _inputs():
        if len(values) > 1 and name not in REPEATABLE:
            abort(400)
        if any(HOSTILE.search(text) for text in (name, *values)):
            abort(400)


def _urlencoded_body() -> bytes:
    return request.get_data() if request.mimetype == "application/x-www-form-urlencoded" else b""


def _is_utf8(encoded: bytes) -> bool:
    try:
        unquote_to_bytes(encoded).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _inputs() -> Iterator[tuple[str, list[str]]]:
    yield from request.args.lists()
    yield from request.form.lists()
    for name, files in request.files.lists():
        yield name, [file.filename or "" for file in files]
    for name, value in (request.view_args or {}).items():
        yield name, [str(value)]


def _check_csrf() -> None:
    """Refuse a form that didn't come from a page of ours.

    A view that keeps typed values goes on: its form then doesn't validate and shows the page again.
    """
    try:
        csrf.protect()
    except CSRFError as error:
        if not _is_marked("keeps_typed_values"):
            raise PageExpired from error
        g.csrf_valid = False

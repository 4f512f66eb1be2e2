"""Which page of a list was asked for."""

from __future__ import annotations

from flask import request

LAST_PAGE = 100_000


def page_number() -> int:
    """The ``page`` of the query, from 1; anything else is the first."""
    text = request.args.get("page", "1")
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 7 else 1

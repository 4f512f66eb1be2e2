"""Answers that say when to come back: 429 with ``Retry-After`` (RFC 6585, RFC 9110), for every refusal that
only time lifts. A form or a page says the same in words.
"""

from __future__ import annotations

from flask import Flask, Response, g

from idp.domain.errors import Refusal

SECONDS_UNTIL_BACK = 10  # for what we hope


def register(app: Flask) -> None:
    """Turn the refusals that were noted into the status and header of their response."""
    app.after_request(_write_retry_after)


def note(refusal: Refusal) -> None:
    """This request was refused; nothing follows unless the refusal names a time, or that we are the fault."""
    wait = refusal.retry_after
    if refusal.code == "service_unavailable":
        g.retry_status, wait = 503, SECONDS_UNTIL_BACK
    if wait is not None:
        g.retry_after = max(wait, g.get("retry_after", 0))


def _write_retry_after(response: Response) -> Response:
    wait = g.get("retry_after")
    if wait is not None and 400 <= response.status_code < 500:
        response.status_code = g.get("retry_status", 429)
        response.headers["Retry-After"] = str(wait)
    return response

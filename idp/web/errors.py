"""Error pages: calm, in words, never a trace; JSON for programs."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from idp.domain.errors import Refusal
from idp.ephemeral import EphemeralUnavailable
from idp.storage.database import CHANGED_MEANWHILE, UNAVAILABLE
from idp.web import waiting
from idp.web.messages import problem_text

PAGES_OF_THE_PROTOCOL = ("/oauth/authorize", "/oauth/logout")


class PageExpired(Exception):
    """The form's CSRF value is missing, wrong or too old."""


class StrongSignInNeeded(Exception):
    """Signed in, and allowed here, but not strongly enough; step_up.py shows the way."""


class Forbidden(Exception):
    """Signed in, but not allowed here; ``reason`` is a code of messages.ERROR_PAGES."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooOften(Exception):
    """Not now, and ``refusal`` says when: for what has no form of its own to say it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def register(app: Flask) -> None:
    """Answer every error of the application."""
    app.register_error_handler(PageExpired, lambda _error: error_page("page_expired", 400))
    app.register_error_handler(Forbidden, lambda error: error_page(error.reason, 403))
    app.register_error_handler(TooOften, _too_often)
    app.register_error_handler(HTTPException, _http_error)
    unavailable: tuple[type[Exception], ...] = (EphemeralUnavailable, *UNAVAILABLE)
    for kind in unavailable:
        app.register_error_handler(kind, _unavailable)
    for kind in CHANGED_MEANWHILE:
        app.register_error_handler(kind, _changed_meanwhile(app))
    app.register_error_handler(Exception, _unexpected(app))


def error_page(code: str, status: int, said: str | None = None) -> Response:
    """The page that says what happened and what to do; ``code`` is a key of messages.ERROR_PAGES.

    ``said`` is a sentence for just this case, in place of the table's.
    """
    if _wants_json():
        return _json_error(status)
    if status >= 500:
        g.login = None  # what failed may be needed to look it up
    return make_response(render_template("errors/error.html", code=code, status=status, said=said), status)


def _wants_json() -> bool:
    if request.path.startswith(("/oauth/", "/.well-known/")):
        return not request.path.startswith(PAGES_OF_THE_PROTOCOL)
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"]) == "application/json"


def _json_error(status: int) -> Response:
    error = (
        "temporarily_unavailable" if status == 503 else "server_error" if status >= 500 else "invalid_request"
    )
    response = jsonify(error=error)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response


def _http_error(error: HTTPException) -> Response:
    if error.response is not None:  # abort(redirect(...))
        return make_response(error.response)
    status = error.code or 500
    if status < 400:  # a redirect of the router
        return make_response(error.get_response())
    response = error_page(f"http_{status}", status)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _too_often(error: TooOften) -> Response:
    waiting.note(error.refusal)
    return error_page("http_429", 429, problem_text(error.refusal.problems[0]))


def _unavailable(_error: Exception) -> Response:
    response = error_page("http_503", 503)
    response.headers["Retry-After"] = str(waiting.SECONDS_UNTIL_BACK)
    return response


def _changed_meanwhile(app: Flask) -> Callable[[Exception], Response]:
    """Nothing was done, and doing it again shows what is left; the log tells if the fault is ours."""

    def handle(error: Exception) -> Response:
        app.logger.warning("the database refused a change", exc_info=error)
        return error_page("http_409", 409)

    return handle


def _unexpected(app: Flask) -> Callable[[Exception], Response]:
    def handle(error: Exception) -> Response:
        app.logger.error("unexpected error", exc_info=error)
        return error_page("http_500", 500)

    return handle

"""How what programs are told leaves: as JSON or as a JWT that nobody caches (RFC 6749 §5.1, 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import orjson
from authlib.oauth2.rfc6749.errors import OAuth2Error
from werkzeug.http import HTTP_STATUS_CODES

_JSON: Final = "application/json"
_STATUS_LINES: Final = {code: f"{code} {phrase}" for code, phrase in HTTP_STATUS_CODES.items()}


class Reply:
    """A whole answer as a WSGI application: status, headers, octets.

    Werkzeug's Response, made for pages, costs a tenth of a token request (docs/adr/0006); what programs are
    told has no cookies, ranges or conditions. Header values are our own words, never a stranger's.
    """

    __slots__ = ("_body", "_status", "headers")

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        self._body = body
        self._status = status
        self.headers = {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **headers,
        }

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Reply; a HEAD request gets the headers alone (RFC 9110 §9.3.2)."""
        headers = list(self.headers.items())
        if self._status != 204:  # which has no length (RFC 9110 §8.6)
            headers.append(("Content-Length", str(len(self._body))))
        start_response(_STATUS_LINES[self._status], headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else (self._body,)


def json_reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON document."""
    return Reply(orjson.dumps(body), status, {"Content-Type": _JSON, **(headers or {})})


def jwt_reply(token: str, media_type: str) -> Reply:
    """A JWT as its own kind of document."""
    return Reply(token.encode(), 200, {"Content-Type": media_type})


def nothing() -> Reply:
    """Done, and nothing to say of it (204)."""
    return Reply(b"", 204, {})


def failure(status: int, error: str, headers: Mapping[str, str] | None = None) -> Reply:
    """An error that is not the protocol's: nothing was done."""
    return json_reply({"error": error}, status, headers)


def error_reply(error: OAuth2Error) -> Reply:
    """The answer for one of Authlib's errors."""
    status, body, headers = error()
    return authlib_reply(status, dict(body), headers)


def authlib_reply(status: int, body: Any, headers: Iterable[tuple[str, str]]) -> Reply:
    """Authlib's answer as ours: of its headers only the challenge, the others are ours already."""
    return json_reply(body, status, {name: value for name, value in headers if name == "WWW-Authenticate"})

"""The JSON endpoints of the protocol, answered in front of Flask (docs/adr/0006)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from authlib.oauth2.rfc6749.errors import OAuth2Error
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from idp import clock
from idp.ephemeral import EphemeralUnavailable
from idp.oauth import client_registration, device, dpop, endpoints, jwt_answers, pushed_requests, signals
from idp.oauth.metadata import ReadyDocuments, WsgiApp
from idp.oauth.protected_resource import BearerError
from idp.oauth.replies import Reply, error_reply, failure, json_reply, jwt_reply
from idp.oauth.requests import MOST_BYTES, read_form
from idp.oauth.server import Server
from idp.services.platform import Platform
from idp.storage.database import UNAVAILABLE

PREFIX: Final = "/oauth/"
HSTS: Final = "max-age=63072000; includeSubDomains"
CLIENTS: Final = f"{PREFIX}register/"
LOST: Final[tuple[type[Exception], ...]] = (EphemeralUnavailable, *UNAVAILABLE)
Handler = Callable[[Request], Reply]


def register(app: Flask, platform: Platform) -> None:
    """Put the endpoints and the ready documents in front of ``app``."""
    # How Flask wants middleware to be put in; mypy takes it for a method.
    app.wsgi_app = JsonEndpoints(app.wsgi_app, app, platform)  # type: ignore[method-assign]
    app.wsgi_app = ReadyDocuments(app.wsgi_app, platform)  # type: ignore[method-assign]


class JsonEndpoints:
    """WSGI middleware: what programs ask of the protocol ends here, what browsers ask goes on to Flask.

    Routing, session and page headers of Flask cost as much as a token; a program needs none of them. Each
    request still has an application context of its own.
    """

    def __init__(self, application: WsgiApp, app: Flask, platform: Platform) -> None:
        self._application = application
        self._app = app
        self._platform = platform
        self._server = Server(platform)
        self._https = platform.settings.issuer.startswith("https://")
        self._handlers: dict[str, tuple[Handler, tuple[str, ...]]] = {
            f"{PREFIX}token": (self._token, ("POST",)),
            f"{PREFIX}par": (self._par, ("POST",)),
            f"{PREFIX}device_authorization": (self._device, ("POST",)),
            f"{PREFIX}introspect": (self._introspect, ("POST",)),
            f"{PREFIX}revoke": (self._revoke, ("POST",)),
            f"{PREFIX}userinfo": (self._userinfo, ("GET", "HEAD", "POST")),
            f"{PREFIX}register": (self._register, ("POST",)),
            **signals.handlers(platform),
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Reply, or hand on."""
        found = self._found(environ["PATH_INFO"])
        if found is None:
            return self._application(environ, start_response)
        handler, methods = found
        if environ["REQUEST_METHOD"] in methods:
            reply = self._answer(handler, Request(environ))
        else:
            reply = failure(405, "invalid_request", {"Allow": ", ".join(methods)})
        if self._platform.settings.dpop_nonce and "HTTP_DPOP" in environ:
            reply.headers["DPoP-Nonce"] = dpop.nonce(self._platform, clock.now())
        if self._https:
            reply.headers["Strict-Transport-Security"] = HSTS
        return reply(environ, start_response)

    def _found(self, path: str) -> tuple[Handler, tuple[str, ...]] | None:
        if path.startswith(CLIENTS):
            return self._client, ("GET", "PUT", "DELETE")
        return self._handlers.get(path)

    def _answer(self, handler: Handler, request: Request) -> Reply:
        """The handler's answer; every error is JSON, and none tells more than a code."""
        request.max_content_length = MOST_BYTES
        try:
            with self._app.app_context():
                return handler(request)
        except OAuth2Error as error:
            return error_reply(error)
        except BearerError as error:
            body = {"error": error.error, "error_description": error.description} if error.error else {}
            return json_reply(body, error.status, {"WWW-Authenticate": error.challenge})
        except LOST:
            return failure(503, "temporarily_unavailable", {"Retry-After": "2"})
        except HTTPException as error:  # the body is too large, or ended too soon
            return failure(error.code or 400, "invalid_request")
        except Exception:
            self._app.logger.exception("unexpected error")
            return failure(500, "server_error")

    def _token(self, request: Request) -> Reply:
        """RFC 6749 §3.2."""
        return cast("Reply", self._server.create_token_response(read_form(request)))

    def _par(self, request: Request) -> Reply:
        """RFC 9126 §2."""
        return json_reply(pushed_requests.push(self._platform, read_form(request)), 201)

    def _device(self, request: Request) -> Reply:
        """RFC 8628 §3.1."""
        return json_reply(device.begin(self._platform, read_form(request)))

    def _introspect(self, request: Request) -> Reply:
        """RFC 7662 §2, RFC 9701 §5."""
        answer = endpoints.introspect(self._platform, read_form(request))
        return _reply(answer, jwt_answers.INTROSPECTION)

    def _revoke(self, request: Request) -> Reply:
        """RFC 7009 §2."""
        endpoints.revoke(self._platform, read_form(request))
        return json_reply({})

    def _userinfo(self, request: Request) -> Reply:
        """OIDC Core 5.3."""
        return _reply(endpoints.userinfo(self._platform, request), jwt_answers.USERINFO)

    def _register(self, request: Request) -> Reply:
        """RFC 7591 §3."""
        return client_registration.register(self._platform, request)

    def _client(self, request: Request) -> Reply:
        """RFC 7592 §2."""
        return client_registration.configure(self._platform, request, request.path.removeprefix(CLIENTS))


def _reply(answer: dict[str, Any] | str, media_type: str) -> Reply:
    """Plain claims as JSON, signed ones as what they are."""
    return jwt_reply(answer, media_type) if isinstance(answer, str) else json_reply(answer)

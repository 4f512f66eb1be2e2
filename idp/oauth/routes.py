"""The JSON endpoints of the protocol under ``/oauth``."""

from __future__ import annotations

from typing import cast

from authlib.oauth2.rfc6749.errors import OAuth2Error
from flask import Blueprint, Flask, Response, current_app, request

from idp.ephemeral import EphemeralUnavailable
from idp.oauth import endpoints, metadata
from idp.oauth.endpoints import BearerError
from idp.oauth.requests import FORM, parse, read_form
from idp.oauth.server import Server, error_response, json_response, unavailable_response
from idp.services.platform import Platform

blueprint = Blueprint("oauth", __name__)


def register(app: Flask, platform: Platform) -> None:
    """Add the endpoints to ``app`` and put the ready documents in front of it."""
    app.extensions["idp.oauth"] = Server(platform)
    app.register_blueprint(blueprint)
    app.wsgi_app = metadata.ReadyDocuments(app.wsgi_app, platform)  # type: ignore[method-assign]


def _server() -> Server:
    return cast("Server", current_app.extensions["idp.oauth"])


blueprint.register_error_handler(OAuth2Error, error_response)
blueprint.register_error_handler(EphemeralUnavailable, unavailable_response)


@blueprint.post("/oauth/token")
def token() -> Response:
    """RFC 6749 §3.2."""
    return cast("Response", _server().create_token_response(read_form(request)))


@blueprint.post("/oauth/introspect")
def introspect() -> Response:
    """RFC 7662 §2."""
    return json_response(endpoints.introspect(_server().platform, read_form(request)))


@blueprint.post("/oauth/revoke")
def revoke() -> Response:
    """RFC 7009 §2."""
    endpoints.revoke(_server().platform, read_form(request))
    return json_response({})


@blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """OIDC Core 5.3."""
    try:
        body = endpoints.userinfo(_server().platform, _bearer_token())
    except BearerError as error:
        return _bearer_refusal(error)
    return json_response(body)


def _bearer_token() -> str:
    """The token of the header or the form body, of one of them (RFC 6750 §2); never of the URL."""
    scheme, _, header_token = request.headers.get("Authorization", "").partition(" ")
    is_form = request.mimetype == FORM and request.method == "POST"
    body = parse(request.get_data(cache=False) if is_form else b"")
    form_token = body.get("access_token")
    if (header_token and form_token) or "access_token" in body.repeated:
        raise BearerError(400, "invalid_request", "The access token is sent twice")
    token_sent = header_token.strip() if scheme.lower() == "bearer" else form_token
    if not token_sent:
        raise BearerError(401, None)
    return token_sent


def _bearer_refusal(error: BearerError) -> Response:
    body = {"error": error.error, "error_description": error.description} if error.error else {}
    return json_response(body, error.status, {"WWW-Authenticate": error.challenge})


@blueprint.route(metadata.DISCOVERY_PATHS[0], methods=["POST", "PUT", "DELETE", "PATCH"])
@blueprint.route(metadata.DISCOVERY_PATHS[1], methods=["POST", "PUT", "DELETE", "PATCH"])
@blueprint.route(metadata.JWKS_PATH, methods=["POST", "PUT", "DELETE", "PATCH"])
def only_for_reading() -> Response:
    """The documents are answered before Flask; anything but GET and HEAD ends here."""
    return Response(status=405, headers={"Allow": "GET, HEAD"})

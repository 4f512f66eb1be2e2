"""Shared Signals for clients: metadata, stream management (SSF 1.0 §7, §8) and polling (RFC 8936).

A client calls with a token of its own, from client_credentials, with the scope ``ssf.manage``; ``ssf.read``
is enough for reading and polling (CAEP Interoperability Profile 1.0 §2.7.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from authlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error
from werkzeug.wrappers import Request

from idp import clock
from idp.domain import signal_streams as rules
from idp.domain.clients import PLATFORM_SCOPES, Client
from idp.domain.errors import Refusal
from idp.domain.signal_streams import Stream
from idp.oauth import standing
from idp.oauth.event_tokens import sign_event_token
from idp.oauth.poll_requests import InvalidPoll, poll_from
from idp.oauth.protected_resource import BearerError, token_claims
from idp.oauth.replies import Reply, json_reply, nothing
from idp.oauth.requests import JSON, find_document, origin_of, parse
from idp.services import clients, signal_streams, signals
from idp.services.platform import Platform

METADATA_PATH: Final = "/.well-known/ssf-configuration"
CONFIGURATION_PATH: Final = "/ssf/stream"
STATUS_PATH: Final = "/ssf/status"
VERIFICATION_PATH: Final = "/ssf/verify"
REALM: Final = "ssf"
MANAGE: Final = frozenset({"ssf.manage"})
READ: Final = frozenset(PLATFORM_SCOPES)
Handler = Callable[[Request], Reply]


class UnknownStream(OAuth2Error):
    """The client has no stream of this id, whoever else may have."""

    error = "stream_unknown"
    description = "The client has no such stream"
    status_code = 404


class StreamExists(OAuth2Error):
    """A client has one stream (SSF 1.0 §8.1.1.1)."""

    error = "stream_exists"
    description = "The client has a stream; change it with PATCH or PUT"
    status_code = 409


class TooManyVerifications(OAuth2Error):
    """More often than ``min_verification_interval`` allows (SSF 1.0 §8.1.4.2)."""

    error = "verification_too_soon"
    description = "Verification was asked for a moment ago"
    status_code = 429


_ERRORS: Final[Mapping[str, type[OAuth2Error]]] = {
    "stream_unknown": UnknownStream,
    "stream_exists": StreamExists,
    "verification_too_soon": TooManyVerifications,
}


def transmitter_metadata(issuer: str, jwks_path: str) -> dict[str, Any]:
    """What a receiver has to know (SSF 1.0 §7.1).

    Subjects need not be added: a client hears of those people whom it knows by an authorization.
    """
    return {
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": f"{issuer}{jwks_path}",
        "delivery_methods_supported": list(rules.DELIVERY_METHODS),
        "configuration_endpoint": f"{issuer}{CONFIGURATION_PATH}",
        "status_endpoint": f"{issuer}{STATUS_PATH}",
        "verification_endpoint": f"{issuer}{VERIFICATION_PATH}",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
        "default_subjects": "ALL",
    }


def handlers(platform: Platform) -> dict[str, tuple[Handler, tuple[str, ...]]]:
    """The endpoints by path, with the methods that each takes."""
    return {
        CONFIGURATION_PATH: (partial(_configuration, platform), ("GET", "POST", "PATCH", "PUT", "DELETE")),
        STATUS_PATH: (partial(_status, platform), ("GET", "POST")),
        VERIFICATION_PATH: (partial(_verification, platform), ("POST",)),
        signal_streams.POLL_PATH: (partial(_poll, platform), ("POST",)),
    }


def _configuration(platform: Platform, request: Request) -> Reply:
    """SSF 1.0 §8.1.1."""
    match request.method:
        case "GET":
            return _read(platform, request)
        case "DELETE":
            return _delete(platform, request)
        case "POST":
            change, status = signal_streams.create, 201
        case "PATCH":
            change, status = signal_streams.update, 200
        case _:
            change, status = signal_streams.replace, 200
    receiver = _receiver(platform, request, MANAGE)
    outcome = change(platform, receiver.client_id, _document(request), origin_of(request))
    return json_reply(signal_streams.configuration(platform, _done(outcome)), status)


def _read(platform: Platform, request: Request) -> Reply:
    """One configuration, or the list of the client's (SSF 1.0 §8.1.1.2)."""
    receiver = _receiver(platform, request, READ)
    stream_id = _asked_stream(request)
    if stream_id is not None:
        stream = _done(signal_streams.get_stream(receiver.client_id, stream_id))
        return json_reply(signal_streams.configuration(platform, stream))
    own = signal_streams.find_stream(receiver.client_id)
    return json_reply([signal_streams.configuration(platform, own)] if own else [])


def _delete(platform: Platform, request: Request) -> Reply:
    receiver = _receiver(platform, request, MANAGE)
    refusal = signal_streams.delete(platform, receiver.client_id, _asked_stream(request), origin_of(request))
    return _nothing(refusal)


def _status(platform: Platform, request: Request) -> Reply:
    """SSF 1.0 §8.1.2."""
    if request.method == "GET":
        receiver = _receiver(platform, request, READ)
        stream = signal_streams.get_stream(receiver.client_id, _asked_stream(request))
    else:
        receiver = _receiver(platform, request, MANAGE)
        stream = signal_streams.set_status(
            platform, receiver.client_id, _document(request), origin_of(request)
        )
    return json_reply(rules.status(_done(stream)))


def _verification(platform: Platform, request: Request) -> Reply:
    """SSF 1.0 §8.1.4.2."""
    receiver = _receiver(platform, request, MANAGE)
    return _nothing(signal_streams.verify(platform, receiver.client_id, _document(request)))


def _poll(platform: Platform, request: Request) -> Reply:
    """RFC 8936 §2.4, answered at once whatever ``returnImmediately`` says: the workers' few threads are not
    for waiting, and §2.4 lets a transmitter answer earlier than it might.
    """
    receiver = _receiver(platform, request, READ)
    try:
        asked = poll_from(_document(request))
    except (InvalidPoll, InvalidRequestError) as error:
        return json_reply({"err": "invalid_request", "description": error.description}, 400)
    polled = signals.poll(platform, receiver.client_id, asked.settled, asked.failed, asked.most)
    if isinstance(polled, Refusal):
        raise UnknownStream
    sets = {claims["jti"]: sign_event_token(platform, claims) for claims in polled.events}
    return json_reply({"sets": sets, "moreAvailable": polled.more_available})


def _receiver(platform: Platform, request: Request, scopes: frozenset[str]) -> Client:
    """The client whose own token this is, if it has one of the scopes. Raises BearerError."""
    try:
        return _checked_receiver(platform, token_claims(platform, request, clock.now()), scopes)
    except BearerError as error:
        error.realm = REALM
        raise


def _checked_receiver(platform: Platform, payload: Mapping[str, Any], scopes: frozenset[str]) -> Client:
    client = clients.find_client(platform, payload["client_id"])
    if client is None or not _is_its_own(platform, payload):
        raise BearerError(401, "invalid_token", "The access token is not one of the client's own for this")
    if not scopes & set(payload["scope"].split()):
        needed = " or ".join(sorted(scopes))
        raise BearerError(403, "insufficient_scope", f"One of these scopes is needed: {needed}")
    return client


def _is_its_own(platform: Platform, payload: Mapping[str, Any]) -> bool:
    return (
        "authorization_id" not in payload
        and payload["aud"] == platform.settings.issuer
        and standing.stands(platform, payload)
    )


def _document(request: Request) -> dict[str, Any]:
    """The JSON object of the body; a body that doesn't say what it is is taken for JSON, as SSF 1.0 does."""
    if request.mimetype not in {"", JSON}:
        raise InvalidRequestError(f"The body must be {JSON}")
    document = find_document(request)
    if document is None:
        raise InvalidRequestError("The body must be a JSON object")
    return document


def _asked_stream(request: Request) -> str | None:
    parameters = parse(request.query_string)
    if parameters.repeated:
        raise InvalidRequestError("A parameter is sent more than once")
    return parameters.get("stream_id")


def _done(outcome: Stream | Refusal) -> Stream:
    if isinstance(outcome, Refusal):
        raise _error(outcome)
    return outcome


def _nothing(refusal: Refusal | None) -> Reply:
    if refusal is not None:
        raise _error(refusal)
    return nothing()


def _error(refusal: Refusal) -> OAuth2Error:
    known = _ERRORS.get(refusal.code)
    if known is not None:
        return known()
    problem = refusal.problems[0]
    return InvalidRequestError(f"{problem.field}: {problem.detail['reason']}")

"""The registration endpoint (RFC 7591) and the client configuration endpoint (RFC 7592)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from authlib.oauth2.rfc6749.errors import OAuth2Error
from werkzeug.wrappers import Request

from idp.domain.errors import Problem, Refusal
from idp.oauth.replies import Reply, failure, json_reply, nothing
from idp.oauth.requests import JSON, MOST_BYTES, find_document, origin_of
from idp.services import client_registration
from idp.services.clients import RegisteredClient
from idp.services.platform import Platform

LONGEST_DESCRIPTION: Final = 1000
_UNSAYABLE: Final = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")  # in an error_description, RFC 6749 §5.2
_ERRORS: Final[Mapping[str, str]] = {
    "software_statement_invalid": "invalid_software_statement",
    "software_statement_unapproved": "unapproved_software_statement",
}
_UNKNOWN_TOKENS: Final = frozenset({"initial_access_token_invalid", "registration_unknown"})


class InvalidRegistration(OAuth2Error):
    """Metadata that can't be registered: an error of RFC 7591 §3.2.2."""

    error = "invalid_client_metadata"
    status_code = 400


class InvalidToken(OAuth2Error):
    """No token, or one that doesn't give leave to do this (RFC 6750 §3.1); which of both, it doesn't say."""

    error = "invalid_token"
    description = "The token is missing, unknown, expired, used up or another client's"
    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        """With the challenge."""
        challenge = (
            f'Bearer realm="registration", error="{self.error}", error_description="{self.description}"'
        )
        return [("WWW-Authenticate", challenge)]


def register(platform: Platform, request: Request) -> Reply:
    """A new client, 201 (RFC 7591 §3.2.1). Raises InvalidToken, InvalidRegistration.

    The token is looked at before the body is, and used up with the registration.
    """
    origin = origin_of(request)
    wait = client_registration.admit(platform, origin)
    if wait is not None:
        return failure(429, "temporarily_unavailable", {"Retry-After": str(int(wait.total_seconds()) + 1)})
    token = _bearer_token(request)
    if not client_registration.is_admitted(platform, token):
        raise InvalidToken
    outcome = client_registration.register(platform, _metadata(request), token, origin)
    return _document(platform, outcome, 201)


def configure(platform: Platform, request: Request, client_id: str) -> Reply:
    """A client reads, replaces or ends its own registration: 200, 200, 204 (RFC 7592 §2).

    Raises InvalidToken, InvalidRegistration. The token is looked at before the body is.
    """
    token = _bearer_token(request)
    found = client_registration.find(client_id, token)
    if found is None:
        raise InvalidToken
    if request.method == "GET":
        return _document(platform, found)
    if request.method == "DELETE":
        return _deleted(client_registration.delete(platform, client_id, token, origin_of(request)))
    raw = _metadata(request)
    outcome = client_registration.replace_metadata(platform, client_id, raw, token, origin_of(request))
    return _document(platform, outcome)


def _bearer_token(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _metadata(request: Request) -> dict[str, Any]:
    """The JSON object that was sent."""
    sent = find_document(request, MOST_BYTES) if request.mimetype == JSON else None
    if sent is None:
        raise InvalidRegistration(f"The body must be a JSON object, as {JSON}")
    return sent


def _document(platform: Platform, outcome: RegisteredClient | Refusal, status: int = 200) -> Reply:
    if isinstance(outcome, Refusal):
        raise _error_of(outcome)
    answer = outcome.as_answer() | {
        "registration_access_token": outcome.registration_access_token,
        "registration_client_uri": f"{platform.settings.issuer}/oauth/register/{outcome.client_id}",
    }
    return json_reply(answer, status)


def _deleted(refusal: Refusal | None) -> Reply:
    if refusal:
        raise _error_of(refusal)
    return nothing()


def _error_of(refusal: Refusal) -> OAuth2Error:
    if refusal.code in _UNKNOWN_TOKENS:
        return InvalidToken()
    return InvalidRegistration(_description(refusal), error=_error(refusal.problems[0]))


def _error(problem: Problem) -> str:
    if problem.field == "redirect_uris":
        return "invalid_redirect_uri"
    return _ERRORS.get(problem.code, InvalidRegistration.error)


def _description(refusal: Refusal) -> str:
    """Every problem, in the characters that an error may have."""
    text = "; ".join(f"{problem.field} {problem.detail['reason']}" for problem in refusal.problems)
    return _UNSAYABLE.sub("?", text)[:LONGEST_DESCRIPTION]

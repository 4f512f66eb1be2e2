"""What comes in: parameters read once, strictly, before anything else looks at them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from idp.domain import interoperable_json
from idp.domain.audit import LONGEST_USER_AGENT, Origin

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 100
MAX_BYTES = 32 * 1024
MOST_BYTES = 2 * MAX_BYTES  # what is longer is not even read
JSON = "application/json"


class UnreadableRequest(InvalidRequestError):
    """The parameters can't be read at all: too long, too many, not UTF-8, or with a NUL."""


class RepeatedParameters(dict[str, str]):
    """Parameters of which some came twice: the first value of each, and the names of the ``repeated`` ones.

    ``resource`` may come more than once (RFC 8707 §2): its values are in ``resources``.
    """

    repeated: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()

    @classmethod
    def of(cls, parameters: Mapping[str, str], resources: tuple[str, ...] = ()) -> RepeatedParameters:
        """Parameters of which each came once."""
        once = cls(parameters)
        once.resources = resources
        return once


class ProtocolRequest(OAuth2Request):
    """A request to one of the JSON endpoints, as Authlib's grants see it.

    Built without Authlib's transport check, which reads the scheme behind the proxy (authlib.md, P2): that
    the issuer is https is a rule of the configuration.
    """

    headers: Mapping[str, str]
    parameters: RepeatedParameters

    def __init__(
        self, path: str, parameters: RepeatedParameters, headers: Mapping[str, str], origin: Origin
    ) -> None:
        self.method = "POST"
        self.path = path
        self.origin = origin
        self.parameters = parameters
        self.uri = ""
        self.headers = headers
        self.payload = BasicOAuth2Payload(dict(parameters))
        self.client = None
        self.auth_method = None
        self.user = None
        self._scope = None


def parse(encoded: bytes) -> RepeatedParameters:
    """Parameters from a query or body; empty ones count as left out (RFC 6749 §3.1).

    Raises UnreadableRequest.
    """
    if len(encoded) > MAX_BYTES:
        raise UnreadableRequest("The request is too large")
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError as error:
        raise UnreadableRequest("The parameters are not UTF-8, or there are too many") from error
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise UnreadableRequest("A parameter holds a NUL character")
    parameters = RepeatedParameters((name, value) for name, value in reversed(pairs) if value)
    if len(pairs) > len({name for name, _ in pairs}):
        counts = Counter(name for name, _ in pairs)
        parameters.repeated = tuple(
            name for name, count in counts.items() if count > 1 and name != "resource"
        )
    if "resource" in parameters:
        parameters.resources = tuple(value for name, value in pairs if name == "resource" and value)
    return parameters


def read_form(request: Any) -> ProtocolRequest:
    """The one way into a JSON endpoint: POST, urlencoded, each parameter once (RFC 6749 §3.2).

    ``request`` is a Flask request. Raises InvalidRequestError.
    """
    if request.mimetype != FORM:
        raise InvalidRequestError(f"The body must be {FORM}")
    parameters = parse(request.get_data(cache=False))
    if parameters.repeated:
        raise InvalidRequestError("A parameter is sent more than once")
    return ProtocolRequest(request.path, parameters, request.headers, origin_of(request))


def find_document(request: Any, longest: int = MAX_BYTES) -> dict[str, Any] | None:
    """The JSON object of the body; None when it is too long, or none that every program reads the same."""
    try:
        text = request.get_data(cache=False).decode()
    except UnicodeDecodeError:
        return None
    document = interoperable_json.parse(text, longest)
    return document if isinstance(document, dict) else None


def origin_of(request: Any) -> Origin:
    """Where a Flask request came from, for the audit trail; its id is a proxy's, if well formed."""
    request_id = request.headers.get("X-Request-ID", "")
    return Origin(
        address=request.remote_addr or "",
        user_agent=request.headers.get("User-Agent", "")[:LONGEST_USER_AGENT],
        request_id=request_id if _REQUEST_ID.fullmatch(request_id) else "",
    )

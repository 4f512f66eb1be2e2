"""Calls to addresses that others chose: a client's ``jwks_uri``, a logout address, a gateway.

The name is resolved once, every address it has is checked, and the connection goes to a checked address while
TLS still verifies the name: nobody can point us at the platform's own network, not by a redirect (none is
followed), a name that changes its mind, an odd spelling of an IP address, or a proxy from the environment.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from certifi import where
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError, SSLError
from urllib3.util import parse_url

from idp.outbound.address import Address, Network, is_public, resolve
from idp.outbound.connection import Dialer, PinningAdapter
from idp.outbound.deadline import Deadline

TIMEOUT_SECONDS = 5.0
MAX_BYTES = 64 * 1024
CHUNK_BYTES = 16 * 1024
MAX_URL_CHARACTERS = 2048
HEADERS = {"User-Agent": "gsp-idp", "Accept": "application/json", "Accept-Encoding": "identity"}


class OutboundError(Exception):
    """The call was not made or gave no answer; ``code`` says why.

    ``url_invalid``, ``scheme_refused``, ``name_unknown``, ``address_refused``, ``unreachable``,
    ``tls_failed``, ``timeout``, ``too_large``, ``answer_invalid``.
    The text has the code and the host only, never the whole URL.
    """

    def __init__(self, code: str, host: str = "") -> None:
        super().__init__(f"{code} {host}".rstrip())
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status: a redirect is an answer too. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outbound:
    """Makes such calls; safe for threads. ``allow`` are private networks that may be reached all the same.

    ``ca_bundle`` adds certificate authorities. ``plain_http`` (development) lets ``http://`` go anywhere;
    without it ``http`` only reaches addresses in ``allow``. A call ends after ``timeout`` seconds, whatever
    the server does.
    """

    def __init__(
        self,
        allow: Iterable[Network] = (),
        ca_bundle: Path | str | None = None,
        *,
        plain_http: bool = False,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._allow = tuple(allow)
        self._plain_http = plain_http
        self._timeout = timeout
        self._tls = ssl.create_default_context(cafile=where())
        if ca_bundle:
            self._tls.load_verify_locations(cafile=str(ca_bundle))

    def get(
        self, url: str, *, max_bytes: int = MAX_BYTES, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET; raises ``OutboundError``."""
        return self._call(requests.Request("GET", url, headers=_headers(headers)), max_bytes)

    def post(
        self,
        url: str,
        data: Mapping[str, str] | bytes | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """POST of a form, of bytes, or of JSON; raises ``OutboundError``."""
        request = requests.Request("POST", url, data=data, json=json, headers=_headers(headers))
        return self._call(request, max_bytes)

    def _call(self, request: requests.Request, max_bytes: int) -> Answer:
        prepared, target = _prepared(request)
        with Deadline(self._timeout) as deadline:
            try:
                dialer = Dialer(self._checked(target, deadline), deadline)
                with closing(
                    PinningAdapter(target.scheme, target.host, target.port, dialer, self._tls)
                ) as adapter:
                    answer = _answer(
                        adapter.send(prepared, stream=True, timeout=deadline.left()), max_bytes, deadline
                    )
                deadline.left()  # a connection cut at the end can look like the end of a body
            except (requests.RequestException, HTTPError, OSError) as error:
                raise OutboundError(_code_of(error, deadline), target.host) from error
            return answer

    def _checked(self, target: Target, deadline: Deadline) -> tuple[Address, ...]:
        """The addresses of the name, all of them fit to be called."""
        addresses = resolve(target.host, target.port, deadline)
        if not addresses:
            raise OutboundError("name_unknown", target.host)
        if not all(is_public(address) or self._is_allowed(address) for address in addresses):
            raise OutboundError("address_refused", target.host)
        if target.scheme == "http" and not self._plain_http and not all(map(self._is_allowed, addresses)):
            raise OutboundError("scheme_refused", target.host)
        return addresses

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self._allow)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes, as its URL says."""

    scheme: str
    host: str
    port: int


def _headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {**HEADERS, **(headers or {})}


def _prepared(request: requests.Request) -> tuple[requests.PreparedRequest, Target]:
    """The request, and where it goes, read from the URL once."""
    url = request.url or ""
    if len(url) > MAX_URL_CHARACTERS or not url.isascii() or any(c <= " " or c in "\\\x7f" for c in url):
        raise OutboundError("url_invalid")
    try:
        prepared = request.prepare()
        parsed = parse_url(str(prepared.url))
        authority = urlsplit(url).netloc
    except (requests.RequestException, HTTPError, ValueError) as error:
        raise OutboundError("url_invalid") from error
    if parsed.scheme not in {"http", "https"}:
        raise OutboundError("scheme_refused")
    if "@" in authority or not parsed.host:
        raise OutboundError("url_invalid")
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    return prepared, Target(parsed.scheme, parsed.host.strip("[]"), port)


def _answer(response: requests.Response, max_bytes: int, deadline: Deadline) -> Answer:
    """The answer read whole, in pieces, up to the limit; a compressed one wasn't asked for."""
    with response:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise OutboundError("answer_invalid")
        body = bytearray()
        for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
            body += chunk
            deadline.left()  # Linux still delivers what pours in faster than we read after a shutdown
            if len(body) > max_bytes:
                raise OutboundError("too_large")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, bytes(body))


def _code_of(error: Exception, deadline: Deadline) -> str:
    """The code of a failed call; after the deadline every failure is the deadline's."""
    if deadline.passed or isinstance(error, requests.Timeout | TimeoutError | ReadTimeoutError):
        return "timeout"
    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError | SSLError):
        return "tls_failed"
    if isinstance(error, requests.ConnectionError) and isinstance(_reason(error), NewConnectionError):
        return "unreachable"
    return "answer_invalid"


def _reason(error: requests.ConnectionError) -> object:
    """What urllib3 gave as the reason, inside what requests made of it."""
    return getattr(error.args[0] if error.args else None, "reason", None)

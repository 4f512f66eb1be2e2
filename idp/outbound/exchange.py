"""One request and its answer, by requests and urllib3: loaded with the first call, most workers make none."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError, SSLError
from urllib3.util import parse_url

from idp.outbound.address import Address
from idp.outbound.answer import Answer, OutboundError
from idp.outbound.connection import Dialer, PinningAdapter
from idp.outbound.deadline import Deadline

CHUNK_BYTES = 16 * 1024
MAX_URL_CHARACTERS = 2048
FAULTS = (requests.RequestException, HTTPError, OSError)
"""What a call that fails raises; ``code_of`` tells what it means."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes, as its URL says."""

    scheme: str
    host: str
    port: int


def prepare(
    method: str, url: str, headers: dict[str, str], data: Mapping[str, str] | bytes | None, json: object
) -> tuple[requests.PreparedRequest, Target]:
    """The request, and where it goes, read from the URL once; ``url_invalid``, ``scheme_refused``."""
    if len(url) > MAX_URL_CHARACTERS or not url.isascii() or any(c <= " " or c in "\\\x7f" for c in url):
        raise OutboundError("url_invalid")
    try:
        prepared = requests.Request(method, url, headers=headers, data=data, json=json).prepare()
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


@dataclass(frozen=True, slots=True)
class Terms:
    """How a request is sent: to these addresses only, with these authorities, until then, and how large
    its answer may be.
    """

    addresses: tuple[Address, ...]
    tls: ssl.SSLContext
    deadline: Deadline
    max_bytes: int


def send(prepared: requests.PreparedRequest, target: Target, terms: Terms) -> Answer:
    """The answer; raises ``OutboundError`` and ``FAULTS``."""
    deadline = terms.deadline
    dialer = Dialer(terms.addresses, deadline)
    with closing(PinningAdapter(target.scheme, target.host, target.port, dialer, terms.tls)) as adapter:
        response = adapter.send(prepared, stream=True, timeout=deadline.left())
        answer = _read(response, terms.max_bytes, deadline)
    deadline.left()  # a connection cut at the end can look like the end of a body
    return answer


def _read(response: requests.Response, max_bytes: int, deadline: Deadline) -> Answer:
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


def code_of(error: Exception, deadline: Deadline) -> str:
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

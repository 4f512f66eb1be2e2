"""Calls to the provider: bounded in time and size, never redirected, never retried blindly."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from clients.rp.errors import ProviderUnavailable

CONNECT_TIMEOUT = 2.0
READ_TIMEOUT = 3.0
TOTAL_TIMEOUT = 5.0
MAX_BYTES = 512 * 1024


@dataclass(frozen=True)
class Answer:
    """Status, JSON object and headers (names in lower case) of one answer.

    ``body`` is empty when there was no JSON object.
    """

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport:
    """One pooled connection to the provider. Safe to share between threads."""

    def __init__(self, ca_bundle: str | None = None) -> None:
        self._session = requests.Session()
        # Neither .netrc nor proxy variables of the environment may change who is called and as whom.
        self._session.trust_env = False
        self._session.verify = ca_bundle or True

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET; raises ProviderUnavailable when no whole answer came in time."""
        return self._call("GET", url, headers=headers)

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        """POST a urlencoded form; raises ProviderUnavailable when no whole answer came in time."""
        return self._call("POST", url, data=dict(form), headers=headers)

    def _call(self, method: str, url: str, **kwargs: Any) -> Answer:
        ends_at = time.monotonic() + TOTAL_TIMEOUT
        try:
            with self._session.request(
                method,
                url,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                stream=True,
                allow_redirects=False,
                **kwargs,
            ) as response:
                body = _read(response, ends_at)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return _answer(response.status_code, body, headers)
        except requests.RequestException as error:
            raise ProviderUnavailable(f"{method} {url}: {type(error).__name__}") from error


def _read(response: requests.Response, ends_at: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(16 * 1024):
        body += chunk
        if len(body) > MAX_BYTES or time.monotonic() > ends_at:
            raise ProviderUnavailable(f"{response.url}: answer too long or too slow")
    return bytes(body)


def _answer(status: int, body: bytes, headers: Mapping[str, str]) -> Answer:
    if status >= 500:
        raise ProviderUnavailable(f"answered {status}")
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    return Answer(status, parsed if isinstance(parsed, dict) else {}, headers)

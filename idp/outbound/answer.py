"""What a call gives: an answer or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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

"""What a poll request says (RFC 8936 §2.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MOST_SETTLED: Final = 1000
_JTI: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ERROR: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class InvalidPoll(Exception):
    """A poll that can't be read; ``description`` is ASCII."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


@dataclass(frozen=True, slots=True)
class Poll:
    """How many events at ``most`` (None: as many as there are), which ones are acknowledged, and which
    could not be taken: by ``jti``, with the ``err``.
    """

    most: int | None
    settled: frozenset[str]
    failed: Mapping[str, str]


def poll_from(document: Mapping[str, Any]) -> Poll:
    """The members of a poll; raises InvalidPoll. An identifier that can't be one of ours is passed over."""
    most = document.get("maxEvents")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 0):
        raise InvalidPoll("maxEvents must be an integer, not below 0")
    if not isinstance(document.get("returnImmediately", False), bool):
        raise InvalidPoll("returnImmediately must be a boolean")
    return Poll(most, _acknowledged(document.get("ack", [])), _failed(document.get("setErrs", {})))


def _acknowledged(value: object) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > MOST_SETTLED:
        raise InvalidPoll(f"ack must be an array of at most {MOST_SETTLED}")
    if not all(isinstance(jti, str) for jti in value):
        raise InvalidPoll("ack must hold strings")
    return frozenset(filter(_JTI.fullmatch, value))


def _failed(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MOST_SETTLED:
        raise InvalidPoll(f"setErrs must be an object of at most {MOST_SETTLED}")
    if not all(isinstance(fault, dict) and isinstance(fault.get("err"), str) for fault in value.values()):
        raise InvalidPoll("setErrs must hold objects with an err")
    return {jti: _code(fault["err"]) for jti, fault in value.items() if _JTI.fullmatch(jti)}


def _code(text: str) -> str:
    """What may be written to a log: the receiver's code, if it is one."""
    return text if _ERROR.fullmatch(text) else "unspecified"

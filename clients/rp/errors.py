"""How the kit says no: refusals are values; only a provider that doesn't answer is an exception."""

from __future__ import annotations

from dataclasses import dataclass


class ProviderUnavailable(Exception):
    """The provider didn't answer in time, or not as its specification says. Nothing may be granted on it."""


@dataclass(frozen=True)
class Refusal:
    """Why a token doesn't open the door.

    ``reason`` is our own code, finer than ``error`` (RFC 6750 §3.1); ``description`` is ASCII,
    fit for a header.
    """

    reason: str
    error: str
    description: str
    scope: str | None = None

    @property
    def status(self) -> int:
        """The HTTP status that RFC 6750 §3.1 gives the error."""
        return 403 if self.error == "insufficient_scope" else 401


def invalid_token(reason: str, description: str) -> Refusal:
    """401: the token itself is no good."""
    return Refusal(reason, "invalid_token", description)


def insufficient_scope(reason: str, description: str, scope: str | None = None) -> Refusal:
    """403: a good token, for something else."""
    return Refusal(reason, "insufficient_scope", description, scope)

"""How the kit says no: refusals are values; only a provider that doesn't answer is an exception."""

from __future__ import annotations

from dataclasses import dataclass

from clients.rp import reasons


class ProviderUnavailable(Exception):
    """The provider didn't answer in time, or not as its specification says. Nothing may be granted on it."""


@dataclass(frozen=True)
class Refusal:
    """Why a token doesn't open the door.

    ``reason`` is a code of ``clients.rp.reasons``, finer than ``error`` (RFC 6750 §3.1, RFC 9470 §3);
    ``description`` is ASCII, fit for a header. What would do instead: ``scope`` (RFC 6750 §3), or
    ``acr_values`` and ``max_age`` in seconds (RFC 9470 §3).
    """

    reason: str
    error: str
    description: str
    scope: str | None = None
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None

    @property
    def status(self) -> int:
        """The HTTP status that RFC 6750 §3.1 and RFC 9470 §3 give the error."""
        return 403 if self.error == "insufficient_scope" else 401

    @property
    def text(self) -> str:
        """The reason in Chinese, for people."""
        return reasons.chinese(self.reason)


def refuse(
    reason: str,
    *,
    scope: str | None = None,
    acr_values: tuple[str, ...] = (),
    max_age: int | None = None,
    **words: str,
) -> Refusal:
    """The refusal for a reason of the table; ``words`` go into its English text. KeyError for another."""
    named = words if scope is None else {**words, "scope": scope}
    error, description = reasons.REASONS[reason].error, reasons.english(reason, **named)
    return Refusal(reason, error, description, scope, acr_values, max_age)

"""The ``WWW-Authenticate`` headers of a refusal (RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3)."""

from __future__ import annotations

from collections.abc import Mapping

from clients.rp.dpop import ALGORITHMS
from clients.rp.errors import Refusal


def challenges(refusal: Refusal, realm: str) -> tuple[str, ...]:
    """One header for each scheme that would do: both, but DPoP alone after a bad proof.

    ``realm`` names the protected area: ASCII without quotes.
    """
    algorithms = {"algs": " ".join(ALGORITHMS)}
    if refusal.reason == "proof_invalid":
        return (_challenge("DPoP", {"error": refusal.error} | algorithms),)
    named = _parameters(refusal)
    return (
        _challenge("Bearer", {"realm": realm} | named),
        _challenge("DPoP", {"realm": realm} | algorithms | named),
    )


def _parameters(refusal: Refusal) -> dict[str, str]:
    """None without credentials: then the request isn't at fault (RFC 6750 §3.1)."""
    if not refusal.error:
        return {}
    parameters = {
        "error": refusal.error,
        "error_description": refusal.description,
        "scope": refusal.scope,
        "acr_values": " ".join(refusal.acr_values) or None,
        "max_age": None if refusal.max_age is None else str(refusal.max_age),
    }
    return {name: value for name, value in parameters.items() if value is not None}


def _challenge(scheme: str, parameters: Mapping[str, str]) -> str:
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())

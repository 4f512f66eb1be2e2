"""Why an application was refused, an authorisation revoked or suspended: a code, with words if need be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from idp.domain.errors import Refusal

LONGEST_REASON: Final = 500
OTHER: Final = "other"
# The first of each is what counts when none is chosen: a program, or somebody in a hurry.
CHOICES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "refuse": ("not_agreed", "not_employed", "facts_wrong", OTHER),
        "revoke": ("no_longer_handling", "left_enterprise", "account_at_risk", "granted_by_mistake", OTHER),
    }
)
SUSPENSIONS: Final = ("enterprise_closed", "representative_changed", "registry_changed", "review_overdue")


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, and what was written besides."""

    code: str
    text: str | None = None


def read(decision: str, code: str | None, text: str | None) -> Reason | Refusal | None:
    """The reason for a decision; None for one that needs none. What is ``other`` needs words."""
    note = (text or "").strip() or None
    if note and len(note) > LONGEST_REASON:
        return Refusal.of("too_long", "reason", limit=LONGEST_REASON)
    choices = CHOICES.get(decision)
    if choices is None:
        return None
    chosen = code or (OTHER if note else choices[0])
    if chosen not in choices:
        return Refusal.of("choice_unknown", "reason_code")
    if chosen == OTHER and note is None:
        return Refusal.of("required", "reason")
    return Reason(chosen, note)

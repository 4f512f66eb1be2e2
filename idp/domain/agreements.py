"""用户服务协议, 隐私政策, and the separate consent for identity documents: their versions, and what is due.

A version is the day from which the text holds. Whoever changes a text in substance changes its version here,
and everybody is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

TERMS: Final = "terms"
PRIVACY: Final = "privacy"
IDENTITY: Final = "identity"
CURRENT: Final[Mapping[str, str]] = MappingProxyType(
    {TERMS: "2026-11-25", PRIVACY: "2026-11-25", IDENTITY: "2026-11-25"}
)
GENERAL: Final = (TERMS, PRIVACY)  # without these there is no account; identity documents are asked for apart
AGREED: Final = "+".join(CURRENT[document] for document in GENERAL)  # as an account keeps it


def is_agreed(agreed_versions: str | None) -> bool:
    """Whether an account has agreed to the texts of today; None: to none of which we know the version."""
    return agreed_versions == AGREED


def outstanding(accepted: Mapping[str, str]) -> tuple[str, ...]:
    """The general documents whose present version is not among the ``accepted`` (document: version)."""
    return tuple(document for document in GENERAL if accepted.get(document) != CURRENT[document])


def was_shown(version: str) -> bool:
    """Whether a form came from a page that showed the present text of the consent for identity documents."""
    return version == CURRENT[IDENTITY]

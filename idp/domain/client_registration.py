"""What a client may register for itself (RFC 7591): the rest is an administrator's to give."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from idp.domain.client_checks import problem
from idp.domain.clients import DEVICE_CODE, split_uri
from idp.domain.errors import Problem, Refusal

# Named one by one: a new scope is not theirs until somebody says so.
SCOPES: Final = (
    "openid",
    "profile",
    "email",
    "phone",
    "address",
    "offline_access",
    "enterprise",
    "handler",
    "verified_claims",
)
GRANT_TYPES: Final = ("authorization_code", "refresh_token", DEVICE_CODE)
MAX_USES: Final = 1000
MAX_TTL: Final = timedelta(days=90)
REGISTRATIONS_WINDOW: Final = timedelta(hours=1)
REGISTRATIONS_PER_ADDRESS: Final = 100

# OIDC Registration knows no ``scope``: who sends none may ask for what OIDC Core defines.
_DEFAULT_SCOPES: Final = ("openid", "profile", "email", "phone", "address")
_OF_ADMINISTRATORS: Final = ("matters", "roles", "require_enterprise", "resources", "may_act")


def self_registered(raw: Mapping[str, Any]) -> dict[str, Any] | Refusal:
    """The metadata that is left of ``raw`` when a client registers itself, yet to be validated.

    Scopes beyond those it may have are left out, and the answer shows it (RFC 7591 §2); everything else it
    must not have is refused: ``metadata_invalid``, ``software_statement_invalid``,
    ``software_statement_unapproved``.
    """
    problems = [*_of_statement(raw), *_of_members(raw), *_of_grants(raw)]
    if problems:
        return Refusal(tuple(problems))
    metadata = {**raw, "scope": _scope(raw), "client_name": raw.get("client_name") or _name(raw)}
    return {name: value for name, value in metadata.items() if value is not None}


def check_initial_access(uses: int, ttl_seconds: int) -> Refusal | None:
    """Whether leave to register so many clients for so long is within reason: ``number_out_of_range``."""
    limits = {"uses": (uses, MAX_USES), "ttl": (ttl_seconds, int(MAX_TTL.total_seconds()))}
    problems = [
        Problem("number_out_of_range", name, {"most": most, "reason": f"must be a number from 1 to {most}"})
        for name, (number, most) in limits.items()
        if not 1 <= number <= most
    ]
    return Refusal(tuple(problems)) if problems else None


def is_of_sector(document: Any, metadata: Mapping[str, Any]) -> bool:
    """Whether what is at a ``sector_identifier_uri`` lists every redirect URI (OIDC Registration 5)."""
    return isinstance(document, list) and all(uri in document for uri in metadata.get("redirect_uris", ()))


def _of_statement(raw: Mapping[str, Any]) -> list[Problem]:
    """No issuer of software statements is trusted here (RFC 7591 §3.2.2)."""
    statement = raw.get("software_statement")
    if statement is None:
        return []
    if isinstance(statement, str) and statement.count(".") == 2:
        code, reason = "software_statement_unapproved", "no issuer of software statements is trusted here"
    else:
        code, reason = "software_statement_invalid", "must be a JWT"
    return [problem("software_statement", reason, code)]


def _of_members(raw: Mapping[str, Any]) -> list[Problem]:
    problems = [
        problem(name, "can be given by an administrator only") for name in _OF_ADMINISTRATORS if raw.get(name)
    ]
    if raw.get("client_id") is not None:
        problems.append(problem("client_id", "is chosen by this server"))
    return problems


def _of_grants(raw: Mapping[str, Any]) -> list[Problem]:
    """What a client does in its own name, or with tokens of others, rests on an administrator's word."""
    grants = raw.get("grant_types")
    if not isinstance(grants, list) or all(grant in GRANT_TYPES for grant in grants):
        return []
    return [problem("grant_types", f"a client may give itself {', '.join(GRANT_TYPES)}")]


def _scope(raw: Mapping[str, Any]) -> Any:
    """The scopes it may have of those it sent; None, for validation's default, when none of them is left."""
    sent = raw.get("scope")
    if sent is None:
        grants = raw.get("grant_types")
        offline = isinstance(grants, list) and "refresh_token" in grants
        return " ".join((*_DEFAULT_SCOPES, "offline_access") if offline else _DEFAULT_SCOPES)
    if not isinstance(sent, str):
        return sent  # validation says what is wrong
    return " ".join(scope for scope in sent.split() if scope in SCOPES) or None


def _name(raw: Mapping[str, Any]) -> str | None:
    """For want of a name, the host that people are sent back to: ``client_name`` is optional in RFC 7591."""
    uris = raw.get("redirect_uris")
    first = uris[0] if isinstance(uris, list) and uris else None
    return urlsplit(first).hostname if isinstance(first, str) and split_uri(first) else None

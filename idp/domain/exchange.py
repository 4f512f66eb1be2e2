"""Delegation by token exchange (RFC 8693): a token for another resource that says less and ends no later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from idp.domain.clients import Client
from idp.domain.errors import Refusal

ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
SUBJECT_TOKEN_TYPES: Final = (ACCESS_TOKEN, JWT)
DEEPEST: Final = 4
"""So many may act one for another, the one that asks included."""
NOT_EXCHANGED: Final = frozenset({"openid", "offline_access"})
"""What belongs to the sign-in at the first client: no userinfo and no refresh token come of an exchange."""


def may_exchange(actor: Client, subject: Mapping[str, Any], issuer: str) -> bool:
    """Whether ``actor`` may exchange this token: it was issued to it, or is meant for a resource of it.

    A token that says who may act (RFC 8693 §4.4) lets that one alone, who needs no other reason.
    """
    allowed = subject.get("may_act")
    if allowed is not None:
        return bool(allowed == {"iss": issuer, "sub": actor.client_id})
    audience = subject["aud"] if isinstance(subject["aud"], list) else [subject["aud"]]
    return subject["client_id"] == actor.client_id or bool(set(audience) & set(actor.resources))


def scopes_for(subject: Mapping[str, Any], asked: frozenset[str]) -> frozenset[str] | Refusal:
    """The asked scopes, or all that can be handed on; ``scope_wider`` beyond those of the subject token."""
    held = frozenset(subject["scope"].split()) - NOT_EXCHANGED
    return asked or held if asked <= held else Refusal.of("scope_wider", "scope")


def actors(subject: Mapping[str, Any], actor: Client) -> dict[str, Any] | Refusal:
    """The ``act`` claim (RFC 8693 §4.1): the actor, and within it those before; ``actors_too_many``."""
    act: dict[str, Any] = {"sub": actor.client_id}
    before = subject.get("act")
    if _depth(before) >= DEEPEST:
        return Refusal.of("actors_too_many", "subject_token")
    return act | ({"act": before} if before is not None else {})


def _depth(act: Mapping[str, Any] | None) -> int:
    return 0 if act is None else 1 + _depth(act.get("act"))

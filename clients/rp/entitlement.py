"""Who may act for which enterprise: pure decisions on the claims of claims.md, no clock, no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clients.rp import uscc
from clients.rp.errors import Refusal, refuse


@dataclass(frozen=True)
class Reporter:
    """A person who may submit for exactly this enterprise, and what that rests on."""

    sub: str
    client_id: str
    account_type: str
    enterprise_credit_code: str
    handler_authorization_id: str | None


@dataclass(frozen=True)
class Reader:
    """A person who may read one enterprise's records, or everyone's when
    ``enterprise_credit_code`` is None.
    """

    sub: str
    enterprise_credit_code: str | None


@dataclass(frozen=True)
class Holder:
    """A person who has a role at this client, given by its administrator."""

    sub: str
    client_id: str
    role: str


def reporter_from(
    claims: Mapping[str, Any], *, scope: str, matter: str, enterprise: str | None = None
) -> Reporter | Refusal:
    """Whether these claims let the person act in ``matter``; ``enterprise`` is the one that the request
    names, if any.
    """
    refusal = _lacks_scope(claims, scope) or _lacks_enterprise(claims, matter)
    if refusal is not None:
        return refusal
    if enterprise is not None and enterprise != claims["enterprise_credit_code"]:
        return refuse("enterprise_mismatch", scope=scope)
    return Reporter(
        claims["sub"],
        claims["client_id"],
        claims["account_type"],
        claims["enterprise_credit_code"],
        _authorization(claims),
    )


def reader_from(claims: Mapping[str, Any], *, scope: str, matter: str, reads_all: str) -> Reader | Refusal:
    """Whose records these claims open; the role ``reads_all`` opens all of them."""
    refusal = _lacks_scope(claims, scope)
    if refusal is not None:
        return refusal
    if reads_all in _codes(claims, "roles"):
        return Reader(claims["sub"], None)
    return _lacks_enterprise(claims, matter) or Reader(claims["sub"], claims["enterprise_credit_code"])


def holder_from(claims: Mapping[str, Any], *, scope: str, role: str) -> Holder | Refusal:
    """Whether the person has the role (claim ``roles``), in whatever capacity: ``scope_missing`` or
    ``role_missing`` otherwise.
    """
    refusal = _lacks_scope(claims, scope)
    if refusal is not None:
        return refusal
    if role not in _codes(claims, "roles"):
        return refuse("role_missing", role=role)
    return Holder(claims["sub"], claims["client_id"], role)


def _lacks_scope(claims: Mapping[str, Any], scope: str) -> Refusal | None:
    granted = claims.get("scope")
    if isinstance(granted, str) and scope in granted.split(" "):
        return None
    return refuse("scope_missing", scope=scope)


def _lacks_enterprise(claims: Mapping[str, Any], matter: str) -> Refusal | None:
    account_type, code = claims.get("account_type"), claims.get("enterprise_credit_code")
    if account_type not in ("legal_person", "handler"):
        return refuse("no_enterprise")
    if not uscc.is_canonical(code):
        return refuse("enterprise_invalid")
    if account_type == "handler" and matter not in _codes(claims, "handler_scope"):
        return refuse("handler_scope_missing", matter=matter)
    return None


def _codes(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    value = claims.get(name)
    return (
        frozenset(code for code in value if isinstance(code, str)) if isinstance(value, list) else frozenset()
    )


def _authorization(claims: Mapping[str, Any]) -> str | None:
    value = claims.get("handler_authorization_id")
    return value if claims["account_type"] == "handler" and isinstance(value, str) else None

"""What tokens say: pure functions of who acts for whom and what was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LEGAL_PERSON = "legal_person"
HANDLER = "handler"
NATURAL_PERSON = "natural_person"

SCOPE_CLAIMS: Mapping[str, tuple[str, ...]] = {
    "profile": ("name", "preferred_username", "updated_at"),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "address": ("address",),
    "enterprise": ("account_type", "enterprise_credit_code", "enterprise_name"),
    "handler": ("handler_scope", "handler_authorization_id"),
    "roles": ("roles",),
    "identity_document": ("document_type", "document_number"),
}
CLAIM_SCOPES: Mapping[str, str] = {claim: scope for scope, claims in SCOPE_CLAIMS.items() for claim in claims}
MANDATE_SCOPES = ("enterprise", "handler", "roles")
TOKEN_MANDATE_CLAIMS = frozenset(
    {"account_type", "enterprise_credit_code", "handler_scope", "handler_authorization_id", "roles"}
)
ALWAYS_SUPPORTED = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid")


@dataclass(frozen=True, slots=True)
class Subject:
    """Who a token is about: an account, in a capacity, for one enterprise or none, as of one sign-in.

    ``account_type`` is None for an account whose holder has not been verified; ``handler_scope`` holds
    matter codes that the authorisation covers and the client serves.
    """

    account_id: str
    account_type: str | None
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    sid: str | None = None
    enterprise_credit_code: str | None = None
    enterprise_name: str | None = None
    handler_authorization_id: str | None = None
    handler_scope: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What userinfo may tell of the account itself; None where the platform doesn't know it.

    ``verification_process`` names its real-name authentication and tells nothing else; it is empty where
    nobody asked for ``verified_claims``. ``granted_…`` are of the handler authorisation that the grant rests
    on. The document is there only when it may be told.
    """

    login_name: str
    name: str | None
    email: str
    phone: str
    address: str | None
    updated_time: int
    verified_at: datetime | None = None
    verification_process: str = ""
    document_type: str | None = None
    document_number: str | None = None
    granted_at: datetime | None = None
    granted_from: datetime | None = None
    granted_until: datetime | None = None


def handler_scope(authorized: Iterable[str], served: Iterable[str]) -> tuple[str, ...]:
    """The matters that an authorisation covers and a client serves, in the authorisation's order."""
    served_matters = frozenset(served)
    return tuple(matter for matter in authorized if matter in served_matters)


def mandate_claims(subject: Subject) -> dict[str, Any]:
    """Every claim of the mandate that is true of ``subject``;
    absent ones are left out, never null or empty.
    """
    claims: dict[str, Any] = {
        "account_type": subject.account_type,
        "enterprise_credit_code": subject.enterprise_credit_code,
        "enterprise_name": subject.enterprise_name,
        "roles": list(subject.roles),
    }
    if subject.account_type == HANDLER:
        claims["handler_scope"] = list(subject.handler_scope)
        claims["handler_authorization_id"] = subject.handler_authorization_id
    return {name: value for name, value in claims.items() if value}


Asked = Callable[[str, Any], bool]
"""Whether a claim of this name and value was asked for by the ``claims`` parameter."""


def nothing_asked(_name: str, _value: Any) -> bool:
    """Where the ``claims`` parameter has no say."""
    return False


def _told(claims: Mapping[str, Any], scopes: frozenset[str], asked: Asked) -> dict[str, Any]:
    """What the scopes grant, and what was asked for by name."""
    return {
        name: value for name, value in claims.items() if CLAIM_SCOPES[name] in scopes or asked(name, value)
    }


def sign_in_claims(subject: Subject) -> dict[str, Any]:
    """``auth_time``, ``acr`` and ``amr``: how and when the person signed in."""
    return {"auth_time": subject.auth_time, "acr": subject.acr, "amr": list(subject.amr)}


def access_token_claims(subject: Subject, scopes: frozenset[str]) -> dict[str, Any]:
    """What an access token says beyond RFC 9068's own claims (claims.md, column "access token")."""
    mandate = _told(mandate_claims(subject), scopes, nothing_asked)
    return sign_in_claims(subject) | {
        name: value for name, value in mandate.items() if name in TOKEN_MANDATE_CLAIMS
    }


def id_token_claims(
    subject: Subject, person: PersonalData | None, scopes: frozenset[str], asked: Asked
) -> dict[str, Any]:
    """What an ID token says beyond iss, sub, aud, exp, iat and nonce (OIDC Core 2 and 5.4).

    ``person`` is needed only when personal claims are asked for.
    """
    claims = sign_in_claims(subject)
    if subject.sid is not None:
        claims["sid"] = subject.sid
    claims |= _told(mandate_claims(subject), scopes, asked)
    if person is not None:
        claims |= _told(_personal_claims(subject, person), frozenset(), asked)
    return claims


def userinfo_claims(
    subject: Subject, person: PersonalData, scopes: frozenset[str], asked: Asked
) -> dict[str, Any]:
    """The userinfo answer but ``sub``: claims of the granted scopes and of the ``claims`` parameter
    (Core 5.3.2); the identity document, where ``person`` has it, by its scope alone.
    """
    document = {"document_type": person.document_type, "document_number": person.document_number}
    known = {name: value for name, value in document.items() if value is not None}
    return _told(_personal_claims(subject, person) | mandate_claims(subject), scopes, asked) | _told(
        known, scopes, nothing_asked
    )


def _personal_claims(subject: Subject, person: PersonalData) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "name": person.name or subject.enterprise_name,
        "preferred_username": person.login_name,
        "updated_at": person.updated_time,
        "address": {"formatted": person.address} if person.address else None,
    }
    if person.email:
        claims |= {"email": person.email, "email_verified": False}
    if person.phone:
        claims |= {"phone_number": f"+86{person.phone}", "phone_number_verified": True}
    return {name: value for name, value in claims.items() if value is not None}

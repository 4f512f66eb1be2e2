"""What tokens say: pure functions of who acts for whom and what was asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.domain.errors import Refusal

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
}
CLAIM_SCOPES: Mapping[str, str] = {claim: scope for scope, claims in SCOPE_CLAIMS.items() for claim in claims}
MANDATE_SCOPES = ("enterprise", "handler", "roles")
TOKEN_MANDATE_CLAIMS = frozenset(
    {"account_type", "enterprise_credit_code", "handler_scope", "handler_authorization_id", "roles"}
)
ALWAYS_SUPPORTED = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid")
MAX_CLAIMS_PARAMETER = 4000


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
    """What userinfo may tell of the account itself; None where the platform doesn't know it."""

    login_name: str
    name: str | None
    email: str
    phone: str
    address: str | None
    updated_time: int


@dataclass(frozen=True, slots=True)
class RequestedClaims:
    """The ``claims`` parameter (OIDC Core 5.5), reduced to what this provider acts on.

    ``enterprises`` pins the acting enterprise: empty means not pinned. ``account_id`` is the only person whom
    the answer may be about (OIDC Core 3.1.2.2, 5.5.1).
    """

    id_token: frozenset[str] = field(default_factory=frozenset)
    userinfo: frozenset[str] = field(default_factory=frozenset)
    enterprises: tuple[str, ...] = ()
    account_id: str | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes whose consent covers these claims."""
        return frozenset(CLAIM_SCOPES[name] for name in self.id_token | self.userinfo)

    def as_json(self) -> dict[str, list[str]] | None:
        """For storing beside an authorization; None when nothing was asked."""
        if not (self.id_token or self.userinfo):
            return None
        return {"id_token": sorted(self.id_token), "userinfo": sorted(self.userinfo)}

    @classmethod
    def from_json(cls, stored: Mapping[str, list[str]] | None) -> RequestedClaims:
        """The reverse of :meth:`as_json`."""
        if not stored:
            return NOTHING_REQUESTED
        return cls(frozenset(stored["id_token"]), frozenset(stored["userinfo"]))


NOTHING_REQUESTED = RequestedClaims()


def parse_claims_parameter(text: str | None, allowed_scopes: frozenset[str]) -> RequestedClaims | Refusal:
    """Read the ``claims`` request parameter; claims beyond ``allowed_scopes``
    and unknown members are left out.

    Refuses with ``claims_invalid`` what is not JSON of the shape of OIDC Core 5.5.
    """
    if text is None:
        return NOTHING_REQUESTED
    document = _json_object(text)
    sections = {} if document is None else {key: document.get(key) or {} for key in ("id_token", "userinfo")}
    if document is None or not all(isinstance(section, dict) for section in sections.values()):
        return Refusal.of("claims_invalid", "claims")
    pinned = _pinned_enterprises(sections)
    subjects = _asked_values(sections["id_token"].get("sub"))
    if pinned is None or subjects is None or len(subjects) > 1:
        return Refusal.of("claims_invalid", "claims")
    return RequestedClaims(
        id_token=_known(sections["id_token"], allowed_scopes),
        userinfo=_known(sections["userinfo"], allowed_scopes),
        enterprises=pinned,
        account_id=subjects[0] if subjects else None,
    )


def _json_object(text: str) -> dict[str, Any] | None:
    if len(text) > MAX_CLAIMS_PARAMETER:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _known(section: Mapping[str, Any], allowed_scopes: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in section if CLAIM_SCOPES.get(name) in allowed_scopes)


def _pinned_enterprises(sections: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...] | None:
    """The enterprises that ``value`` or ``values`` name; None when they are of the wrong type."""
    pinned: list[str] = []
    for section in sections.values():
        values = _asked_values(section.get("enterprise_credit_code"))
        if values is None:
            return None
        pinned += values
    return tuple(dict.fromkeys(pinned))


def _asked_values(member: object) -> list[str] | None:
    """The ASCII texts that a member's ``value`` or ``values`` asks for, [] without either (OIDC Core 5.5.1).

    None for anything else, an empty ``values`` too:
    a request that nothing can meet is never one that everything meets.
    """
    if not isinstance(member, dict) or not member.keys() & {"value", "values"}:
        return []
    values = member["values"] if "values" in member else [member["value"]]
    if not isinstance(values, list) or not values:
        return None
    return values if all(isinstance(value, str) and value.isascii() for value in values) else None


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


def _granted_mandate(subject: Subject, scopes: frozenset[str], asked: frozenset[str]) -> dict[str, Any]:
    return {
        name: value
        for name, value in mandate_claims(subject).items()
        if CLAIM_SCOPES[name] in scopes or name in asked
    }


def sign_in_claims(subject: Subject) -> dict[str, Any]:
    """``auth_time``, ``acr`` and ``amr``: how and when the person signed in."""
    return {"auth_time": subject.auth_time, "acr": subject.acr, "amr": list(subject.amr)}


def access_token_claims(subject: Subject, scopes: frozenset[str]) -> dict[str, Any]:
    """What an access token says beyond RFC 9068's own claims (claims.md, column "access token")."""
    mandate = _granted_mandate(subject, scopes, frozenset())
    return sign_in_claims(subject) | {
        name: value for name, value in mandate.items() if name in TOKEN_MANDATE_CLAIMS
    }


def id_token_claims(
    subject: Subject, person: PersonalData | None, scopes: frozenset[str], requested: RequestedClaims
) -> dict[str, Any]:
    """What an ID token says beyond iss, sub, aud, exp, iat and nonce (OIDC Core 2 and 5.4).

    ``person`` is needed only when ``requested.id_token`` names personal claims.
    """
    claims = sign_in_claims(subject)
    if subject.sid is not None:
        claims["sid"] = subject.sid
    claims |= _granted_mandate(subject, scopes, requested.id_token)
    if person is not None:
        personal = _personal_claims(subject, person)
        claims |= {name: value for name, value in personal.items() if name in requested.id_token}
    return claims


def userinfo_claims(
    subject: Subject, person: PersonalData, scopes: frozenset[str], requested: RequestedClaims
) -> dict[str, Any]:
    """The userinfo answer but ``sub``: claims of the granted scopes
    and of the ``claims`` parameter (Core 5.3.2).
    """
    personal = {
        name: value
        for name, value in _personal_claims(subject, person).items()
        if CLAIM_SCOPES[name] in scopes or name in requested.userinfo
    }
    return personal | _granted_mandate(subject, scopes, requested.userinfo)


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


def needs_person(requested: RequestedClaims) -> bool:
    """Whether an ID token with these requested claims needs personal data at all."""
    return any(CLAIM_SCOPES[name] not in MANDATE_SCOPES for name in requested.id_token)

"""``verified_claims`` (OpenID Connect for Identity Assurance 1.0) with the authority of a person over an
enterprise (OpenID Connect Authority claims extension): what can be told of what was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from idp.domain.claims import HANDLER, LEGAL_PERSON, PersonalData, Subject
from idp.domain.dates import china_date
from idp.domain.requested_claims import asked_values

TRUST_FRAMEWORK: Final = "cn_gov_real_name"
ASSURANCE_LEVEL: Final = "3"
"""Name, number and documents checked against the authorities' registers, or by a reviewer."""
CLAIMS: Final = ("name", "authority")
AUTHORITY_CLAIMS: Final = ("applies_to", "permission", "granted_by")
LEGAL_REPRESENTATIVE: Final = "legal_representative"
HANDLER_ROLE: Final = "handler"
APPOINTED: Final = "appointed"
DELEGATED: Final = "delegated"
ROLES: Final = (LEGAL_REPRESENTATIVE, HANDLER_ROLE)
METHODS: Final = (APPOINTED, DELEGATED)
EVERYTHING: Final[list[dict[str, Any]]] = [
    {
        "verification": dict.fromkeys(("trust_framework", "assurance_level", "time", "verification_process")),
        "claims": dict.fromkeys(CLAIMS),
    }
]
"""What the scope ``verified_claims`` stands for."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What has been verified, as of now. ``verified_at`` and ``process`` are those of the real-name
    authentication, ``granted_at`` and ``grant_id`` those of what gives the authority.
    """

    name: str | None
    verified_at: datetime | None
    process: str
    authority: Mapping[str, Any] | None
    granted_at: datetime | None
    grant_id: str | None


def facts_of(subject: Subject, person: PersonalData, matters: Iterable[str]) -> Facts:
    """The facts about a person who acts as ``subject`` at a client that serves ``matters``."""
    handles = subject.account_type == HANDLER
    return Facts(
        name=person.name if person.verified_at is not None else None,
        verified_at=person.verified_at,
        process=person.verification_process,
        authority=_authority(subject, person, tuple(matters)),
        granted_at=person.granted_at if handles else person.verified_at,
        grant_id=subject.handler_authorization_id if handles else person.verification_process,
    )


def _authority(subject: Subject, person: PersonalData, matters: tuple[str, ...]) -> dict[str, Any] | None:
    """The one element of ``authority``; None for who acts for no enterprise."""
    if subject.enterprise_credit_code is None:
        return None
    represents = subject.account_type == LEGAL_PERSON
    return {
        "applies_to": {
            "organization_name": subject.enterprise_name,
            "registration_number": subject.enterprise_credit_code,
            "legal_jurisdiction": "CN",
            "organization_identifiers": [{"type": "uscc", "value": subject.enterprise_credit_code}],
        },
        "permission": [
            {
                "role": LEGAL_REPRESENTATIVE if represents else HANDLER_ROLE,
                "function": list(matters if represents else subject.handler_scope),
                **({} if represents else {"validity": [_validity(person)]}),
                "may_delegate": represents,
            }
        ],
        "granted_by": {
            "method": APPOINTED if represents else DELEGATED,
            "granting_body": subject.enterprise_name,
        },
    }


def _validity(person: PersonalData) -> dict[str, str]:
    """China's dates (Authority 3.4); without ``end`` it lasts until it is revoked."""
    dates = {"start": person.granted_from, "end": person.granted_until}
    return {name: china_date(moment).isoformat() for name, moment in dates.items() if moment is not None}


def answer(asked: Iterable[Mapping[str, Any]], facts: Facts, now: datetime) -> Any:
    """The value of ``verified_claims``: an element for each that can be met, alone when there is one.

    None when none can be: unavailable is never an error (IDA 6.6).
    """
    elements = [element for request in asked if (element := _element(request, facts, now)) is not None]
    if not elements:
        return None
    return elements[0] if len(elements) == 1 else elements


def _element(request: Mapping[str, Any], facts: Facts, now: datetime) -> dict[str, Any] | None:
    claims = _claims(request["claims"], facts)
    if not claims:
        return None
    verification = _verification(facts, of_person="name" in claims)
    if not all(
        _meets(member, verification.get(name), now) for name, member in request["verification"].items()
    ):
        return None
    told = {name: _written(value) for name, value in verification.items() if name in request["verification"]}
    return {"verification": told, "claims": claims}


def _claims(asked: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    """The asked claims that are there and have an asked value."""
    available = {"name": facts.name, "authority": [facts.authority] if facts.authority else None}
    told = {name: value for name, value in available.items() if name in asked and value is not None}
    return {name: value for name, value in told.items() if _is_among(asked_values(asked[name]), value)}


def _is_among(accepted: list[Any] | None, value: Any) -> bool:
    return accepted is None or value in accepted


def _verification(facts: Facts, *, of_person: bool) -> dict[str, Any]:
    """How and when it was verified: the person, or else the grant of the authority."""
    time = facts.verified_at if of_person else facts.granted_at
    verification = {
        "trust_framework": TRUST_FRAMEWORK,
        "assurance_level": ASSURANCE_LEVEL,
        "time": time,
        "verification_process": facts.process if of_person else facts.grant_id,
    }
    return {name: value for name, value in verification.items() if value is not None}


def _meets(member: Any, value: Any, now: datetime) -> bool:
    """Whether a requirement on the verification is met; one on what isn't there never is (IDA 6.5, 6.6)."""
    if member is None or member == {}:
        return True
    if value is None or not isinstance(member, dict):
        return False
    if "max_age" in member and not _is_young(value, member["max_age"], now):
        return False
    return _is_among(asked_values(member), _written(value))


def _is_young(value: Any, max_age: float, now: datetime) -> bool:
    return isinstance(value, datetime) and (now - value).total_seconds() <= max_age


def _written(value: Any) -> Any:
    """Moments by ISO 8601 in UTC."""
    if not isinstance(value, datetime):
        return value
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""The ``claims`` request parameter (OIDC Core 5.5, OpenID Connect for Identity Assurance 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.domain import interoperable_json
from idp.domain.claims import CLAIM_SCOPES, MANDATE_SCOPES
from idp.domain.errors import Refusal

MAX_CLAIMS_PARAMETER = 4000
SECTIONS = ("id_token", "userinfo")
VERIFIED_CLAIMS = "verified_claims"
PURPOSE_LENGTHS = range(3, 301)
_CONSTRAINTS = {"value", "values"}


@dataclass(frozen=True, slots=True)
class RequestedClaims:
    """The ``claims`` parameter, reduced to what this provider acts on.

    ``id_token`` and ``userinfo`` are names of claims; ``accepted`` holds, by ``section.name``, the values
    that alone may be told; ``verified`` by section the elements of ``verified_claims`` as they were asked.
    ``enterprises`` pins the acting enterprise: None is not pinned, empty is one that nobody can act for.
    ``account_id`` is the only person whom the answer may be about (Core 3.1.2.2, 5.5.1), ``acr_values`` how
    strongly the person must or (without ``acr_essential``) should sign in (Core 5.5.1.1).
    """

    id_token: frozenset[str] = field(default_factory=frozenset)
    userinfo: frozenset[str] = field(default_factory=frozenset)
    accepted: Mapping[str, list[Any]] = field(default_factory=dict)
    verified: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    enterprises: frozenset[str] | None = None
    account_id: str | None = None
    acr_values: tuple[str, ...] = ()
    acr_essential: bool = False

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes whose consent covers these claims."""
        verified = {VERIFIED_CLAIMS} if self.verified else set()
        return frozenset(CLAIM_SCOPES[name] for name in self.id_token | self.userinfo) | verified

    @property
    def need_person(self) -> bool:
        """Whether an ID token with these claims needs personal data at all."""
        personal = (CLAIM_SCOPES[name] not in MANDATE_SCOPES for name in self.id_token)
        return any(personal) or "id_token" in self.verified

    def accepts(self, section: str, name: str, value: Any) -> bool:
        """Whether a claim was asked for in this section, and with this value or any (Core 5.5.1)."""
        if name not in (self.id_token if section == "id_token" else self.userinfo):
            return False
        accepted = self.accepted.get(f"{section}.{name}")
        return accepted is None or value in accepted

    def as_json(self) -> dict[str, Any] | None:
        """For storing beside an authorization: what tokens need; None when nothing was asked."""
        if not (self.id_token or self.userinfo or self.verified):
            return None
        more = {"accepted": dict(self.accepted), "verified": dict(self.verified)}
        return {
            "id_token": sorted(self.id_token),
            "userinfo": sorted(self.userinfo),
            **{name: value for name, value in more.items() if value},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> RequestedClaims:
        """The reverse of :meth:`as_json`; what concerns the request alone is not in it."""
        if not stored:
            return NOTHING_REQUESTED
        return cls(
            frozenset(stored["id_token"]),
            frozenset(stored["userinfo"]),
            stored.get("accepted", {}),
            stored.get("verified", {}),
        )


NOTHING_REQUESTED = RequestedClaims()


def parse_claims_parameter(text: str | None, allowed_scopes: frozenset[str]) -> RequestedClaims | Refusal:
    """Read the parameter; claims beyond ``allowed_scopes`` and unknown members are left out.

    Refuses with ``claims_invalid`` what is not JSON of the shape that the specifications give it.
    """
    if text is None:
        return NOTHING_REQUESTED
    sections = _sections(text)
    requested = None if sections is None else _requested(sections, allowed_scopes)
    return requested or Refusal.of("claims_invalid", "claims")


def _sections(text: str) -> dict[str, dict[str, Any]] | None:
    document = interoperable_json.parse(text, MAX_CLAIMS_PARAMETER)
    if not isinstance(document, dict):
        return None
    sections = {name: document.get(name) or {} for name in SECTIONS}
    return sections if all(isinstance(section, dict) for section in sections.values()) else None


def _requested(
    sections: Mapping[str, Mapping[str, Any]], allowed_scopes: frozenset[str]
) -> RequestedClaims | None:
    """None when a member that matters has the wrong shape."""
    known = {name: _known(section, allowed_scopes) for name, section in sections.items()}
    verified = {name: _verified(section.get(VERIFIED_CLAIMS)) for name, section in sections.items()}
    pins = [asked_texts(section.get("enterprise_credit_code")) for section in sections.values()]
    subjects = asked_texts(sections["id_token"].get("sub"))
    acr_values = asked_texts(sections["id_token"].get("acr"))
    if None in verified.values() or None in pins or subjects is None or acr_values is None:
        return None
    if len(subjects) > 1:
        return None
    return RequestedClaims(
        id_token=known["id_token"],
        userinfo=known["userinfo"],
        accepted=_accepted(sections, known),
        verified={name: elements for name, elements in verified.items() if elements and _may(allowed_scopes)},
        enterprises=_pinned(pins),
        account_id=subjects[0] if subjects else None,
        acr_values=tuple(acr_values),
        acr_essential=bool(acr_values) and sections["id_token"]["acr"].get("essential") is True,
    )


def _may(allowed_scopes: frozenset[str]) -> bool:
    return VERIFIED_CLAIMS in allowed_scopes


def _known(section: Mapping[str, Any], allowed_scopes: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in section if CLAIM_SCOPES.get(name) in allowed_scopes)


def _accepted(
    sections: Mapping[str, Mapping[str, Any]], known: Mapping[str, frozenset[str]]
) -> dict[str, list[Any]]:
    """The values that alone will do, of the claims that were asked with any."""
    return {
        f"{section}.{name}": values
        for section, names in known.items()
        for name in names
        if (values := asked_values(sections[section][name])) is not None
    }


def asked_values(member: object) -> list[Any] | None:
    """What a member's ``value`` or ``values`` asks for; None when it asks for any (Core 5.5.1)."""
    if not isinstance(member, dict) or not member.keys() & _CONSTRAINTS:
        return None
    values = member["values"] if "values" in member else [member["value"]]
    return values if isinstance(values, list) else [values]


def asked_texts(member: object) -> list[str] | None:
    """The ASCII texts that a member asks for, [] when it asks for any.

    None for anything else, an empty ``values`` too: a request that nothing can meet is never one that
    everything meets.
    """
    if not isinstance(member, dict) or not member.keys() & _CONSTRAINTS:
        return []
    values = member["values"] if "values" in member else [member["value"]]
    if not isinstance(values, list) or not values:
        return None
    return values if all(isinstance(value, str) and value.isascii() for value in values) else None


def _pinned(pins: Iterable[list[str] | None]) -> frozenset[str] | None:
    """What both sections leave: two that name different enterprises can't both be met."""
    sets = [frozenset(pin) for pin in pins if pin]
    return frozenset.intersection(*sets) if sets else None


# --- verified claims
# ------------------------------------------------------------------------------------------------


def _verified(asked: object) -> list[dict[str, Any]] | None:
    """The elements of a ``verified_claims`` request, one or many; None when one has the wrong shape."""
    if asked is None:
        return []
    elements: list[Any] = asked if isinstance(asked, list) else [asked]
    return elements if all(_is_verified_request(element) for element in elements) else None


def _is_verified_request(element: object) -> bool:
    """IDA 6.1, 6.2: a verification with its trust framework, and claims; constraints of the right type."""
    if not isinstance(element, dict):
        return False
    verification, claims = element.get("verification"), element.get("claims")
    if not isinstance(verification, dict) or "trust_framework" not in verification:
        return False
    if not isinstance(claims, dict):
        return False
    members = [*verification.values(), *claims.values()]
    return all(_is_constraint(member) for member in members) and all(map(_has_purpose, claims.values()))


def _is_constraint(member: object) -> bool:
    """Null, filters, or an object whose ``values`` is a list and ``max_age`` a number of seconds."""
    if member is None or isinstance(member, list):
        return True
    if not isinstance(member, dict) or not isinstance(member.get("values", []), list):
        return False
    max_age = member.get("max_age", 0)
    return isinstance(max_age, int | float) and not isinstance(max_age, bool) and max_age >= 0


def _has_purpose(member: object) -> bool:
    purpose = member.get("purpose") if isinstance(member, dict) else None
    return purpose is None or (isinstance(purpose, str) and len(purpose) in PURPOSE_LENGTHS)

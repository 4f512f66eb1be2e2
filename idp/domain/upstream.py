"""信任传递: signing in at another platform, and what its word about a person is worth here.

The other platform is asked who somebody is *by a document that it has verified*, and how the person signed
in. Nothing else that it says leads to an account: no phone, no e-mail, no login name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from idp.domain.claims import LEGAL_PERSON
from idp.domain.clients import ACR_VALUES
from idp.domain.errors import Refusal
from idp.domain.identifiers import find_credit_code, find_document_number
from idp.domain.verified_claims import LEGAL_REPRESENTATIVE, TRUST_FRAMEWORK

SCOPES: Final = ("openid", "enterprise", "identity_document", "verified_claims")
CLAIMS: Final[Mapping[str, Any]] = {
    "id_token": {"auth_time": {"essential": True}},
    "userinfo": {
        "verified_claims": [
            {
                "verification": {"trust_framework": {"value": TRUST_FRAMEWORK}, "assurance_level": None},
                "claims": {claim: None},
            }
            for claim in ("name", "authority")
        ]
    },
}
"""The ``claims`` parameter: somebody verified, by name; or the enterprise that an account is."""

SIGN_IN_TTL: Final = timedelta(minutes=10)
"""From here to there and back again."""
CLOCK_SKEW: Final = timedelta(seconds=30)
LONGEST_NAME: Final = 100


# --- who it is ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """A natural person: type and canonical number of a verified document, and the verified name."""

    document_type: str
    document_number: str
    real_name: str


@dataclass(frozen=True, slots=True)
class Enterprise:
    """The enterprise whose legal-person account signed in."""

    enterprise_credit_code: str


Identity = Person | Enterprise


@dataclass(frozen=True, slots=True)
class Assertion:
    """What the other platform has said in one sign-in, its signature checked; ``auth_time`` in seconds."""

    issuer: str
    subject: str
    identity: Identity
    acr: str | None
    amr: tuple[str, ...]
    auth_time: int


def identity_of(claims: Mapping[str, Any], today: date, *, allow_test: bool) -> Identity | Refusal:
    """Whom the claims are about, as far as they say that it has been verified.

    Refuses with ``upstream_unverified`` when there is no such document, or only part of what makes it one.
    """
    if claims.get("account_type") == LEGAL_PERSON:
        found: Identity | None = _enterprise(claims)
    else:
        found = _person(claims, today, allow_test=allow_test)
    return found or Refusal.of("upstream_unverified")


def _enterprise(claims: Mapping[str, Any]) -> Enterprise | None:
    """The credit code twice: as the acting enterprise's, and as that of which this is the representative."""
    code = find_credit_code(_text(claims.get("enterprise_credit_code")))
    represented = {
        applies_to.get("registration_number")
        for authority in _verified(claims, "authority")
        for applies_to in _represented(authority)
    }
    return Enterprise(code) if code is not None and code in represented else None


def _represented(authority: object) -> Iterator[Mapping[str, Any]]:
    """What the entries with the role of a legal representative apply to."""
    for entry in authority if isinstance(authority, list) else ():
        applies_to = entry.get("applies_to") if isinstance(entry, dict) else None
        permissions = entry.get("permission") if isinstance(entry, dict) else None
        if isinstance(applies_to, dict) and isinstance(permissions, list):
            roles = [item.get("role") for item in permissions if isinstance(item, dict)]
            if roles == [LEGAL_REPRESENTATIVE]:
                yield applies_to


def _person(claims: Mapping[str, Any], today: date, *, allow_test: bool) -> Person | None:
    document_type = _text(claims.get("document_type"))
    typed = _text(claims.get("document_number"))
    number = find_document_number(document_type, typed, today, allow_test=allow_test)
    names = [name for name in _verified(claims, "name") if isinstance(name, str)]
    if number is None or len(names) != 1 or not 0 < len(names[0]) <= LONGEST_NAME:
        return None
    return Person(document_type, number, names[0])


def _verified(claims: Mapping[str, Any], name: str) -> Iterator[Any]:
    """The values of a claim within ``verified_claims`` of our trust framework (IDA 5.1)."""
    told = claims.get("verified_claims")
    for element in told if isinstance(told, list) else [told]:
        if not isinstance(element, dict):
            continue
        verification, within = element.get("verification"), element.get("claims")
        if (
            isinstance(verification, dict)
            and isinstance(within, dict)
            and verification.get("trust_framework") == TRUST_FRAMEWORK
            and name in within
        ):
            yield within[name]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def is_same_name(asserted: str, ours: str) -> bool:
    """Whether two platforms mean the same name; spaces and the several dots of transcribed names aside."""
    return _bare(asserted) == _bare(ours)


def _bare(name: str) -> str:
    return "".join(c for c in name.casefold() if not c.isspace() and c not in "·•・.．‧")


# --- how strongly -------------------------------------------------------------------------------------------

LEVELS: Final[Mapping[str, str]] = {value: value for value in ACR_VALUES}
"""Their ``acr`` values → ours. A value that nobody has agreed on with us means nothing here."""


def asked_levels(asked: Iterable[str], highest: str) -> tuple[str, ...]:
    """Their values to ask for: of those wanted here what could count, else two factors whichever."""
    wanted, counted = frozenset(asked), ACR_VALUES[: ACR_VALUES.index(highest) + 1]
    levels = [theirs for theirs, ours in LEVELS.items() if ours in counted]
    return tuple(value for value in levels if LEVELS[value] in wanted) or tuple(levels[:1])


METHODS: Final = frozenset(
    {"face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin"}
    | {"pwd", "rba", "retina", "sc", "sms", "swk", "tel", "user", "vbm", "wia"}
)
"""The values of ``amr`` that are registered (RFC 8176)."""
_NOT_POSSESSION: Final = frozenset({"pwd", "pin", "fpt", "face", "iris", "retina", "vbm"})


def level_of(acr: str | None, highest: str) -> str | None:
    """Our level for theirs, at most ``highest``; None when it isn't known to reach two factors."""
    level = LEVELS.get(acr or "")
    return None if level is None else min(level, highest, key=ACR_VALUES.index)


def methods_of(amr: Iterable[object]) -> tuple[str, ...]:
    """What was told of the methods, as told, of those that have a registered meaning."""
    return tuple(dict.fromkeys(value for value in amr if isinstance(value, str) and value in METHODS))


def is_completed_by_sms(amr: Iterable[str]) -> bool:
    """Whether a code to the phone makes two factors of it: something known, or of the body, came before.

    A code by SMS upon a code by SMS would be the same telephone twice.
    """
    return not _NOT_POSSESSION.isdisjoint(amr)


def with_sms(amr: Iterable[str]) -> tuple[str, ...]:
    """The methods after a code to the phone was right as well."""
    return tuple(dict.fromkeys((*amr, "sms", "mfa")))


# --- when ---------------------------------------------------------------------------------------------------


def is_recent(auth_time: int, not_before: float | None) -> bool:
    """Whether the person signed in there as late as was asked for; None: whenever."""
    return not_before is None or auth_time >= not_before - CLOCK_SKEW.total_seconds()

"""Who is shown which natural person behind a report: pure rules, on what is known of the viewer.

In full only to those who must know; everyone else gets masks (masking.py):

- whoever sent a version sees in it what they typed themselves;
- the enterprise's legal-person account sees which of its handlers acted for it, not the accident's people;
- a regulator sees the people after a deliberate act with a reason, which is logged (accesses.py);
- other handlers of the same enterprise see masks, the contact's phone included: who needs the colleague
  knows the colleague, and who goes on with the report is shown its people in the form for that alone.

A regulator's own name is shown to nobody but that regulator: the authority acts, not the person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clients.smdvs import masking

LEGAL_PERSON = "legal_person"
REGULATOR = "regulator"


@dataclass(frozen=True)
class Viewer:
    """Who looks: ``enterprise_credit_code`` is None for a regulator. ``disclosed``: this regulator has just
    asked for the people of this report, with a reason, and it is in the log.
    """

    sub: str
    account_type: str
    enterprise_credit_code: str | None
    disclosed: bool = False

    @property
    def is_regulator(self) -> bool:
        """Whether this person reads for the regulator, of all enterprises."""
        return self.enterprise_credit_code is None


@dataclass(frozen=True)
class Clearance:
    """What of one version is shown in full: who sent it, and the people in it (contact, owners)."""

    author: bool
    people: bool


def clearance(viewer: Viewer, author_sub: str, author_type: str) -> Clearance:
    """What of a version by that author this viewer is shown in full."""
    if viewer.sub == author_sub:
        return Clearance(author=True, people=True)
    if author_type == REGULATOR:
        return Clearance(author=False, people=False)
    disclosed = viewer.is_regulator and viewer.disclosed
    legal_person = not viewer.is_regulator and viewer.account_type == LEGAL_PERSON
    return Clearance(author=disclosed or legal_person, people=disclosed)


def shown_name(name: str, allowed: Clearance) -> str:
    """The author's name, or its mask."""
    return name if allowed.author else masking.name(name)


def shown_people(personal: Mapping[str, Any], allowed: Clearance) -> dict[str, Any]:
    """The people of a version as this viewer is shown them, in the shape in which they came."""
    if allowed.people:
        return dict(personal)
    shown = dict(personal)
    if personal.get("reporter_phone"):
        shown["reporter_phone"] = masking.phone(personal["reporter_phone"])
    if "owners" in personal:
        shown["owners"] = [_masked_owner(owner) for owner in personal["owners"]]
    return shown


def kinds_of(personal: Mapping[str, Any]) -> tuple[str, ...]:
    """Which data about people a version holds: the codes that the log keeps, never the data."""
    owners = personal.get("owners", ())
    there = {
        "reporter_name": personal.get("reporter_name"),
        "reporter_phone": personal.get("reporter_phone"),
        "owner_name": any(owner.get("owner_name") for owner in owners),
        "owner_phone": any(owner.get("owner_phone") for owner in owners),
    }
    return tuple(code for code, value in there.items() if value)


def mask(field: str, value: str) -> str:
    """The mask of one value by the name of its field."""
    return masking.phone(value) if field.endswith("_phone") else masking.name(value)


def _masked_owner(owner: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "owner_name": masking.name(owner.get("owner_name") or "") or None,
        "owner_phone": masking.phone(owner.get("owner_phone") or "") or None,
    }

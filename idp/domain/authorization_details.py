"""Rich authorization requests of type ``enterprise_handler`` (RFC 9396, claims.md): what they ask, what is
granted of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from idp.domain import interoperable_json
from idp.domain.errors import Refusal
from idp.domain.handler_terms import MATTERS
from idp.domain.identifiers import find_credit_code

TYPE = "enterprise_handler"
MAX_LENGTH = 4000
MAX_DETAILS = 10
_MEMBERS = {"type", "enterprise_credit_code", "matters"}
_GRANTED_MEMBERS = _MEMBERS | {"handler_authorization_id", "valid_until"}


@dataclass(frozen=True, slots=True)
class HandlerDetail:
    """One element: these matters for this enterprise. The last two are known once it is granted."""

    enterprise_credit_code: str
    matters: tuple[str, ...]
    handler_authorization_id: str | None = None
    valid_until: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The element as tokens, answers and introspection have it; what is unknown is left out."""
        members = {
            "type": TYPE,
            "enterprise_credit_code": self.enterprise_credit_code,
            "matters": list(self.matters),
            "handler_authorization_id": self.handler_authorization_id,
            "valid_until": self.valid_until,
        }
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def from_json(cls, element: Mapping[str, Any]) -> HandlerDetail:
        """The reverse of :meth:`as_json`."""
        return cls(
            element["enterprise_credit_code"],
            tuple(element["matters"]),
            element.get("handler_authorization_id"),
            element.get("valid_until"),
        )


Details = tuple[HandlerDetail, ...]


def parse(text: str | None, served: Iterable[str]) -> Details | Refusal:
    """The elements of the ``authorization_details`` parameter; ``served`` are the client's matters.

    Refuses with ``authorization_details_invalid`` (RFC 9396 §5): not such JSON, an unknown type or member, a
    bad field, a matter that the client doesn't serve, two enterprises. One grant acts for one enterprise.
    """
    if text is None:
        return ()
    elements = _elements(text)
    known = frozenset(served) & MATTERS
    if elements is None or not all(_is_detail(element, known) for element in elements):
        return Refusal.of("authorization_details_invalid", "authorization_details")
    details = tuple(HandlerDetail.from_json(element) for element in elements)
    if len({detail.enterprise_credit_code for detail in details}) != 1:
        return Refusal.of("authorization_details_invalid", "authorization_details")
    return details


def _elements(text: str) -> list[Any] | None:
    document = interoperable_json.parse(text, MAX_LENGTH)
    return document if isinstance(document, list) and 0 < len(document) <= MAX_DETAILS else None


def _is_detail(element: Any, known: frozenset[str]) -> bool:
    if not isinstance(element, dict) or element.get("type") != TYPE:
        return False
    # What was granted may be sent back as it came, to narrow a token.
    if not element.keys() <= _GRANTED_MEMBERS or not element.keys() >= _MEMBERS:
        return False
    if not all(isinstance(element[name], str) for name in element.keys() - {"matters"}):
        return False
    code = element["enterprise_credit_code"]
    return find_credit_code(code) == code and _are_matters(element["matters"], known)


def _are_matters(matters: Any, known: frozenset[str]) -> bool:
    return (
        isinstance(matters, list)
        and bool(matters)
        and all(isinstance(matter, str) and matter in known for matter in matters)
        and len(set(matters)) == len(matters)
    )


def enterprise_of(details: Details) -> str | None:
    """The one enterprise that the elements name; None without any."""
    return details[0].enterprise_credit_code if details else None


def matters_of(details: Details) -> frozenset[str]:
    """Every matter that the elements name."""
    return frozenset(matter for detail in details for matter in detail.matters)


def granted(details: Details, handler_authorization_id: str | None, valid_until: datetime | None) -> Details:
    """The elements as granted on this authorisation (None: by the enterprise's own account)."""
    end = (
        valid_until.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        if valid_until
        else None
    )
    return tuple(
        HandlerDetail(detail.enterprise_credit_code, detail.matters, handler_authorization_id, end)
        for detail in details
    )


def in_force(details: Details, matters: Iterable[str]) -> Details:
    """What is left of granted elements when only these ``matters`` are covered."""
    if not details:
        return ()
    covered = frozenset(matters)
    narrowed = ((detail, tuple(m for m in detail.matters if m in covered)) for detail in details)
    return tuple(
        HandlerDetail(
            detail.enterprise_credit_code, left, detail.handler_authorization_id, detail.valid_until
        )
        for detail, left in narrowed
        if left
    )


def narrowed(asked: Details, held: Details) -> Details | Refusal:
    """The held elements cut down to the asked ones (RFC 9396 §6); asking nothing leaves them whole.

    Refuses with ``authorization_details_invalid`` what goes beyond them.
    """
    if not asked:
        return held
    if enterprise_of(asked) != enterprise_of(held) or not matters_of(asked) <= matters_of(held):
        return Refusal.of("authorization_details_invalid", "authorization_details")
    return in_force(held, matters_of(asked))

"""The authorities' registers that real-name authentication is checked against, behind one question."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from idp.config import Settings
from idp.outbound import Outbound, OutboundError
from idp.services.demonstration_registry import RECORDS
from idp.services.platform import Registry

LARGEST_ANSWER: Final = 64 * 1024
# What has to equal; addresses and dates are not in the registers.
FACTS: Final = {
    "natural_person": ("real_name", "document_type", "document_number"),
    "legal_person": (
        "enterprise_credit_code",
        "enterprise_name",
        "representative_name",
        "representative_document_type",
        "representative_document_number",
    ),
}
_log = logging.getLogger(__name__)


def registry_from(settings: Settings, outbound: Outbound) -> Registry:
    """The registry that ``IDP_REGISTRY`` names."""
    match settings.registry:
        case "demo":
            return DemonstrationRegistry()
        case "http":
            return HttpRegistry(outbound, settings.registry_url or "", settings.registry_token)
        case _:
            return ManualRegistry()


@dataclass(frozen=True, slots=True)
class DemonstrationRegistry:
    """Synthetic people and enterprises; every fact must equal. ``closed`` are credit codes."""

    closed: frozenset[str] = frozenset()

    def matches(self, subject_type: str, submission: Mapping[str, str]) -> bool | None:
        """Whether the demonstration data know exactly this person or enterprise, and it is open."""
        if submission.get("enterprise_credit_code") in self.closed:
            return False
        asked = _facts(subject_type, submission)
        return any(asked == _facts(subject_type, record) for record in RECORDS[subject_type])

    def standing(self, facts: Mapping[str, str]) -> str | None:
        """``closed`` if it is one of those, ``active`` if the facts still equal."""
        if facts["enterprise_credit_code"] in self.closed:
            return "closed"
        return "active" if self.matches("legal_person", facts) else "changed"


class ManualRegistry:
    """No registry: everything goes to a reviewer."""

    def matches(self, subject_type: str, submission: Mapping[str, str]) -> bool | None:
        """Nothing is known here."""
        return None

    def standing(self, facts: Mapping[str, str]) -> str | None:
        """Nothing is known here."""
        return None


@dataclass(frozen=True, slots=True)
class HttpRegistry:
    """A gateway to the registers.

    It gets a POST of ``{"subject_type": ..., <FACTS of that type>}`` with a bearer token and answers
    ``{"matches": true}``, ``false``, or ``null`` when it can't tell; of an enterprise that has ceased it may
    add ``"status": "closed"``. Any other answer, or none in time, means that a reviewer decides: a broken
    gateway neither admits nor turns away anyone.
    """

    outbound: Outbound
    url: str
    token: str | None

    def matches(self, subject_type: str, submission: Mapping[str, str]) -> bool | None:
        """What the gateway says."""
        return _verdict(self._ask(subject_type, submission))

    def standing(self, facts: Mapping[str, str]) -> str | None:
        """The same, of an enterprise that was there before."""
        answer = self._ask("legal_person", facts)
        if answer.get("status") == "closed":
            return "closed"
        return {True: "active", False: "changed", None: None}[_verdict(answer)]

    def _ask(self, subject_type: str, submission: Mapping[str, str]) -> Mapping[str, object]:
        """The gateway's answer; nothing if there is none."""
        facts = {"subject_type": subject_type, **_facts(subject_type, submission)}
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            answer = self.outbound.post(self.url, json=facts, headers=headers, max_bytes=LARGEST_ANSWER)
        except OutboundError as error:
            _log.warning("the registry gateway can't be asked: %s", error)
            return {}
        if answer.status != 200:
            _log.warning("the registry gateway answered with status %d", answer.status)
            return {}
        return _document(answer.body)


def _document(body: bytes) -> Mapping[str, object]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {}


def _verdict(document: Mapping[str, object]) -> bool | None:
    verdict = document.get("matches")
    return verdict if isinstance(verdict, bool) else None


def _facts(subject_type: str, submission: Mapping[str, str]) -> dict[str, str]:
    return {name: submission[name] for name in FACTS[subject_type]}

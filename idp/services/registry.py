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


class DemonstrationRegistry:
    """Synthetic people and enterprises; every fact must equal."""

    def matches(self, subject_type: str, submission: Mapping[str, str]) -> bool | None:
        """Whether the demonstration data know exactly this person or enterprise."""
        asked = _facts(subject_type, submission)
        return any(asked == _facts(subject_type, record) for record in RECORDS[subject_type])


class ManualRegistry:
    """No registry: everything goes to a reviewer."""

    def matches(self, subject_type: str, submission: Mapping[str, str]) -> bool | None:
        """Nothing is known here."""
        return None


@dataclass(frozen=True, slots=True)
class HttpRegistry:
    """A gateway to the registers.

    It gets a POST of ``{"subject_type": ..., <FACTS of that type>}`` with a bearer token and answers
    ``{"matches": true}``, ``false``, or ``null`` when it can't tell. Any other answer, or none in time, means
    that a reviewer decides: a broken gateway neither admits nor turns away anyone.
    """

    outbound: Outbound
    url: str
    token: str | None

    def matches(self, subject_type: str, submission: Mapping[str, str]) -> bool | None:
        """What the gateway says."""
        facts = {"subject_type": subject_type, **_facts(subject_type, submission)}
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            answer = self.outbound.post(self.url, json=facts, headers=headers, max_bytes=LARGEST_ANSWER)
        except OutboundError as error:
            _log.warning("the registry gateway can't be asked: %s", error)
            return None
        if answer.status != 200:
            _log.warning("the registry gateway answered with status %d", answer.status)
            return None
        return _verdict(answer.body)


def _verdict(body: bytes) -> bool | None:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    verdict = document.get("matches") if isinstance(document, dict) else None
    return verdict if isinstance(verdict, bool) else None


def _facts(subject_type: str, submission: Mapping[str, str]) -> dict[str, str]:
    return {name: submission[name] for name in FACTS[subject_type]}

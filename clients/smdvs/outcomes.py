"""What comes of a submission: stored, or why not."""

from __future__ import annotations

from dataclasses import dataclass

from clients.smdvs.documents import Fault
from clients.smdvs.lifecycle import NotNow


@dataclass(frozen=True)
class Accepted:
    """What is stored: the report's number and the version that was made; the same again for a repeated
    submission.
    """

    report_no: str
    version: int = 1


@dataclass(frozen=True)
class KeyReused:
    """The idempotency key belongs to another body."""


@dataclass(frozen=True)
class NotFound:
    """There is no such report, or it is another enterprise's."""


@dataclass(frozen=True)
class Changed:
    """The report has another version by now than the caller knew."""

    version: int


@dataclass(frozen=True)
class Unattached:
    """The files that were named can't be taken into the report; ``faults`` say why."""

    faults: tuple[Fault, ...]
    code: str = "attachments_unclaimed"


Refused = KeyReused | NotFound | Changed | NotNow | Unattached

"""The chain of a report: each act's digest covers all of the act and the digest of the one before.

``python -m clients.smdvs.chain`` verifies every report of the database and says where a chain is broken.
The digest is keyed (HMAC-SHA256), so that whoever can write to the database can't make a chain that fits.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from clients.rp.sealed import SealBroken
from clients.smdvs.config import ConfigError, Settings
from clients.smdvs.contents import canonical, joined, open_personal, seal_context
from clients.smdvs.storage import reports as rows
from clients.smdvs.storage.reports import ReportRow, ReportVersion
from clients.smdvs.system import System, build

FIRST = ""
BATCH = 500


@dataclass(frozen=True)
class Broken:
    """Where a chain doesn't hold: ``code`` is ``version_missing``, ``version_changed``, ``not_linked`` or
    ``head_differs``.
    """

    report_no: str
    version: int
    code: str


def digest(system: System, report_no: str, version: ReportVersion, personal: dict[str, Any]) -> str:
    """The digest that an act must have: over who, when, what, why, the people in it and the digest before."""
    act = {
        "kind": version.kind,
        "document": version.document,
        "personal": canonical(personal),
        "reason": version.reason,
        "channel": version.channel,
        "client_id": version.client_id,
        "sub": version.sub,
        "account_type": version.account_type,
        "enterprise_credit_code": version.enterprise_credit_code,
        "handler_authorization_id": version.handler_authorization_id,
        "received_at": version.received_at.isoformat(),
        "previous_digest": version.previous_digest,
    }
    return system.fields.digest(canonical(act), seal_context(report_no, version.version))


def verify(system: System, row: ReportRow, versions: Sequence[ReportVersion]) -> Broken | None:
    """The first place where a report's chain doesn't hold; ``versions`` oldest first."""
    previous = FIRST
    for number, version in enumerate(versions, 1):
        code = _fault(system, row, version, number, previous)
        if code is not None:
            return Broken(row.report_no, number, code)
        previous = version.digest
    if len(versions) != row.version:
        return Broken(row.report_no, len(versions) + 1, "version_missing")
    if row.head_digest not in (None, previous):
        return Broken(row.report_no, row.version, "head_differs")
    return None


def verify_all(system: System) -> Iterator[Broken | None]:
    """One answer for each report of the database, in the order of their reception."""
    after = 0
    while True:
        with system.database.reading() as session:
            batch = rows.list_after(session, after, BATCH)
            versions = rows.versions_of(session, [row.id for row in batch])
        for row in batch:
            yield verify(system, row, versions.get(row.id, []))
        if len(batch) < BATCH:
            return
        after = batch[-1].id


def _fault(system: System, row: ReportRow, version: ReportVersion, number: int, previous: str) -> str | None:
    if version.version != number:
        return "version_missing"
    try:
        personal = open_personal(system.fields, version.personal_sealed, row.report_no, number)
    except SealBroken:
        return "version_changed"
    if version.previous_digest is None and number == 1:
        right = _digest_before_chains(system, row, version, personal)
    elif version.previous_digest != previous:
        return "not_linked"
    else:
        right = digest(system, row.report_no, version, personal)
    return None if right == version.digest else "version_changed"


def _digest_before_chains(
    system: System, row: ReportRow, version: ReportVersion, personal: dict[str, Any]
) -> str:
    """What the first release put: the document alone."""
    document = joined(json.loads(version.document), personal)
    return system.fields.digest(canonical(document), seal_context(row.report_no, 1))


def main() -> int:
    """Verify; prints one line for each broken chain and a count; exit code 1 when there is any."""
    try:
        settings = Settings.from_env(os.environ)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    checked = broken = 0
    for answer in verify_all(build(settings)):
        checked += 1
        if answer is not None:
            broken += 1
            sys.stdout.write(f"{answer.report_no} version {answer.version}: {answer.code}\n")
        if checked % 10_000 == 0:
            sys.stderr.write(f"{checked} reports verified\n")
    sys.stdout.write(f"{checked} reports verified, {broken} broken\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

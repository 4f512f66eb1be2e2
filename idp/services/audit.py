"""The audit trail: lines written with the change they tell of, sealed afterwards into a chain.

A seal is a MAC over the previous seal and the line, under a key that the database doesn't hold. Whoever
changes, removes or slips in a sealed line without that key breaks the chain there. Cutting off the newest end
leaves a whole, shorter chain: keep the head that ``verify`` reports, and give it to the next ``verify``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock
from idp.crypto import constant_time_equal, mac
from idp.domain.audit import FIRST_LINK, AuditEvent, Entry, Origin, sealed_form
from idp.prepared import Driver
from idp.services.platform import Platform
from idp.storage import audit as rows
from idp.storage.database import reading, transaction

SEAL_BATCH = 500
READ_BATCH = 1000
PAGE_SIZE = 50


def record(
    where: Session | Driver,
    event: AuditEvent,
    origin: Origin,
    *,
    account_id: str | None = None,
    enterprise_id: str | None = None,
    client_id: str | None = None,
    object_id: str | None = None,
    result: str = "success",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write one line in the caller's transaction; ``detail`` is small JSON, no secret, no identity number."""
    rows.insert_event(
        where,
        {
            "occurred_at": clock.now(),
            "event": event.value,
            "account_id": account_id,
            "enterprise_id": enterprise_id,
            "client_id": client_id,
            "object_id": object_id,
            "result": result,
            "address": origin.address,
            "request_id": origin.request_id,
            "detail": {**(detail or {}), **({"user_agent": origin.user_agent} if origin.user_agent else {})},
        },
    )


class _SealedElsewhereError(Exception):
    """Another worker sealed the same lines first."""


def seal(platform: Platform) -> int:
    """Seal the next lines, oldest first; how many. Of several workers one does, the others answer 0."""
    with reading() as session:
        if not rows.list_unsealed(session, 1):
            return 0
    try:
        with transaction() as session:
            return _seal_next(session, platform.keyring.mac_key)
    except (IntegrityError, _SealedElsewhereError):
        return 0


def _seal_next(session: Session, key: bytes) -> int:
    number, link = rows.find_head(session) or (0, FIRST_LINK)
    seals: list[tuple[int, int, str]] = []
    for entry in rows.list_unsealed(session, SEAL_BATCH):
        number += 1
        link = _seal_of(key, link, number, entry)
        seals.append((entry.id, number, link))
    if seals and not rows.seal_events(session, seals):
        raise _SealedElsewhereError
    return len(seals)


def _seal_of(key: bytes, previous: str, number: int, entry: Entry) -> str:
    return mac(key, "audit-seal", sealed_form(previous, number, entry)).hex()


@dataclass(frozen=True, slots=True)
class Verification:
    """What ``verify`` found: ``broken_at`` is the id of the first line that doesn't fit, or None."""

    broken_at: int | None
    reason: str | None
    sealed: int
    unsealed: int
    head: str

    @property
    def ok(self) -> bool:
        """Whether the whole chain holds."""
        return self.reason is None


def verify(platform: Platform, expected_head: str | None = None) -> Verification:
    """Walk the chain from its beginning. ``expected_head``, from an earlier call, must still be in it."""
    key, number, link, seen = platform.keyring.mac_key, 0, FIRST_LINK, expected_head in {None, FIRST_LINK}
    with reading() as session:
        for entry, its_number, its_seal in _sealed(session):
            number += 1
            if its_number != number:
                return _broken(session, entry.id, "missing", number - 1, link)
            if not constant_time_equal(_seal_of(key, link, number, entry), its_seal):
                return _broken(session, entry.id, "changed", number - 1, link)
            link = its_seal
            seen = seen or link == expected_head
        return _broken(session, None, None if seen else "cut_off", number, link)


def _broken(session: Session, at: int | None, reason: str | None, sealed: int, head: str) -> Verification:
    return Verification(at, reason, sealed, rows.count_unsealed(session), head)


def _sealed(session: Session) -> Iterator[tuple[Entry, int, str]]:
    after = 0
    while batch := rows.list_sealed(session, after, READ_BATCH):
        yield from batch
        after = batch[-1][1]


def list_entries(
    platform: Platform, event: str | None = None, account_id: str | None = None, page: int = 1
) -> list[Entry]:
    """A page of fifty lines, newest first; of one event, or of one area (``login``), and of one account."""
    del platform
    with reading() as session:
        return rows.list_events(session, event, account_id, (page - 1) * PAGE_SIZE, PAGE_SIZE)


def export(
    platform: Platform, since: datetime | None = None, until: datetime | None = None
) -> Iterator[dict[str, object]]:
    """Every line of a period as JSON-ready values, in order of writing, with its number and seal."""
    after = 0
    with reading() as session:
        while batch := rows.list_events_after(session, after, since, until, READ_BATCH):
            for entry, number, link in batch:
                line = asdict(entry) | {"seal_number": number, "seal": link}
                yield line | {"occurred_at": entry.occurred_at.isoformat(timespec="microseconds")}
            after = batch[-1][0].id

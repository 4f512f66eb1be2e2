"""Where browser sessions rest: what a store must do, and one in the memory of a single process.

A store sees no cookie and no token: identifiers are hashes, secrets are sealed before they come here.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from clients.rp.signals import Subject


@dataclass(frozen=True)
class SessionRecord:
    """One sign-in at one browser, for at most one acting enterprise; what ends in ``_sealed`` is sealed."""

    id_hash: str
    sid: str | None
    sub: str
    account_type: str
    enterprise_credit_code: str | None
    enterprise_name: str | None
    person_sealed: str
    id_token_sealed: str
    access_token_sealed: str
    refresh_token_sealed: str | None
    access_expires_at: datetime
    created_at: datetime
    seen_at: datetime
    ends_at: datetime


class Record(Protocol):
    """What must be read from a stored session; a ``SessionRecord``, or a row of the store's own."""

    @property
    def id_hash(self) -> str:
        """The hash of the cookie."""
        ...

    @property
    def account_type(self) -> str:
        """In what capacity (claims.md)."""
        ...

    @property
    def enterprise_credit_code(self) -> str | None:
        """The acting enterprise."""
        ...

    @property
    def person_sealed(self) -> str:
        """Name and phone."""
        ...

    @property
    def id_token_sealed(self) -> str:
        """The ID token of the sign-in."""
        ...

    @property
    def access_token_sealed(self) -> str:
        """The newest access token."""
        ...

    @property
    def refresh_token_sealed(self) -> str | None:
        """The newest refresh token."""
        ...

    @property
    def access_expires_at(self) -> datetime:
        """When the access token ends."""
        ...

    @property
    def seen_at(self) -> datetime:
        """When the person was last here."""
        ...

    @property
    def ends_at(self) -> datetime:
        """When the session ends at the latest."""
        ...


@dataclass(frozen=True)
class Ending:
    """Which sessions end: those that fit every part of the subject that is given (nobody's without ``sub``
    and ``sid``), of this account type if one is given.
    """

    subject: Subject
    account_type: str | None = None

    def fits(self, sub: str, sid: str | None, tenant: str | None, account_type: str) -> bool:
        """Whether a session with these is meant."""
        if self.subject.sub is None and self.subject.sid is None:
            return False
        asked = (*self._subject_parts(), self.account_type)
        return all(
            wanted in (None, found)
            for wanted, found in zip(asked, (sub, sid, tenant, account_type), strict=True)
        )

    def _subject_parts(self) -> tuple[str | None, str | None, str | None]:
        return self.subject.sub, self.subject.sid, self.subject.tenant


Row = TypeVar("Row", bound=Record)
Row_co = TypeVar("Row_co", bound=Record, covariant=True)


class Store(Protocol[Row_co]):
    """What a relying party's store of sessions does. Each method is one transaction; each may be called by
    many threads and processes at once.
    """

    def add(self, record: SessionRecord, now: datetime) -> None:
        """Keep a new session; those whose time is over may go."""

    def find(self, id_hash: str) -> Row_co | None:
        """The session of that cookie, whether or not its time is over."""

    def record_seen(self, id_hash: str, now: datetime) -> None:
        """The person is still there."""

    def claim_refresh(self, id_hash: str, access_sealed: str, now: datetime, until: datetime) -> bool:
        """Whether the caller may refresh this access token now: false when another is at it, or has.

        The claim is over at ``until``, with ``store_tokens`` or with ``release_refresh``.
        """

    def store_tokens(
        self, id_hash: str, access_sealed: str, refresh_sealed: str | None, expires_at: datetime
    ) -> bool:
        """Put the new tokens in; None keeps the refresh token. False when the session has ended meanwhile."""

    def release_refresh(self, id_hash: str) -> None:
        """The refresh came to nothing: someone else may try."""

    def end(self, id_hash: str) -> None:
        """Forget this sign-in and its tokens."""

    def once(
        self,
        kind: str,
        identifier_hash: str,
        now: datetime,
        expires_at: datetime,
        endings: Sequence[Ending] = (),
    ) -> bool:
        """Whether the identifier is seen for the first time; if so, the sessions that are meant end in the
        same transaction. It is remembered until ``expires_at``.
        """


class MemoryStore:
    """Sessions of one process, for development, tests, small applications. A restart signs everyone out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, SessionRecord] = {}
        self._refreshing: dict[str, datetime] = {}
        self._seen: dict[tuple[str, str], datetime] = {}

    def add(self, record: SessionRecord, now: datetime) -> None:
        """As Store."""
        with self._lock:
            self._records = {key: kept for key, kept in self._records.items() if kept.ends_at > now}
            self._records[record.id_hash] = record

    def find(self, id_hash: str) -> SessionRecord | None:
        """As Store."""
        with self._lock:
            return self._records.get(id_hash)

    def record_seen(self, id_hash: str, now: datetime) -> None:
        """As Store."""
        with self._lock:
            if id_hash in self._records:
                self._records[id_hash] = replace(self._records[id_hash], seen_at=now)

    def claim_refresh(self, id_hash: str, access_sealed: str, now: datetime, until: datetime) -> bool:
        """As Store."""
        with self._lock:
            record = self._records.get(id_hash)
            busy = id_hash in self._refreshing and self._refreshing[id_hash] > now
            if record is None or record.access_token_sealed != access_sealed or busy:
                return False
            self._refreshing[id_hash] = until
            return True

    def store_tokens(
        self, id_hash: str, access_sealed: str, refresh_sealed: str | None, expires_at: datetime
    ) -> bool:
        """As Store."""
        with self._lock:
            self._refreshing.pop(id_hash, None)
            record = self._records.get(id_hash)
            if record is None:
                return False
            self._records[id_hash] = replace(
                record,
                access_token_sealed=access_sealed,
                refresh_token_sealed=refresh_sealed or record.refresh_token_sealed,
                access_expires_at=expires_at,
            )
            return True

    def release_refresh(self, id_hash: str) -> None:
        """As Store."""
        with self._lock:
            self._refreshing.pop(id_hash, None)

    def end(self, id_hash: str) -> None:
        """As Store."""
        with self._lock:
            self._records.pop(id_hash, None)
            self._refreshing.pop(id_hash, None)

    def once(
        self,
        kind: str,
        identifier_hash: str,
        now: datetime,
        expires_at: datetime,
        endings: Sequence[Ending] = (),
    ) -> bool:
        """As Store."""
        with self._lock:
            self._seen = {key: until for key, until in self._seen.items() if until > now}
            if (kind, identifier_hash) in self._seen:
                return False
            self._seen[kind, identifier_hash] = expires_at
            self._records = {
                key: record for key, record in self._records.items() if not _is_meant(record, endings)
            }
            return True


def _is_meant(record: SessionRecord, endings: Sequence[Ending]) -> bool:
    return any(
        ending.fits(record.sub, record.sid, record.enterprise_credit_code, record.account_type)
        for ending in endings
    )

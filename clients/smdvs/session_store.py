"""The kit's browser sessions in the database of smdvs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from clients.rp.session_store import Ending, SessionRecord
from clients.smdvs.storage import seen
from clients.smdvs.storage import sessions as rows
from clients.smdvs.storage.database import Database
from clients.smdvs.storage.sessions import BrowserSession


@dataclass(frozen=True)
class DatabaseStore:
    """A ``clients.rp.session_store.Store`` that all processes share."""

    database: Database

    def add(self, record: SessionRecord, now: datetime) -> None:
        """As Store."""
        with self.database.transaction() as session:
            rows.purge_sessions(session, now)
            session.add(BrowserSession(**asdict(record)))

    def find(self, id_hash: str) -> BrowserSession | None:
        """As Store."""
        with self.database.reading() as session:
            return rows.find_session(session, id_hash)

    def record_seen(self, id_hash: str, now: datetime) -> None:
        """As Store."""
        with self.database.transaction() as session:
            rows.record_seen(session, id_hash, now)

    def claim_refresh(self, id_hash: str, access_sealed: str, now: datetime, until: datetime) -> bool:
        """As Store."""
        with self.database.transaction() as session:
            return rows.claim_refresh(session, id_hash, access_sealed, now, until)

    def store_tokens(
        self, id_hash: str, access_sealed: str, refresh_sealed: str | None, expires_at: datetime
    ) -> bool:
        """As Store."""
        with self.database.transaction() as session:
            return rows.store_tokens(session, id_hash, access_sealed, refresh_sealed, expires_at)

    def release_refresh(self, id_hash: str) -> None:
        """As Store."""
        with self.database.transaction() as session:
            rows.release_refresh(session, id_hash)

    def end(self, id_hash: str) -> None:
        """As Store."""
        with self.database.transaction() as session:
            rows.end_session(session, id_hash)

    def once(
        self,
        kind: str,
        identifier_hash: str,
        now: datetime,
        expires_at: datetime,
        endings: Sequence[Ending] = (),
    ) -> bool:
        """As Store. A proof that a power cut lets count twice was good for two minutes anyway."""
        with self.database.transaction(durable=kind != "dpop") as session:
            first = seen.claim(session, kind, identifier_hash, now, expires_at)
            for ending in endings if first else ():
                rows.end_described_sessions(session, ending.subject, ending.account_type)
        return first

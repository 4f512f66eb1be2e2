"""What is kept for a while: deleted in batches, so that nobody waits long for the writer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, delete, select, tuple_
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import InstrumentedAttribute, Session

from clients.smdvs.storage.reports import Submission
from clients.smdvs.storage.seen import SeenIdentifier
from clients.smdvs.storage.sessions import BrowserSession

Key = tuple[InstrumentedAttribute[Any], ...]


def purge_submissions(session: Session, before: datetime, limit: int) -> int:
    """Forget idempotency keys used before then; at most ``limit``. Returns how many."""
    key = (Submission.client_id, Submission.sub, Submission.key_hash)
    return _purge(session, key, Submission.created_at < before, limit)


def purge_seen(session: Session, now: datetime, limit: int) -> int:
    """Forget identifiers that could not be used again anyway."""
    return _purge(
        session,
        (SeenIdentifier.kind, SeenIdentifier.identifier_hash),
        SeenIdentifier.expires_at <= now,
        limit,
    )


def purge_sessions(session: Session, now: datetime, limit: int) -> int:
    """Delete browser sessions whose time is over, with the tokens in them."""
    return _purge(session, (BrowserSession.id_hash,), BrowserSession.ends_at <= now, limit)


def _purge(session: Session, key: Key, over: ColumnElement[bool], limit: int) -> int:
    """Row values rather than ids, because these tables are known by what they are about."""
    table = key[0].class_
    old = select(*key).where(over).limit(limit)
    gone = session.execute(delete(table).where(tuple_(*key).in_(old)), execution_options=_NO_SYNC)
    # What SQLAlchemy returns for DELETE.
    return cast("CursorResult[Any]", gone).rowcount


_NO_SYNC = {"synchronize_session": False}

"""Signed-in browsers. The cookie holds a random id, the row its hash;
tokens and the person's name are sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, delete, false, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, Session, mapped_column

from clients.rp.signals import Subject
from clients.smdvs.storage.database import Base


class BrowserSession(Base):
    """One sign-in at one browser, for at most one acting enterprise."""

    __tablename__ = "browser_sessions"

    id_hash: Mapped[str] = mapped_column(primary_key=True)
    sid: Mapped[str | None] = mapped_column(index=True)
    sub: Mapped[str] = mapped_column(index=True)
    account_type: Mapped[str]
    enterprise_credit_code: Mapped[str | None]
    enterprise_name: Mapped[str | None]
    person_sealed: Mapped[str]
    id_token_sealed: Mapped[str]
    access_token_sealed: Mapped[str]
    refresh_token_sealed: Mapped[str | None]
    access_expires_at: Mapped[datetime]
    refreshing_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)


def find_session(session: Session, id_hash: str) -> BrowserSession | None:
    """The session of that cookie, whether or not its time is over."""
    return session.get(BrowserSession, id_hash)


def record_seen(session: Session, id_hash: str, now: datetime) -> None:
    """The person is still there."""
    session.execute(update(BrowserSession).where(BrowserSession.id_hash == id_hash).values(seen_at=now))


def claim_refresh(session: Session, id_hash: str, access_sealed: str, now: datetime, until: datetime) -> bool:
    """Whether the caller is the one who may refresh this access token now;
    false when another is at it, or has.
    """
    free = or_(BrowserSession.refreshing_until.is_(None), BrowserSession.refreshing_until <= now)
    same = and_(BrowserSession.id_hash == id_hash, BrowserSession.access_token_sealed == access_sealed)
    return _changed(session, and_(same, free), refreshing_until=until) == 1


def store_tokens(
    session: Session, id_hash: str, access_sealed: str, refresh_sealed: str | None, expires_at: datetime
) -> bool:
    """Put the new tokens in and let the next refresh be; false when the session has ended meanwhile."""
    values: dict[str, object] = {
        "access_token_sealed": access_sealed,
        "access_expires_at": expires_at,
        "refreshing_until": None,
    }
    if refresh_sealed is not None:
        values["refresh_token_sealed"] = refresh_sealed
    return _changed(session, BrowserSession.id_hash == id_hash, **values) == 1


def release_refresh(session: Session, id_hash: str) -> None:
    """The refresh came to nothing: someone else may try."""
    _changed(session, BrowserSession.id_hash == id_hash, refreshing_until=None)


def end_session(session: Session, id_hash: str) -> None:
    """Forget this sign-in and its tokens."""
    session.execute(delete(BrowserSession).where(BrowserSession.id_hash == id_hash))


def end_described_sessions(session: Session, subject: Subject, account_type: str | None = None) -> int:
    """End the sessions that fit every part of an event's subject that is given; those of nobody when none is.
    Returns how many ended.
    """
    parts = (
        (BrowserSession.sub, subject.sub),
        (BrowserSession.sid, subject.sid),
        (BrowserSession.enterprise_credit_code, subject.tenant),
    )
    given = [column == value for column, value in parts if value is not None]
    if subject.sub is None and subject.sid is None:
        given = [false()]
    if account_type is not None:
        given.append(BrowserSession.account_type == account_type)
    return _count(session.execute(delete(BrowserSession).where(*given)))


def purge_sessions(session: Session, now: datetime) -> None:
    """Delete sessions whose time is over."""
    session.execute(delete(BrowserSession).where(BrowserSession.ends_at <= now))


def list_sessions(session: Session, sub: str) -> Sequence[BrowserSession]:
    """All sessions of an account."""
    return session.scalars(select(BrowserSession).where(BrowserSession.sub == sub)).all()


def _changed(session: Session, which: ColumnElement[bool], **values: object) -> int:
    return _count(session.execute(update(BrowserSession).where(which).values(**values)))


def _count(result: object) -> int:
    # What SQLAlchemy returns for UPDATE and DELETE.
    return cast("CursorResult[Any]", result).rowcount

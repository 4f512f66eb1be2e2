"""Drafts: forms that are not submitted yet. What was typed is sealed; the row says whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import bindparam, delete, func, select, text
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, Session, mapped_column

from clients.smdvs.storage.database import Base, UtcDateTime


class DraftRow(Base):
    """One form of one person for one enterprise. ``id`` is the key under which it will be submitted, too;
    ``written_in`` is the window that wrote it last.
    """

    __tablename__ = "drafts"

    id: Mapped[str] = mapped_column(primary_key=True)
    sub: Mapped[str] = mapped_column(index=True)
    enterprise_credit_code: Mapped[str]
    kind: Mapped[str]
    report_no: Mapped[str | None]
    base_version: Mapped[int | None]
    fields_sealed: Mapped[str]
    occurred_at: Mapped[datetime | None]
    revision: Mapped[int]
    written_in: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


# Only its owner writes a draft, and only over what that window has seen: its own writing or that revision.
_PUT = text(
    "INSERT INTO drafts (id, sub, enterprise_credit_code, kind, report_no, base_version, fields_sealed,"
    " occurred_at, revision, written_in, created_at, updated_at, expires_at)"
    " VALUES (:id, :sub, :enterprise_credit_code, :kind, :report_no, :base_version, :fields_sealed,"
    " :occurred_at, 1, :written_in, :updated_at, :updated_at, :expires_at)"
    " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, report_no = excluded.report_no,"
    " base_version = excluded.base_version, fields_sealed = excluded.fields_sealed,"
    " occurred_at = excluded.occurred_at, revision = drafts.revision + 1, written_in = excluded.written_in,"
    " updated_at = excluded.updated_at, expires_at = excluded.expires_at"
    " WHERE drafts.sub = excluded.sub AND drafts.enterprise_credit_code = excluded.enterprise_credit_code"
    " AND (drafts.revision = :known OR drafts.written_in = excluded.written_in)"
    " RETURNING revision"
).bindparams(*(bindparam(name, type_=UtcDateTime()) for name in ("occurred_at", "updated_at", "expires_at")))
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:sub, 7363480119))")


def put(session: Session, values: dict[str, object], known: int) -> int | None:
    """Begin or overwrite a draft; its new revision. None: it is another's, or another window has written
    since revision ``known``.
    """
    return session.execute(_PUT, {**values, "known": known}).scalar_one_or_none()


def find(session: Session, draft_id: str) -> DraftRow | None:
    """That draft, whosever it is."""
    return session.scalars(select(DraftRow).where(DraftRow.id == draft_id)).one_or_none()


def list_of(session: Session, sub: str, enterprise: str) -> Sequence[DraftRow]:
    """A person's drafts for one enterprise, the one written last first."""
    own = (DraftRow.sub == sub, DraftRow.enterprise_credit_code == enterprise)
    return session.scalars(select(DraftRow).where(*own).order_by(DraftRow.updated_at.desc())).all()


def count_of(session: Session, sub: str, enterprise: str | None = None) -> int:
    """How many drafts a person has (for one enterprise)."""
    query = select(func.count()).select_from(DraftRow).where(DraftRow.sub == sub)
    if enterprise is not None:
        query = query.where(DraftRow.enterprise_credit_code == enterprise)
    return session.execute(query).scalar_one()


def lock_owner(session: Session, sub: str) -> None:
    """Let nobody else begin a draft of this person's until the transaction ends, so that counting holds."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        session.execute(_LOCK, {"sub": sub})


def discard(session: Session, draft_id: str, sub: str) -> bool:
    """Delete a draft of this person's; whether there was one."""
    query = delete(DraftRow).where(DraftRow.id == draft_id, DraftRow.sub == sub)
    return _count(session.execute(query)) == 1


def purge(session: Session, now: datetime, limit: int) -> int:
    """Delete drafts whose time is over, at most that many; how many there were."""
    over = select(DraftRow.id).where(DraftRow.expires_at <= now).limit(limit)
    return _count(session.execute(delete(DraftRow).where(DraftRow.id.in_(over))))


def _count(result: object) -> int:
    # What SQLAlchemy returns for DELETE.
    return cast("CursorResult[Any]", result).rowcount

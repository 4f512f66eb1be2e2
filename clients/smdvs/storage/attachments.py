"""Attachments: who put them there and what they are; their content apart, sealed, in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ForeignKey, Index, delete, func, insert, select, text, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from clients.smdvs.storage.database import Base


class Attachment(Base):
    """One file. Until it is claimed for a report it is its owner's alone, and gone when it ``expires_at``;
    ``draft_id`` is the form that it was put in.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        Index("ix_attachments_owner", "sub", "enterprise_credit_code"),
        Index("ix_attachments_report_id", "report_id"),
        Index("ix_attachments_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    draft_id: Mapped[str | None]
    report_id: Mapped[int | None] = mapped_column(ForeignKey("reports.id"))
    enterprise_credit_code: Mapped[str]
    sub: Mapped[str]
    kind: Mapped[str]
    filename_sealed: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    chunks: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class AttachmentChunk(Base):
    """A piece of a file's content, sealed."""

    __tablename__ = "attachment_chunks"

    attachment_id: Mapped[str] = mapped_column(ForeignKey("attachments.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:sub, 5120993817))")
_ORDER = (Attachment.created_at, Attachment.id)
_SQLITE_FULL, _POSTGRESQL_FULL = "SQLITE_FULL", "53100"


def lock_owner(session: Session, sub: str) -> None:
    """Let nobody else add a file of this person's until the transaction ends, so that counting holds."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        session.execute(_LOCK, {"sub": sub})


def add(session: Session, row: Attachment, chunks: Iterable[bytes]) -> None:
    """Store a file; one piece after another passes through memory."""
    session.add(row)
    session.flush()
    for number, sealed in enumerate(chunks):
        values = {"attachment_id": row.id, "number": number, "sealed": sealed}
        session.execute(insert(AttachmentChunk), values)


def find(session: Session, attachment_id: str) -> Attachment | None:
    """That file, whosever it is."""
    return session.get(Attachment, attachment_id)


def find_unclaimed(
    session: Session, attachment_id: str, sub: str, enterprise: str, now: datetime
) -> Attachment | None:
    """That file, if it is this person's for this enterprise and in no report yet."""
    query = select(Attachment).where(Attachment.id == attachment_id, *_unclaimed(sub, enterprise, now))
    return session.scalars(query).one_or_none()


def list_of_draft(
    session: Session, draft_id: str, sub: str, enterprise: str, now: datetime
) -> Sequence[Attachment]:
    """The files that a person has put in a form, in the order in which they came."""
    own = (Attachment.draft_id == draft_id, *_unclaimed(sub, enterprise, now))
    return session.scalars(select(Attachment).where(*own).order_by(*_ORDER)).all()


def list_of_report(session: Session, report_id: int) -> Sequence[Attachment]:
    """The files of a report, in the order in which they came."""
    return session.scalars(
        select(Attachment).where(Attachment.report_id == report_id).order_by(*_ORDER)
    ).all()


def find_of_report(session: Session, attachment_id: str, report_id: int) -> Attachment | None:
    """That file, if it belongs to the report."""
    query = select(Attachment).where(Attachment.id == attachment_id, Attachment.report_id == report_id)
    return session.scalars(query).one_or_none()


def count_unclaimed(session: Session, sub: str, draft_id: str | None = None) -> int:
    """How many files of a person are in no report (and in that form)."""
    query = select(func.count()).select_from(Attachment)
    query = query.where(Attachment.sub == sub, Attachment.report_id.is_(None))
    if draft_id is not None:
        query = query.where(Attachment.draft_id == draft_id)
    return session.execute(query).scalar_one()


def count_of_report(session: Session, report_id: int) -> int:
    """How many files a report has."""
    query = select(func.count()).select_from(Attachment).where(Attachment.report_id == report_id)
    return session.execute(query).scalar_one()


def claim(
    session: Session, attachment_id: str, sub: str, enterprise: str, report_id: int, now: datetime
) -> bool:
    """Give a person's file to a report; false when it isn't theirs, or another report has it, which may have
    taken it at the same moment.
    """
    change = update(Attachment).where(Attachment.id == attachment_id, *_unclaimed(sub, enterprise, now))
    return _count(session.execute(change.values(report_id=report_id, expires_at=None))) == 1


def chunk(session: Session, attachment_id: str, number: int) -> bytes | None:
    """One piece of a file's content, still sealed."""
    return session.scalars(
        select(AttachmentChunk.sealed).where(
            AttachmentChunk.attachment_id == attachment_id, AttachmentChunk.number == number
        )
    ).one_or_none()


def remove(session: Session, attachment_ids: Sequence[str]) -> int:
    """Delete files that are in no report; how many there were."""
    mine = Attachment.id.in_(attachment_ids) & Attachment.report_id.is_(None)
    # Their rows are held first: nobody claims a file whose content is on its way out.
    going = session.scalars(select(Attachment.id).where(mine).with_for_update()).all()
    session.execute(delete(AttachmentChunk).where(AttachmentChunk.attachment_id.in_(going)))
    return _count(session.execute(delete(Attachment).where(Attachment.id.in_(going))))


def remove_of_draft(session: Session, draft_id: str, sub: str) -> int:
    """Delete the files that this person has put in a form and that are in no report; how many there were."""
    query = select(Attachment.id).where(Attachment.draft_id == draft_id, Attachment.sub == sub)
    return remove(session, session.scalars(query).all())


def list_expired(session: Session, now: datetime, limit: int) -> Sequence[str]:
    """Files that nobody claimed in time, at most that many."""
    return session.scalars(select(Attachment.id).where(Attachment.expires_at <= now).limit(limit)).all()


def is_full(error: OperationalError) -> bool:
    """Whether the database says that there is no space left."""
    name = getattr(error.orig, "sqlite_errorname", "") or getattr(error.orig, "sqlstate", "")
    return name in (_SQLITE_FULL, _POSTGRESQL_FULL)


def _unclaimed(sub: str, enterprise: str, now: datetime) -> tuple[Any, ...]:
    return (
        Attachment.sub == sub,
        Attachment.enterprise_credit_code == enterprise,
        Attachment.report_id.is_(None),
        Attachment.expires_at > now,
    )


def _count(result: object) -> int:
    # What SQLAlchemy returns for UPDATE and DELETE.
    return cast("CursorResult[Any]", result).rowcount

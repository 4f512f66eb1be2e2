"""Identifiers that count once: the ``jti`` of logout tokens and DPoP proofs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from clients.smdvs.storage.database import Base, UtcDateTime


class SeenIdentifier(Base):
    """One identifier of one kind, remembered until it could not be used anyway."""

    __tablename__ = "seen_identifiers"

    kind: Mapped[str] = mapped_column(primary_key=True)
    identifier_hash: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


_CLAIM = text(
    "INSERT INTO seen_identifiers (kind, identifier_hash, expires_at)"
    " VALUES (:kind, :identifier_hash, :expires_at)"
    " ON CONFLICT DO NOTHING RETURNING 1"
).bindparams(bindparam("expires_at", type_=UtcDateTime()))


def claim(session: Session, kind: str, identifier_hash: str, now: datetime, expires_at: datetime) -> bool:
    """Whether it is seen for the first time; two callers at once: one is told so."""
    session.execute(delete(SeenIdentifier).where(SeenIdentifier.expires_at <= now))
    values = {"kind": kind, "identifier_hash": identifier_hash, "expires_at": expires_at}
    return session.execute(_CLAIM, values).first() is not None

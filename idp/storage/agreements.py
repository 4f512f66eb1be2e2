"""Which text an account agreed to, when, and when it took that back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import ForeignKey, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.storage.database import Base, UtcDateTime


class Agreement(Base):
    """One acceptance. It stays under the account's pseudonym: proof of what was agreed to."""

    __tablename__ = "agreements"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    document: Mapped[str] = mapped_column(String(16))  # domain.agreements
    version: Mapped[str] = mapped_column(String(16))
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def insert(session: Session, values: list[dict[str, Any]]) -> None:
    """Keep acceptances; one statement."""
    session.connection().execute(sqlalchemy.insert(Agreement), values)


def list_of_account(session: Session, account_id: str) -> Sequence[Agreement]:
    """All of an account, the latest first."""
    mine = Agreement.account_id == account_id
    return session.scalars(select(Agreement).where(mine).order_by(Agreement.id.desc())).all()


def find_standing(session: Session, account_id: str) -> dict[str, str]:
    """The version of each document that the account agreed to last and has not taken back."""
    standing: dict[str, str] = {}
    for agreement in reversed(list_of_account(session, account_id)):
        if agreement.withdrawn_at is None:
            standing[agreement.document] = agreement.version
        else:
            standing.pop(agreement.document, None)
    return standing


def withdraw(session: Session, account_id: str, document: str, now: datetime) -> int:
    """Note that everything agreed to under a document is taken back; how many rows that are."""
    standing = (Agreement.account_id == account_id, Agreement.document == document)
    open_ones = update(Agreement).where(*standing, Agreement.withdrawn_at.is_(None))
    return session.connection().execute(open_ones.values(withdrawn_at=now)).rowcount

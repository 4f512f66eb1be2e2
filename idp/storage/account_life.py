"""Queries of accounts that fall asleep, leave, and come back; and login names that nobody gets again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, exists, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.storage.accounts import Account, accounts
from idp.storage.database import Base
from idp.storage.enterprises import Enterprise
from idp.storage.handlers import HandlerAuthorization

_a = accounts.c


class RetiredLoginName(Base):
    """The blind index of a deleted account's login name: nobody signs in under a name known as another's."""

    __tablename__ = "retired_login_names"

    name_index: Mapped[str] = mapped_column(String(64), primary_key=True)


def lock_account(session: Session, account_id: str) -> Account | None:
    """The account, locked until the transaction ends."""
    return session.get(Account, account_id, with_for_update=True, populate_existing=True)


def change_status(
    session: Session, account_id: str, before: frozenset[str], after: str, **columns: Any
) -> bool:
    """Step on from one of these states; False when the account is in another: of two at once one does it."""
    present = (_a.id == account_id, _a.status.in_(sorted(before)))
    statement = update(accounts).where(*present).values(status=after, **columns)
    return session.connection().execute(statement).rowcount == 1


def lock_administrators(session: Session) -> None:
    """Let no other administrator leave before this transaction ends; always in the same order."""
    administrators = select(_a.id).where(_a.platform_role == "administrator").order_by(_a.id)
    session.execute(administrators.with_for_update())


def has_other_administrator(session: Session, account_id: str) -> bool:
    """Whether somebody else is an administrator who can sign in."""
    other = (_a.platform_role == "administrator", _a.status == "active", _a.id != account_id)
    return bool(session.scalar(select(exists().where(*other))))


def count_handlers(session: Session, legal_account_id: str, now: datetime) -> tuple[int, int]:
    """How many handlers of the account's enterprise are in force, and how many applications wait."""
    h = HandlerAuthorization
    mine = (Enterprise.legal_account_id == legal_account_id, Enterprise.status != "vacant")
    in_force = h.status.in_(("approved", "suspended")) & or_(h.valid_until.is_(None), h.valid_until > now)
    counts = [
        session.scalar(
            select(func.count())
            .select_from(h)
            .join(Enterprise, Enterprise.id == h.enterprise_id)
            .where(*mine, one)
        )
        or 0
        for one in (in_force, h.status == "pending")
    ]
    return counts[0], counts[1]


def list_leaving(session: Session, requested_before: datetime, limit: int) -> list[str]:
    """Accounts whose deletion was asked for by then."""
    due = (_a.status == "leaving", _a.deletion_requested_at <= requested_before)
    return list(session.scalars(select(_a.id).where(*due).order_by(_a.deletion_requested_at).limit(limit)))


def list_silent(session: Session, before: datetime, limit: int) -> list[str]:
    """Accounts that signed in last before then and have not been reminded since."""
    silent = (_a.status == "active", _a.last_sign_in_at < before, _a.dormancy_reminded_at.is_(None))
    return list(session.scalars(select(_a.id).where(*silent).limit(limit)))


def mark_reminded(session: Session, account_id: str, before: datetime, now: datetime) -> bool:
    """Note the reminder; False when the account has signed in meanwhile or another worker was quicker."""
    silent = (_a.status == "active", _a.last_sign_in_at < before, _a.dormancy_reminded_at.is_(None))
    statement = update(accounts).where(_a.id == account_id, *silent).values(dormancy_reminded_at=now)
    return session.connection().execute(statement).rowcount == 1


def list_asleep(session: Session, before: datetime, reminded_before: datetime, limit: int) -> list[str]:
    """Accounts silent since before then, reminded long enough ago."""
    return list(session.scalars(select(_a.id).where(*_asleep(before, reminded_before)).limit(limit)))


def put_to_sleep(session: Session, account_id: str, before: datetime, reminded_before: datetime) -> bool:
    """Make one of them dormant; False when it has signed in meanwhile or another worker was quicker."""
    statement = update(accounts).where(_a.id == account_id, *_asleep(before, reminded_before))
    return session.connection().execute(statement.values(status="dormant")).rowcount == 1


def _asleep(before: datetime, reminded_before: datetime) -> tuple[Any, ...]:
    return (_a.status == "active", _a.last_sign_in_at < before, _a.dormancy_reminded_at < reminded_before)


def retire_login_name(session: Session, name_index: str) -> None:
    """Nobody gets the name any more."""
    session.add(RetiredLoginName(name_index=name_index))


def is_retired(session: Session, name_index: str) -> bool:
    """Whether a deleted account had the name."""
    return session.get(RetiredLoginName, name_index) is not None

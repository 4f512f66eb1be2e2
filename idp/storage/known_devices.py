"""Browsers that an account has signed in from: the browser keeps a random token, this row its hash."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import ForeignKey, Index, String, Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.prepared import Driver, Prepared
from idp.storage.database import Base, UtcDateTime


class KnownDevice(Base):
    """One browser of one account; the hash is over both, so that two accounts' rows can't be joined by it."""

    __tablename__ = "known_devices"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_agent: Mapped[str] = mapped_column(String(300))
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


Index("ix_known_devices_account_id", KnownDevice.account_id, KnownDevice.last_seen_at)

table = cast(Table, KnownDevice.__table__)
_c = table.c
_SEEN = Prepared(
    update(table)
    .where(
        _c.token_hash == bindparam("device"), _c.last_seen_at > bindparam("known_since", type_=UtcDateTime)
    )
    .values(last_seen_at=bindparam("now", type_=UtcDateTime), user_agent=bindparam("agent"))
    .returning(_c.id)
)


def mark_seen(driver: Driver, token_hash: str, known_since: datetime, user_agent: str, now: datetime) -> bool:
    """The browser is here again; False when it is not known, or was last seen before ``known_since``."""
    parameters = {"device": token_hash, "known_since": known_since, "agent": user_agent, "now": now}
    return _SEEN.first(driver, **parameters) is not None


def insert_device(session: Session, values: dict[str, Any], known_since: datetime) -> None:
    """Keep a browser, in place of a row from before then; IntegrityError if it has just been kept."""
    outlived = (_c.token_hash == values["token_hash"], _c.last_seen_at <= known_since)
    session.connection().execute(delete(table).where(*outlived))
    session.connection().execute(insert(table), values)


def forget_oldest(session: Session, account_id: str, kept: int) -> None:
    """Delete all of an account but those seen last."""
    newest = (
        select(_c.id).where(_c.account_id == account_id).order_by(_c.last_seen_at.desc(), _c.id).limit(kept)
    )
    mine = (_c.account_id == account_id, _c.id.not_in(newest.scalar_subquery()))
    session.connection().execute(delete(table).where(*mine))


def list_devices(session: Session, account_id: str, known_since: datetime) -> list[KnownDevice]:
    """The browsers of an account, the one seen last first."""
    mine = (KnownDevice.account_id == account_id, KnownDevice.last_seen_at > known_since)
    return list(session.scalars(select(KnownDevice).where(*mine).order_by(KnownDevice.last_seen_at.desc())))


def delete_device(session: Session, account_id: str, device_id: str) -> bool:
    """Forget one; False when the account has none of that id."""
    mine = (_c.id == device_id, _c.account_id == account_id)
    return session.connection().execute(delete(table).where(*mine)).rowcount == 1


def purge(session: Session, before: datetime, limit: int) -> int:
    """Delete browsers not seen since then; at most ``limit``."""
    old = select(_c.id).where(_c.last_seen_at < before).limit(limit)
    return session.connection().execute(delete(table).where(_c.id.in_(old))).rowcount

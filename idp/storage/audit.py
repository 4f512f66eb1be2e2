"""The audit trail: inserted with the change it tells of, sealed into a hash chain by the worker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import String, Table, bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.domain.audit import Entry
from idp.prepared import Driver, Prepared
from idp.storage.database import Base, Json, UtcDateTime


class AuditEvent(Base):
    """Who did what, for whom, to what, with what result, from where; never a secret or identity number."""

    __tablename__ = "audit_events"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    event: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str | None] = mapped_column(String(22), index=True)
    enterprise_id: Mapped[str | None] = mapped_column(String(22), index=True)
    client_id: Mapped[str | None] = mapped_column(String(64))
    object_id: Mapped[str | None] = mapped_column(String(64))
    result: Mapped[str] = mapped_column(String(64))  # success, or a problem's code
    address: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]] = mapped_column(Json)
    seal_number: Mapped[int | None] = mapped_column(unique=True)
    seal: Mapped[str | None] = mapped_column(String(64))  # MAC over the previous seal and this event


table = cast(Table, AuditEvent.__table__)
_c = table.c
_ENTRY = (
    _c.id,
    _c.occurred_at,
    _c.event,
    _c.account_id,
    _c.enterprise_id,
    _c.client_id,
    _c.object_id,
    _c.result,
    _c.address,
    _c.request_id,
    _c.detail,
)
_WRITTEN = {column.name: None for column in table.c if column.name not in {"id", "seal_number", "seal"}}
_INSERT = insert(table)
_INSERT_PREPARED = Prepared(_INSERT.values({name: bindparam(name) for name in _WRITTEN}).inline())
_HEAD = (
    select(_c.seal_number, _c.seal)
    .order_by(_c.seal_number.desc())
    .where(_c.seal_number.is_not(None))
    .limit(1)
)
_SEAL = (
    update(table)
    .where(_c.id == bindparam("entry"), _c.seal_number.is_(None))
    .values(seal_number=bindparam("number"), seal=bindparam("new_seal"))
)


def insert_event(where: Session | Driver, values: dict[str, Any]) -> None:
    """Insert one line from its column values: one statement, nothing read back."""
    if isinstance(where, Session):
        where.connection().execute(_INSERT, values)
    else:
        _INSERT_PREPARED.run(where, **{**_WRITTEN, **values})


def find_head(session: Session) -> tuple[int, str] | None:
    """Number and seal of the last sealed line."""
    row = session.execute(_HEAD).first()
    return None if row is None else (row.seal_number, row.seal)


def list_unsealed(session: Session, limit: int) -> list[Entry]:
    """The oldest lines without a seal."""
    return _entries(
        session.execute(select(*_ENTRY).where(_c.seal_number.is_(None)).order_by(_c.id).limit(limit))
    )


def seal_events(session: Session, seals: list[tuple[int, int, str]]) -> bool:
    """Write (id, number, seal); False when another worker has sealed one of them meanwhile: roll back."""
    parameters = [{"entry": entry, "number": number, "new_seal": seal} for entry, number, seal in seals]
    return session.connection().execute(_SEAL, parameters).rowcount == len(seals)


def list_sealed(session: Session, after: int, limit: int) -> list[tuple[Entry, int, str]]:
    """Sealed lines in the order of the chain, each with its number and seal."""
    statement = select(*_ENTRY, _c.seal_number, _c.seal).where(_c.seal_number > after)
    rows = session.execute(statement.order_by(_c.seal_number).limit(limit))
    return [(Entry(*row[:-2]), row.seal_number, row.seal) for row in rows]


def _entries(rows: Iterable[Sequence[Any]]) -> list[Entry]:
    return [Entry(*row) for row in rows]


def count_unsealed(session: Session) -> int:
    """How many lines wait for the worker."""
    return session.scalar(select(func.count()).select_from(table).where(_c.seal_number.is_(None))) or 0


def list_events(
    session: Session, event: str | None, account_id: str | None, offset: int, limit: int
) -> list[Entry]:
    """The latest lines, newest first; ``event`` is a whole event or its area, the part before the colon."""
    statement = select(*_ENTRY).order_by(_c.id.desc()).offset(offset).limit(limit)
    if event is not None:
        in_area = _c.event.startswith(f"{event}:", autoescape=True)
        statement = statement.where(or_(_c.event == event, in_area))
    if account_id is not None:
        statement = statement.where(_c.account_id == account_id)
    return _entries(session.execute(statement))


def list_about(session: Session, account_id: str, limit: int) -> list[Entry]:
    """The latest lines of what an account did, and of what was done to it, newest first."""
    about = or_(_c.account_id == account_id, _c.object_id == account_id)
    return _entries(session.execute(select(*_ENTRY).where(about).order_by(_c.id.desc()).limit(limit)))


def list_events_after(
    session: Session, after_id: int, since: datetime | None, until: datetime | None, limit: int
) -> list[tuple[Entry, int | None, str | None]]:
    """Lines in order of id for an export, each with its seal's number and seal."""
    statement = select(*_ENTRY, _c.seal_number, _c.seal).where(_c.id > after_id).order_by(_c.id).limit(limit)
    if since is not None:
        statement = statement.where(_c.occurred_at >= since)
    if until is not None:
        statement = statement.where(_c.occurred_at < until)
    return [(Entry(*row[:-2]), row.seal_number, row.seal) for row in session.execute(statement)]

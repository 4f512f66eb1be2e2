"""Handler authorisations (经办人授权): who may act for which enterprise, for what, until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    and_,
    bindparam,
    case,
    func,
    not_,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.prepared import Driver, Prepared, Row
from idp.storage.accounts import Account
from idp.storage.database import Base, Json, UtcDateTime
from idp.storage.enterprises import Enterprise


class HandlerAuthorization(Base):
    """One person, one enterprise, a set of matters, a validity period.

    Whether it has expired is a matter of the clock; the status says so once a new application replaced it.
    """

    __tablename__ = "handler_authorizations"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id"), index=True)
    matters: Mapped[list[str]] = mapped_column(Json)
    status: Mapped[str] = mapped_column(String(12))  # domain.handlers.Status
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str | None] = mapped_column(Text)
    reason_code: Mapped[str | None] = mapped_column(String(32))  # domain.handler_reasons
    # How it came about: application, invitation, last_resort.
    route: Mapped[str] = mapped_column(String(16), default="application", server_default="application")
    suspended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # last confirmed by the enterprise
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # by grants that are deleted since


_open = HandlerAuthorization.status.in_(("pending", "approved"))
Index(
    "uq_handler_authorizations_open",
    HandlerAuthorization.account_id,
    HandlerAuthorization.enterprise_id,
    unique=True,
    sqlite_where=_open,
    postgresql_where=_open,
)

HELD = ("approved", "suspended")
OPEN = ("pending", *HELD)
Told: TypeAlias = tuple[HandlerAuthorization, Account, Enterprise]
LONGEST_LIST = 500
# What was read before the lock was waited for is read again.
_AFRESH: Final = {"populate_existing": True}


def lock_open(session: Session, account_id: str, enterprise_id: str) -> HandlerAuthorization | None:
    """The one pending, approved or suspended authorisation of a person for an enterprise, locked; maybe
    expired.
    """
    return session.scalar(
        select(HandlerAuthorization)
        .where(
            HandlerAuthorization.account_id == account_id,
            HandlerAuthorization.enterprise_id == enterprise_id,
            HandlerAuthorization.status.in_(OPEN),
        )
        .order_by(HandlerAuthorization.applied_at.desc())
        .limit(1)
        .with_for_update()
    )


def lock(session: Session, authorization_id: str) -> Told | None:
    """An authorisation, locked until the transaction ends, with its applicant and enterprise."""
    statement = _told().where(HandlerAuthorization.id == authorization_id)
    return session.execute(statement.with_for_update(of=HandlerAuthorization)).one_or_none()


def lock_sides(session: Session, authorization_id: str) -> None:
    """Lock the enterprise, then the person, so that what is counted of either stays so.

    Whoever locks several kinds of rows takes them in this order: enterprise, account, authorisation.
    """
    wanted = select(HandlerAuthorization.enterprise_id, HandlerAuthorization.account_id).where(
        HandlerAuthorization.id == authorization_id
    )
    for enterprise_id, account_id in session.execute(wanted):
        lock_enterprise(session, enterprise_id)
        lock_account(session, account_id)


def lock_enterprise(session: Session, enterprise_id: str) -> Enterprise | None:
    """An enterprise, locked as far as rows that refer to it allow."""
    statement = select(Enterprise).where(Enterprise.id == enterprise_id)
    return session.scalar(statement.with_for_update(key_share=True), execution_options=_AFRESH)


def lock_account(session: Session, account_id: str) -> Account | None:
    """The same of a person."""
    statement = select(Account).where(Account.id == account_id)
    return session.scalar(statement.with_for_update(key_share=True), execution_options=_AFRESH)


def lock_approved(session: Session, enterprise_id: str) -> Sequence[Told]:
    """Every approved authorisation of an enterprise, locked, in one order; some may have expired."""
    statement = _told().where(
        HandlerAuthorization.enterprise_id == enterprise_id, HandlerAuthorization.status == "approved"
    )
    ordered = statement.order_by(HandlerAuthorization.id)
    return session.execute(ordered.with_for_update(of=HandlerAuthorization)).all()


def list_held(session: Session, enterprise_id: str, now: datetime) -> Sequence[Told]:
    """What an enterprise has in force or suspended."""
    statement = _told().where(
        HandlerAuthorization.enterprise_id == enterprise_id,
        HandlerAuthorization.status.in_(HELD),
        _lasting(now),
    )
    return _listed(session, statement)


def count_held(session: Session, now: datetime, **side: str) -> int:
    """How many authorisations are in force or suspended of one side, ``account_id`` or ``enterprise_id``."""
    statement = select(func.count()).select_from(HandlerAuthorization).filter_by(**side)
    held = HandlerAuthorization.status.in_(HELD)
    return session.scalar(statement.where(held, _lasting(now))) or 0


def count_pending(session: Session, account_id: str, now: datetime) -> int:
    """How many applications of a person wait for a decision."""
    statement = select(func.count()).where(
        HandlerAuthorization.account_id == account_id,
        HandlerAuthorization.status == "pending",
        _lasting(now),
    )
    return session.scalar(statement) or 0


def find(session: Session, authorization_id: str) -> Told | None:
    """An authorisation with its applicant and enterprise."""
    return session.execute(_told().where(HandlerAuthorization.id == authorization_id)).one_or_none()


def list_of_account(session: Session, account_id: str) -> Sequence[Told]:
    """What a person applied for, newest first."""
    return _listed(session, _told().where(HandlerAuthorization.account_id == account_id))


def list_of_enterprise(session: Session, enterprise_id: str) -> Sequence[Told]:
    """Who applied to an enterprise, newest first."""
    return _listed(session, _told().where(HandlerAuthorization.enterprise_id == enterprise_id))


def list_group(
    session: Session,
    enterprise_id: str,
    group: str,
    now: datetime,
    *,
    login_name_part: str = "",
    offset: int = 0,
    limit: int = LONGEST_LIST,
) -> Sequence[Told]:
    """One group (pending, approved, suspended, past) of an enterprise's, newest first."""
    statement = (
        _told()
        .where(HandlerAuthorization.enterprise_id == enterprise_id, _in_group(group, now))
        .where(Account.login_name_index.contains(login_name_part.lower(), autoescape=True))
        .order_by(HandlerAuthorization.applied_at.desc(), HandlerAuthorization.id)
    )
    return session.execute(statement.offset(offset).limit(limit)).all()


def count_groups(session: Session, enterprise_id: str, now: datetime) -> dict[str, int]:
    """How many authorisations each group of an enterprise has; one statement."""
    lasting = _lasting(now)
    group = case(
        *((and_(HandlerAuthorization.status == status, lasting), status) for status in OPEN), else_="past"
    ).label("which")
    statement = select(group, func.count()).where(HandlerAuthorization.enterprise_id == enterprise_id)
    return {row[0]: row[1] for row in session.execute(statement.group_by("which"))}


def _in_group(group: str, now: datetime) -> ColumnElement[bool]:
    if group in OPEN:
        return and_(HandlerAuthorization.status == group, _lasting(now))
    return not_(and_(HandlerAuthorization.status.in_(OPEN), _lasting(now)))


def _lasting(now: datetime) -> ColumnElement[bool]:
    return or_(HandlerAuthorization.valid_until.is_(None), HandlerAuthorization.valid_until > now)


def list_acting(driver: Driver, account_id: str, now: datetime) -> list[Row]:
    """For which active enterprises an account may act at ``now``, and why: one statement.

    Columns: enterprise_id, enterprise_credit_code, enterprise_name, handler_authorization_id, matters,
    valid_until; the last three are None for the enterprise whose legal-person account this is.
    """
    return _ACTING.run(driver, account_id=account_id, now=now)


def _told() -> Select[HandlerAuthorization, Account, Enterprise]:
    return (
        select(HandlerAuthorization, Account, Enterprise)
        .join(Account, Account.id == HandlerAuthorization.account_id)
        .join(Enterprise, Enterprise.id == HandlerAuthorization.enterprise_id)
    )


def _listed(session: Session, statement: Select[HandlerAuthorization, Account, Enterprise]) -> Sequence[Told]:
    newest = statement.order_by(HandlerAuthorization.applied_at.desc(), HandlerAuthorization.id)
    return session.execute(newest.limit(LONGEST_LIST)).all()


_enterprise = (
    Enterprise.id.label("enterprise_id"),
    Enterprise.enterprise_credit_code,
    Enterprise.enterprise_name,
)
_now: Any = bindparam("now", type_=UtcDateTime)
# As handler first: the first part of a union gives the columns their types.
_ACTING = Prepared(
    union_all(
        select(
            *_enterprise,
            HandlerAuthorization.id.label("handler_authorization_id"),
            HandlerAuthorization.matters,
            HandlerAuthorization.valid_until,
        )
        .join(HandlerAuthorization, HandlerAuthorization.enterprise_id == Enterprise.id)
        .where(
            HandlerAuthorization.account_id == bindparam("account_id"),
            HandlerAuthorization.status == "approved",
            HandlerAuthorization.valid_from <= _now,
            or_(HandlerAuthorization.valid_until.is_(None), HandlerAuthorization.valid_until > _now),
            Enterprise.status == "active",
        ),
        select(*_enterprise, null(), null(), null()).where(
            Enterprise.legal_account_id == bindparam("account_id"), Enterprise.status == "active"
        ),
    ).order_by("enterprise_name")
)

"""Authorizations: the one row that owns every token of one sign-in at one client for one acting enterprise.

The statements here are on the hottest paths of the program: Core, built once, one round trip each.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    RowMapping,
    String,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.prepared import Driver, Prepared, Row
from idp.storage.accounts import Account, AccountRole
from idp.storage.database import Base, Json, UtcDateTime
from idp.storage.enterprises import Enterprise
from idp.storage.handlers import HandlerAuthorization


class Authorization(Base):
    """A grant; its code, refresh tokens and access tokens name it, and die with it."""

    __tablename__ = "authorizations"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    sid: Mapped[str | None] = mapped_column(ForeignKey("logins.sid"), index=True)
    enterprise_id: Mapped[str | None] = mapped_column(ForeignKey("enterprises.id"), index=True)
    handler_authorization_id: Mapped[str | None] = mapped_column(
        ForeignKey("handler_authorizations.id"), index=True
    )
    account_type: Mapped[str | None] = mapped_column(String(16))  # None: the holder is not verified
    scope: Mapped[str] = mapped_column(String(1000))
    requested_claims: Mapped[dict[str, Any] | None] = mapped_column(Json)
    resources: Mapped[list[str] | None] = mapped_column(Json)  # asked for by RFC 8707; None: none was
    authorization_details: Mapped[list[dict[str, Any]] | None] = mapped_column(Json)  # as asked (RFC 9396)
    dpop_jkt: Mapped[str | None] = mapped_column(String(43))  # the key that the code, or a public client, has
    nonce: Mapped[str | None] = mapped_column(Text)
    auth_time: Mapped[int]
    acr: Mapped[str] = mapped_column(String(64))
    amr: Mapped[list[str]] = mapped_column(Json)
    redirect_uri: Mapped[str] = mapped_column(Text)
    code_challenge: Mapped[str] = mapped_column(String(43))
    code_expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    redeemed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    generation: Mapped[int] = mapped_column(default=0)
    rotated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)  # of the whole authorization
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_reason: Mapped[str | None] = mapped_column(String(40))


Index("ix_authorizations_expires_at", Authorization.expires_at)

_a = Authorization
_now: ColumnElement[datetime] = bindparam("now", type_=UtcDateTime)
_id: ColumnElement[str] = bindparam("authorization_id")
_client_id: ColumnElement[str] = bindparam("presented_by")
_holds_key = or_(_a.dpop_jkt.is_(None), _a.dpop_jkt == bindparam("presented_jkt", type_=String))


def _live() -> ColumnElement[bool]:
    """What an authorization rests on, in force at ``:now``: claims.md, rule 1, in one place."""
    account_active = exists().where(Account.id == _a.account_id, Account.status == "active").correlate(_a)
    enterprise_active = or_(
        _a.enterprise_id.is_(None),
        exists().where(Enterprise.id == _a.enterprise_id, Enterprise.status == "active").correlate(_a),
    )
    handler = HandlerAuthorization
    handler_in_force = or_(
        _a.handler_authorization_id.is_(None),
        exists()
        .where(
            handler.id == _a.handler_authorization_id,
            handler.status == "approved",
            handler.valid_from <= _now,
            or_(handler.valid_until.is_(None), handler.valid_until > _now),
        )
        .correlate(_a),
    )
    return and_(
        _a.revoked_at.is_(None), _a.expires_at > _now, account_active, enterprise_active, handler_in_force
    )


def _facts() -> list[Any]:
    """The columns a token is made of; what other tables know comes by primary key."""
    return [
        *(
            getattr(_a, name)
            for name in (
                "id",
                "client_id",
                "account_id",
                "sid",
                "account_type",
                "scope",
                "requested_claims",
                "resources",
                "authorization_details",
                "nonce",
                "auth_time",
                "acr",
                "amr",
                "generation",
                "handler_authorization_id",
                "expires_at",
            )
        ),
        *(
            select(column).where(Enterprise.id == _a.enterprise_id).scalar_subquery().label(column.name)
            for column in (
                Enterprise.__table__.c.enterprise_credit_code,
                Enterprise.__table__.c.enterprise_name,
            )
        ),
        select(HandlerAuthorization.matters)
        .where(HandlerAuthorization.id == _a.handler_authorization_id)
        .scalar_subquery()
        .label("matters"),
    ]


_INSERT = Prepared(insert(_a))
_REDEEM = Prepared(
    update(_a)
    .where(
        _a.id == _id,
        _a.client_id == _client_id,
        _a.redirect_uri == bindparam("presented_redirect_uri"),
        _a.code_challenge == bindparam("presented_challenge"),
        _holds_key,
        _a.code_expires_at > _now,
        _a.redeemed_at.is_(None),
        _live(),
    )
    .values(redeemed_at=_now, dpop_jkt=bindparam("bound_jkt"))
    .returning(*_facts())
)
_ROTATE = Prepared(
    update(_a)
    .where(
        _a.id == _id,
        _a.client_id == _client_id,
        _a.generation == bindparam("presented_generation"),
        _holds_key,
        _a.redeemed_at.is_not(None),
        _live(),
    )
    .values(generation=_a.generation + 1, rotated_at=_now)
    .returning(*_facts())
)
_FIND_LIVE = Prepared(select(*_facts()).where(_a.id == _id, _a.redeemed_at.is_not(None), _live()))
_FIND_PERSON = Prepared(
    select(
        *_facts(),
        *(
            getattr(Account, name)
            for name in (
                "login_name",
                "real_name_encrypted",
                "email_encrypted",
                "phone_encrypted",
                "address_encrypted",
                "updated_at",
                "verified_at",
                "document_type",
                "document_number_encrypted",
            )
        ),
        *(
            select(column)
            .where(HandlerAuthorization.id == _a.handler_authorization_id)
            .scalar_subquery()
            .label(name)
            for name, column in (
                ("granted_at", HandlerAuthorization.decided_at),
                ("granted_from", HandlerAuthorization.valid_from),
                ("granted_until", HandlerAuthorization.valid_until),
            )
        ),
    ).where(_a.id == _id, _a.redeemed_at.is_not(None), Account.id == _a.account_id, _live())
)
_FIND_STATE = Prepared(
    select(
        _a.client_id,
        _a.redeemed_at,
        _a.revoked_at,
        _a.generation,
        _a.rotated_at,
        _a.sid,
        _a.account_id,
        _a.dpop_jkt,
    ).where(_a.id == _id)
)
_LIST_ROLES = Prepared(
    select(AccountRole.role).where(
        AccountRole.account_id == bindparam("account_id"), AccountRole.client_id == _client_id
    )
)


def add(driver: Driver, values: dict[str, Any]) -> None:
    """Insert an authorization from its column values."""
    _INSERT.run(driver, **values)


def redeem(driver: Driver, now: datetime, **presented: str | None) -> Row | None:
    """Mark the code used and return the facts, if it is unused, unexpired, and all that is presented fits.

    ``presented`` are the parameters of the statement: ``authorization_id``, ``presented_by``,
    ``presented_redirect_uri``, ``presented_challenge``, ``presented_jkt``, and ``bound_jkt``, the key that
    the refresh tokens are bound to from now on. Of two simultaneous calls the database lets exactly one
    update the row.
    """
    return _REDEEM.first(driver, now=now, **presented)


def rotate(
    driver: Driver, authorization_id: str, client_id: str, generation: int, jkt: str | None, now: datetime
) -> Row | None:
    """Step the generation on if ``generation`` is the current one and the key fits, and return the facts."""
    parameters = {
        "presented_jkt": jkt,
        "authorization_id": authorization_id,
        "presented_by": client_id,
        "presented_generation": generation,
        "now": now,
    }
    return _ROTATE.first(driver, **parameters)


def find_live(driver: Driver, authorization_id: str, now: datetime) -> Row | None:
    """The facts of a redeemed authorization on which everything still stands."""
    parameters = {"authorization_id": authorization_id, "now": now}
    return _FIND_LIVE.first(driver, **parameters)


def find_live_with_person(driver: Driver, authorization_id: str, now: datetime) -> Row | None:
    """As :func:`find_live`, with the (encrypted) personal columns of the account."""
    parameters = {"authorization_id": authorization_id, "now": now}
    return _FIND_PERSON.first(driver, **parameters)


def find_state(driver: Driver, authorization_id: str) -> Row | None:
    """Where an authorization stands, live or not: for telling reuse from error."""
    return _FIND_STATE.first(driver, authorization_id=authorization_id)


def list_roles(driver: Driver, account_id: str, client_id: str) -> tuple[str, ...]:
    """The role codes an account has at a client."""
    parameters = {"account_id": account_id, "presented_by": client_id}
    return tuple(sorted(row["role"] for row in _LIST_ROLES.run(driver, **parameters)))


def list_lapsed_handlers(session: Session, now: datetime, limit: int) -> list[str]:
    """Handler authorisations past their validity that something not ended yet rests on."""
    resting = exists().where(_a.handler_authorization_id == HandlerAuthorization.id, _a.revoked_at.is_(None))
    lapsed = select(HandlerAuthorization.id).where(HandlerAuthorization.valid_until <= now, resting)
    return list(session.scalars(lapsed.limit(limit)))


_used_at = func.coalesce(_a.rotated_at, _a.redeemed_at)


def last_uses(session: Session, handler_authorization_ids: list[str]) -> dict[str, datetime]:
    """When tokens were last issued on each of these handler authorisations, as far as the rows still tell."""
    statement = select(_a.handler_authorization_id, func.max(_used_at)).where(
        _a.handler_authorization_id.in_(handler_authorization_ids), _a.redeemed_at.is_not(None)
    )
    grouped = statement.group_by(_a.handler_authorization_id)
    return {str(row[0]): row[1] for row in session.execute(grouped)}


def keep_last_uses(session: Session, authorization_ids: list[str]) -> None:
    """Note at the handler authorisations when these rows, about to be deleted, were last used."""
    used = (
        select(_a.handler_authorization_id, func.max(_used_at))
        .where(_a.id.in_(authorization_ids), _a.handler_authorization_id.is_not(None))
        .where(_a.redeemed_at.is_not(None))
        .group_by(_a.handler_authorization_id)
    )
    h = HandlerAuthorization
    for handler_id, used_at in session.execute(used).all():
        older = or_(h.last_used_at.is_(None), h.last_used_at < used_at)
        session.execute(update(h).where(h.id == handler_id, older).values(last_used_at=used_at))


def list_resting_clients(session: Session, handler_authorization_id: str) -> list[str]:
    """The clients of what rests on a handler authorisation and has not ended."""
    resting = select(_a.client_id).where(
        _a.handler_authorization_id == handler_authorization_id, _a.revoked_at.is_(None)
    )
    return list(session.scalars(resting.distinct()))


def revoke(session: Session, criterion: ColumnElement[bool], reason: str, now: datetime) -> list[RowMapping]:
    """Revoke every not yet revoked authorization that meets ``criterion``; returns what was revoked."""
    statement = (
        update(_a)
        .where(criterion, _a.revoked_at.is_(None))
        .values(revoked_at=now, revoked_reason=reason)
        .returning(
            _a.id,
            _a.client_id,
            _a.account_id,
            _a.sid,
            _a.redeemed_at,
            _a.scope,
            _a.handler_authorization_id,
            select(Enterprise.enterprise_credit_code)
            .where(Enterprise.id == _a.enterprise_id)
            .scalar_subquery()
            .label("enterprise_credit_code"),
        )
        .execution_options(synchronize_session=False)
    )
    return list(session.execute(statement).mappings())


def list_clients_of_logins(session: Session, account_id: str, now: datetime) -> list[tuple[str, str]]:
    """(sid, client_id) of what an account uses now from its browser sessions."""
    live = (_a.account_id == account_id, _a.redeemed_at.is_not(None), _a.revoked_at.is_(None))
    statement = select(_a.sid, _a.client_id).where(*live, _a.expires_at > now, _a.sid.is_not(None))
    return [(row.sid, row.client_id) for row in session.execute(statement.distinct())]


def list_uses(session: Session, account_id: str, now: datetime) -> list[RowMapping]:
    """By client: when this account last used it (``last_used_at``), and how much there is still in force
    (``in_force``, a count).
    """
    in_force = and_(_a.revoked_at.is_(None), _a.expires_at > now)
    statement = (
        select(
            _a.client_id,
            func.max(func.coalesce(_a.rotated_at, _a.redeemed_at)).label("last_used_at"),
            func.sum(case((in_force, 1), else_=0)).label("in_force"),
        )
        .where(_a.account_id == account_id, _a.redeemed_at.is_not(None))
        .group_by(_a.client_id)
    )
    return list(session.execute(statement).mappings())


def clients_of_session(session: Session, sid: str) -> list[RowMapping]:
    """The clients that hold a redeemed authorization on a browser session, one row each."""
    statement = select(_a.client_id, _a.account_id, _a.sid).where(_a.sid == sid, _a.redeemed_at.is_not(None))
    return list(session.execute(statement.distinct()).mappings())

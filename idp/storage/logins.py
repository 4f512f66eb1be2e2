"""Queries of signing in and staying so: finding a login is on the path of every authorization request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any, NamedTuple, cast

from sqlalchemy import String, Table, bindparam, delete, exists, insert, select, union_all, update
from sqlalchemy.orm import Session

from idp.prepared import Driver, Prepared
from idp.storage.accounts import accounts, logins
from idp.storage.authorizations import Authorization, keep_last_uses
from idp.storage.database import UtcDateTime
from idp.storage.enterprises import Enterprise

enterprises = cast(Table, Enterprise.__table__)
_c = logins.c


class Holder(NamedTuple):
    """What signing in needs to know of an account."""

    account_id: str
    login_name: str
    password_hash: str
    status: str
    phone_encrypted: str
    password_changed_at: datetime
    temporary_password_until: datetime | None


_DOCUMENTS = ("document_0", "document_1", "document_2")  # an ID number is of as many types of document
_MATCHING = union_all(
    select(accounts.c.id).where(accounts.c.login_name_index == bindparam("login_name_index")),
    select(accounts.c.id).where(
        accounts.c.document_index.in_([bindparam(name, type_=String) for name in _DOCUMENTS])
    ),
    select(enterprises.c.legal_account_id).where(
        enterprises.c.enterprise_credit_code == bindparam("enterprise_credit_code")
    ),
)
_HOLDER = (
    select(
        accounts.c.id,
        accounts.c.login_name,
        accounts.c.password_hash,
        accounts.c.status,
        accounts.c.phone_encrypted,
        accounts.c.password_changed_at,
        accounts.c.temporary_password_until,
    )
    .where(accounts.c.id.in_(_MATCHING), accounts.c.status != "deleted")
    .order_by(accounts.c.document_index.is_(None))  # of an ID number and a like credit code, the person
    .limit(1)
)
_FIND_HOLDER = Prepared(_HOLDER)
_LOGIN = (
    _c.sid,
    _c.account_id,
    accounts.c.login_name,
    _c.auth_time,
    _c.acr,
    _c.amr,
    accounts.c.subject_type,
    accounts.c.verification_status,
    accounts.c.platform_role,
    accounts.c.default_enterprise_id,
    Enterprise.id.label("legal_enterprise_id"),
    _c.address,
    _c.user_agent,
    _c.created_at,
    _c.last_seen_at,
    _c.expires_at,
    _c.renewal_due,
    accounts.c.agreed_versions,
)
_OPEN_LOGIN = (
    select(*_LOGIN)
    .select_from(logins)
    .join(accounts, accounts.c.id == _c.account_id)
    .outerjoin(Enterprise, Enterprise.legal_account_id == _c.account_id)
    .where(_c.ended_at.is_(None), accounts.c.status == "active")
)
_FIND = Prepared(_OPEN_LOGIN.where(_c.token_hash == bindparam("token_hash")))
_LIST = _OPEN_LOGIN.where(_c.account_id == bindparam("account_id")).order_by(_c.last_seen_at.desc())
_INSERT = insert(logins)
_INSERT_PREPARED = Prepared(_INSERT)
_SEEN = Prepared(
    update(logins)
    .where(_c.sid == bindparam("login"), _c.last_seen_at < bindparam("now", type_=UtcDateTime))
    .values(last_seen_at=bindparam("now", type_=UtcDateTime))
)


def find_holder(
    driver: Driver,
    login_name_index: str | None,
    document_indexes: Sequence[str],
    enterprise_credit_code: str | None,
) -> Holder | None:
    """The account behind what was typed at the sign-in; each alternative by its own unique index."""
    row = _FIND_HOLDER.first(
        driver,
        login_name_index=login_name_index,
        enterprise_credit_code=enterprise_credit_code,
        **dict(zip_longest(_DOCUMENTS, document_indexes)),
    )
    return None if row is None else Holder(*row.values())


def find_login(driver: Driver, token_hash: str) -> Sequence[Any] | None:
    """The login with this token that nobody has ended, with what its account says; one row, one statement."""
    row = _FIND.first(driver, token_hash=token_hash)
    return None if row is None else tuple(row.values())


def list_logins(session: Session, account_id: str) -> list[Sequence[Any]]:
    """The logins of an account that nobody has ended, the one seen last first."""
    return list(session.execute(_LIST, {"account_id": account_id}))


def mark_seen(driver: Driver, sid: str, now: datetime) -> None:
    """The browser was here."""
    _SEEN.run(driver, login=sid, now=now)


def insert_login(where: Session | Driver, values: dict[str, Any]) -> None:
    """Insert a login from its column values."""
    if isinstance(where, Session):
        where.connection().execute(_INSERT, values)
    else:
        _INSERT_PREPARED.run(where, **{"ended_at": None, "renewal_due": None, **values})


def renew_login(session: Session, token_hash: str, account_id: str, values: dict[str, Any]) -> str | None:
    """Give the open login with this token, if it is this account's, new values; its sid, or None."""
    statement = (
        update(logins)
        .where(_c.token_hash == token_hash, _c.account_id == account_id, _c.ended_at.is_(None))
        .values(**values)
        .returning(_c.sid)
    )
    return session.connection().execute(statement).scalar()


def mark_for_renewal(session: Session, account_id: str) -> None:
    """Have every open login of an account get a new token at its next request."""
    mine = (_c.account_id == account_id, _c.ended_at.is_(None))
    session.connection().execute(update(logins).where(*mine).values(renewal_due=True))


def replace_token(session: Session, token_hash: str, new_token_hash: str) -> bool:
    """Give the open login with this token another one; of two at once one does."""
    present = (_c.token_hash == token_hash, _c.ended_at.is_(None))
    changes = {"token_hash": new_token_hash, "renewal_due": None}
    return session.connection().execute(update(logins).where(*present).values(changes)).rowcount == 1


def find_open_sid(session: Session, token_hash: str) -> str | None:
    """The sid of the login with this token, if nobody has ended it."""
    statement = select(_c.sid).where(_c.token_hash == token_hash, _c.ended_at.is_(None))
    return session.scalar(statement)


def end_login(session: Session, sid: str, now: datetime) -> str | None:
    """End a login; its account, or None if it had ended: of two that end it at once, one gets the account."""
    statement = (
        update(logins)
        .where(_c.sid == sid, _c.ended_at.is_(None))
        .values(ended_at=now)
        .returning(_c.account_id)
    )
    return session.connection().execute(statement).scalar()


def list_open_sids(session: Session, account_id: str) -> list[str]:
    """The sids of an account's logins that nobody has ended."""
    return list(session.scalars(select(_c.sid).where(_c.account_id == account_id, _c.ended_at.is_(None))))


def list_expired_sids(session: Session, now: datetime, limit: int) -> list[str]:
    """Logins past their absolute end that nobody has ended yet."""
    statement = select(_c.sid).where(_c.expires_at <= now, _c.ended_at.is_(None)).limit(limit)
    return list(session.scalars(statement))


def purge_ended(session: Session, before: datetime, limit: int) -> int:
    """Delete logins over since before then on which no authorization rests any more; at most ``limit``."""
    rests_on = exists().where(Authorization.sid == _c.sid)
    old = select(_c.sid).where(_c.expires_at < before, _c.ended_at.is_not(None), ~rests_on).limit(limit)
    return session.connection().execute(delete(logins).where(_c.sid.in_(old))).rowcount


def purge_authorizations(session: Session, before: datetime, limit: int) -> int:
    """Delete authorizations over since before then; at most ``limit``."""
    old = list(
        session.scalars(select(Authorization.id).where(Authorization.expires_at < before).limit(limit))
    )
    keep_last_uses(session, old)
    return session.connection().execute(delete(Authorization).where(Authorization.id.in_(old))).rowcount

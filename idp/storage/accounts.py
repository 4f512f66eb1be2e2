"""Accounts, their browser sessions (logins) and the roles they have at clients."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.prepared import Driver, Prepared
from idp.storage.database import Base, Json, UtcDateTime


class Account(Base):
    """One account of the platform: a person, or an enterprise's legal-person account."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    login_name: Mapped[str] = mapped_column(String(16))
    login_name_index: Mapped[str] = mapped_column(String(16), unique=True)  # lower case
    password_hash: Mapped[str] = mapped_column(String(200))
    password_changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    temporary_password_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: a chosen one
    email_encrypted: Mapped[str] = mapped_column(Text)
    phone_encrypted: Mapped[str] = mapped_column(Text)
    phone_index: Mapped[str] = mapped_column(String(64), unique=True)
    status: Mapped[str] = mapped_column(String(12), default="active")  # domain.account_life.Status
    deletion_requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dormancy_reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # since the last sign-in
    platform_role: Mapped[str | None] = mapped_column(String(32))  # administrator, or None

    subject_type: Mapped[str | None] = mapped_column(
        String(16)
    )  # natural_person, legal_person, None: unverified
    verification_status: Mapped[str] = mapped_column(String(12), default="unverified")
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    real_name_encrypted: Mapped[str | None] = mapped_column(Text)
    document_type: Mapped[str | None] = mapped_column(String(32))
    document_number_encrypted: Mapped[str | None] = mapped_column(Text)
    document_index: Mapped[str | None] = mapped_column(
        String(64), unique=True
    )  # type and number, verified natural persons
    address_encrypted: Mapped[str | None] = mapped_column(Text)
    default_enterprise_id: Mapped[str | None] = mapped_column(String(22))  # a preference, checked when used
    agreed_versions: Mapped[str | None] = mapped_column(String(64))  # domain.agreements.AGREED
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Login(Base):
    """An authenticated browser session; the browser holds a random token, this row its hash."""

    __tablename__ = "logins"

    sid: Mapped[str] = mapped_column(String(22), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    auth_time: Mapped[int]
    acr: Mapped[str] = mapped_column(String(64))
    amr: Mapped[list[str]] = mapped_column(Json)
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    renewal_due: Mapped[bool | None]  # the account may do more or less than when the token was given


class AccountRole(Base):
    """A role code of one client that an admin has given an account."""

    __tablename__ = "account_roles"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(String(64), primary_key=True)


class PasswordHistory(Base):
    """Hashes of an account's former passwords, newest first by ``changed_at``."""

    __tablename__ = "password_history"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


Index("ix_logins_expires_at", Login.expires_at)
Index(
    "ix_accounts_active_last_sign_in_at",
    Account.last_sign_in_at,
    sqlite_where=Account.status == "active",
    postgresql_where=Account.status == "active",
)
Index(
    "ix_accounts_deletion_requested_at",
    Account.deletion_requested_at,
    sqlite_where=Account.deletion_requested_at.is_not(None),
    postgresql_where=Account.deletion_requested_at.is_not(None),
)

accounts = cast(Table, Account.__table__)
logins = cast(Table, Login.__table__)
account_roles = cast(Table, AccountRole.__table__)
password_history = cast(Table, PasswordHistory.__table__)


# --- accounts ---------------------------------------------------------------------------------------------


_INSERT_ACCOUNT = insert(accounts)
_SIGNED_IN = (
    update(accounts)
    .where(accounts.c.id == bindparam("account"))
    .values(last_sign_in_at=bindparam("now", type_=UtcDateTime), dormancy_reminded_at=null())
)
_SIGNED_IN_PREPARED = Prepared(_SIGNED_IN)


def insert_account(session: Session, values: dict[str, Any]) -> None:
    """Insert an account from its column values; IntegrityError when login name or phone are taken."""
    session.connection().execute(_INSERT_ACCOUNT, values)


def find_taken(session: Session, login_name_index: str, phone_index: str) -> frozenset[str]:
    """Which of ``login_name`` and ``phone`` an account has already."""
    statement = select(accounts.c.login_name_index == login_name_index, accounts.c.phone_index == phone_index)
    both = or_(accounts.c.login_name_index == login_name_index, accounts.c.phone_index == phone_index)
    rows = session.execute(statement.where(both)).all()
    taken = {"login_name": any(row[0] for row in rows), "phone": any(row[1] for row in rows)}
    return frozenset(name for name, is_taken in taken.items() if is_taken)


def find_account(session: Session, account_id: str) -> Account | None:
    """One account."""
    return session.get(Account, account_id)


def find_account_id(session: Session, login_name: str) -> str | None:
    """The id of the account with a login name, without regard to case."""
    return session.scalar(select(accounts.c.id).where(accounts.c.login_name_index == login_name.lower()))


def find_by_phone(session: Session, phone_index: str) -> Account | None:
    """The account that is bound to a phone."""
    return session.scalar(select(Account).where(Account.phone_index == phone_index, _not_deleted()))


def find_by_document(session: Session, document_index: str) -> Account | None:
    """The account of the verified natural person with a document."""
    return session.scalar(select(Account).where(Account.document_index == document_index, _not_deleted()))


def _not_deleted() -> ColumnElement[bool]:
    return Account.status != "deleted"


def list_accounts(session: Session, login_name_part: str, offset: int, limit: int) -> list[Account]:
    """Accounts in order of login name whose login name holds the text, without regard to case."""
    statement = select(Account).order_by(Account.login_name_index).offset(offset).limit(limit)
    if login_name_part:
        statement = statement.where(
            Account.login_name_index.contains(login_name_part.lower(), autoescape=True)
        )
    return list(session.scalars(statement))


def count_accounts(session: Session, login_name_part: str) -> int:
    """How many accounts ``list_accounts`` would list in all."""
    statement = select(func.count()).select_from(accounts)
    if login_name_part:
        statement = statement.where(
            accounts.c.login_name_index.contains(login_name_part.lower(), autoescape=True)
        )
    return session.scalar(statement) or 0


def mark_signed_in(where: Session | Driver, account_id: str, now: datetime) -> None:
    """The account is not silent."""
    if isinstance(where, Session):
        where.connection().execute(_SIGNED_IN, {"account": account_id, "now": now})
    else:
        _SIGNED_IN_PREPARED.run(where, account=account_id, now=now)


def update_account(session: Session, account_id: str, values: dict[str, Any]) -> bool:
    """Change columns of one account; whether it is there."""
    statement = update(accounts).where(accounts.c.id == account_id).values(**values)
    return session.connection().execute(statement).rowcount == 1


# --- former passwords and roles -----------------------------------------------------------------------------


def insert_former_password(
    session: Session, account_id: str, password_hash: str, changed_at: datetime
) -> None:
    """Remember the hash of a password that has just been replaced."""
    values = {"account_id": account_id, "password_hash": password_hash, "changed_at": changed_at}
    session.connection().execute(insert(password_history), values)


def use_up_password(session: Session, account_id: str, password_hash: str) -> bool:
    """Make a temporary password open nothing any more; of two that use it at once, one gets True."""
    mine = (accounts.c.id == account_id, accounts.c.password_hash == password_hash)
    return session.connection().execute(update(accounts).where(*mine).values(password_hash="-")).rowcount == 1


def list_former_passwords(session: Session, account_id: str, limit: int) -> list[str]:
    """The latest hashes, newest first."""
    mine = select(password_history.c.password_hash).where(password_history.c.account_id == account_id)
    return list(session.scalars(mine.order_by(password_history.c.id.desc()).limit(limit)))


def insert_role(session: Session, account_id: str, client_id: str, role: str) -> bool:
    """Give a role of a client; False when the account has it already."""
    key = {"account_id": account_id, "client_id": client_id, "role": role}
    if session.get(AccountRole, key) is not None:
        return False
    session.connection().execute(insert(account_roles), key)
    return True


def delete_role(session: Session, account_id: str, client_id: str, role: str) -> bool:
    """Take a role of a client away; False when the account didn't have it."""
    c = account_roles.c
    mine = (c.account_id == account_id, c.client_id == client_id, c.role == role)
    return session.connection().execute(delete(account_roles).where(*mine)).rowcount == 1


def list_roles(session: Session, account_id: str) -> list[tuple[str, str]]:
    """(client_id, role) of an account, in order."""
    c = account_roles.c
    statement = select(c.client_id, c.role).where(c.account_id == account_id).order_by(c.client_id, c.role)
    return [(row.client_id, row.role) for row in session.execute(statement)]

"""Strong second factors of accounts: one-time passwords, passkeys, recovery codes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.storage.database import Base, UtcDateTime


class TotpSecret(Base):
    """The secret that an account's one-time passwords are made of, and the last time step that was used."""

    __tablename__ = "totp_secrets"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    secret_encrypted: Mapped[str] = mapped_column(Text)
    last_step: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Passkey(Base):
    """One WebAuthn credential of an account; id and key in base64url."""

    __tablename__ = "passkeys"

    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[str] = mapped_column(Text)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    synced: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecoveryCode(Base):
    """A code that stands in once for a lost factor, as a keyed hash; a used one is gone."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("account_id", "code_index"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    code_index: Mapped[str] = mapped_column(String(64))


totp_secrets = cast(Table, TotpSecret.__table__)
passkeys = cast(Table, Passkey.__table__)
recovery_codes = cast(Table, RecoveryCode.__table__)


def has_factor(session: Session, account_id: str) -> bool:
    """Whether the account has a one-time password or a passkey."""
    totp = exists().where(totp_secrets.c.account_id == account_id)
    passkey = exists().where(passkeys.c.account_id == account_id)
    return bool(session.scalar(select(totp | passkey)))


def delete_all(session: Session, account_id: str) -> int:
    """Take every factor and recovery code away; how many factors there were."""
    connection = session.connection()
    connection.execute(delete(recovery_codes).where(recovery_codes.c.account_id == account_id))
    totp = connection.execute(delete(totp_secrets).where(totp_secrets.c.account_id == account_id)).rowcount
    return totp + connection.execute(delete(passkeys).where(passkeys.c.account_id == account_id)).rowcount


# --- one-time passwords -------------------------------------------------------------------------------------


def insert_totp(session: Session, values: dict[str, Any]) -> None:
    """Insert a secret; IntegrityError when the account has one."""
    session.connection().execute(insert(totp_secrets), values)


def find_totp(session: Session, account_id: str) -> TotpSecret | None:
    """The account's secret."""
    return session.get(TotpSecret, account_id)


def use_totp(session: Session, account_id: str, secret_encrypted: str, step: int, now: datetime) -> bool:
    """Use up a time step of this very secret, and all before it: of several users at once one succeeds."""
    c = totp_secrets.c
    mine = (c.account_id == account_id, c.secret_encrypted == secret_encrypted, c.last_step < step)
    statement = update(totp_secrets).where(*mine).values(last_step=step, last_used_at=now)
    return session.connection().execute(statement).rowcount == 1


def delete_totp(session: Session, account_id: str) -> bool:
    """Remove the secret; whether there was one."""
    statement = delete(totp_secrets).where(totp_secrets.c.account_id == account_id)
    return session.connection().execute(statement).rowcount == 1


# --- passkeys -----------------------------------------------------------------------------------------------


def insert_passkey(session: Session, values: dict[str, Any]) -> None:
    """Insert a credential; IntegrityError when its id is registered, with whomever."""
    session.connection().execute(insert(passkeys), values)


def list_passkeys(session: Session, account_id: str) -> list[Passkey]:
    """An account's passkeys, oldest first."""
    mine = select(Passkey).where(Passkey.account_id == account_id)
    return list(session.scalars(mine.order_by(Passkey.created_at, Passkey.id)))


def find_passkey(session: Session, credential_id: str) -> Passkey | None:
    """The passkey with this credential id, of whichever account."""
    return session.scalar(select(Passkey).where(Passkey.credential_id == credential_id))


def use_passkey(
    session: Session, passkey_id: str, sign_count: int, shown: int, synced: bool, now: datetime
) -> bool:
    """Move the counter from ``sign_count`` on; False when another use was faster, or it is removed."""
    c = passkeys.c
    statement = (
        update(passkeys)
        .where(c.id == passkey_id, c.sign_count == sign_count)
        .values(sign_count=shown, synced=synced, last_used_at=now)
    )
    return session.connection().execute(statement).rowcount == 1


def delete_passkey(session: Session, account_id: str, passkey_id: str) -> str | None:
    """Remove one of the account's passkeys; its name, or None if it has no such."""
    c = passkeys.c
    statement = delete(passkeys).where(c.id == passkey_id, c.account_id == account_id).returning(c.name)
    return session.connection().execute(statement).scalar()


# --- recovery codes -----------------------------------------------------------------------------------------


def replace_recovery_codes(session: Session, account_id: str, indexes: Iterable[str]) -> None:
    """Give an account new codes in place of all it had."""
    connection = session.connection()
    connection.execute(delete(recovery_codes).where(recovery_codes.c.account_id == account_id))
    rows = [{"account_id": account_id, "code_index": index} for index in indexes]
    if rows:
        connection.execute(insert(recovery_codes), rows)


def count_recovery_codes(session: Session, account_id: str) -> int:
    """How many codes are left."""
    c = recovery_codes.c
    return session.scalar(select(func.count()).where(c.account_id == account_id)) or 0


def has_recovery_code(session: Session, account_id: str, index: str) -> bool:
    """Whether the account has this code."""
    c = recovery_codes.c
    mine = exists().where(c.account_id == account_id, c.code_index == index)
    return bool(session.scalar(select(mine)))


def use_recovery_code(session: Session, account_id: str, index: str) -> bool:
    """Use a code up: of several users at once one succeeds."""
    c = recovery_codes.c
    statement = delete(recovery_codes).where(c.account_id == account_id, c.code_index == index)
    return session.connection().execute(statement).rowcount == 1

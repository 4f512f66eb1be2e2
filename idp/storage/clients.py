"""Registered clients, their secrets' hashes, and consents."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, ForeignKey, String, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.prepared import Driver, Prepared
from idp.storage.database import Base, Json, UtcDateTime


class Client(Base):
    """One OAuth client; ``metadata`` is RFC 7591's with the additions of claims.md, already validated."""

    __tablename__ = "clients"

    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_metadata: Mapped[dict[str, Any]] = mapped_column("metadata", Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # SHA-256 of the token that manages a dynamic registration (RFC 7592); None: an admin registered it
    registration_access_token_hash: Mapped[str | None] = mapped_column(String(64))


class InitialAccessToken(Base):
    """Leave to register clients (RFC 7591 §3), so many times until then; only the hash is kept."""

    __tablename__ = "initial_access_tokens"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    uses_left: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str | None] = mapped_column(String(22))  # the admin's account id; None: by command


class ClientSecret(Base):
    """The SHA-256 of one random secret of a client; several may be valid at once during a rotation."""

    __tablename__ = "client_secrets"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Consent(Base):
    """What an account has allowed a client to know, remembered; and the enterprise last chosen there."""

    __tablename__ = "consents"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True
    )
    enterprise_id: Mapped[str] = mapped_column(String(22), primary_key=True)  # "" when acting as oneself
    scope: Mapped[str] = mapped_column(String(1000))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)


def find(session: Session, client_id: str) -> Client | None:
    """One client row."""
    return session.get(Client, client_id)


def lock(session: Session, client_id: str) -> Client | None:
    """One client row, to be changed: nobody else changes or deletes it before this transaction ends."""
    return session.get(Client, client_id, with_for_update=True)


def set_registration_access_token(session: Session, client_id: str, token_hash: str) -> None:
    """Let a token manage a client's registration."""
    statement = update(Client).where(Client.client_id == client_id)
    session.execute(statement.values(registration_access_token_hash=token_hash))


def _usable(token_hash: str, now: datetime) -> ColumnElement[bool]:
    token = InitialAccessToken
    return (token.token_hash == token_hash) & (token.uses_left > 0) & (token.expires_at > now)


def is_initial_access_token(session: Session, token_hash: str, now: datetime) -> bool:
    """Whether a client may be registered with it now."""
    return session.scalar(select(InitialAccessToken.token_hash).where(_usable(token_hash, now))) is not None


def use_initial_access_token(session: Session, token_hash: str, now: datetime) -> bool:
    """Take one use; False when none is left, however many ask at once."""
    statement = update(InitialAccessToken).where(_usable(token_hash, now))
    taken = session.execute(statement.values(uses_left=InitialAccessToken.uses_left - 1))
    return cast("CursorResult[Any]", taken).rowcount == 1


def purge_initial_access_tokens(session: Session, before: datetime, limit: int) -> int:
    """Delete those that expired before then; at most ``limit``."""
    expired = select(InitialAccessToken.token_hash).where(InitialAccessToken.expires_at < before).limit(limit)
    statement = delete(InitialAccessToken).where(InitialAccessToken.token_hash.in_(expired))
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def list_all(session: Session) -> list[Client]:
    """Every client, by id."""
    return list(session.scalars(select(Client).order_by(Client.client_id)))


def secrets_of(session: Session, client_id: str) -> tuple[tuple[str, datetime | None], ...]:
    """(hash, expiry) of each secret of a client."""
    statement = select(ClientSecret.secret_hash, ClientSecret.expires_at).where(
        ClientSecret.client_id == client_id
    )
    return tuple((row.secret_hash, row.expires_at) for row in session.execute(statement))


def delete_secrets(session: Session, client_id: str) -> None:
    """Leave a client without secrets."""
    session.execute(delete(ClientSecret).where(ClientSecret.client_id == client_id))


def replace_secrets(session: Session, client_id: str, secret_hash: str, now: datetime) -> None:
    """Leave a client with exactly one secret."""
    delete_secrets(session, client_id)
    session.add(ClientSecret(client_id=client_id, secret_hash=secret_hash, created_at=now))


_CONSENTS = Prepared(
    select(Consent.enterprise_id, Consent.scope)
    .where(Consent.account_id == bindparam("account_id"), Consent.client_id == bindparam("client_id"))
    .order_by(Consent.granted_at.desc())
)


def list_consents(driver: Driver, account_id: str, client_id: str) -> dict[str, frozenset[str]]:
    """The scopes allowed by enterprise id ("" is oneself), the latest consent first."""
    rows = _CONSENTS.run(driver, account_id=account_id, client_id=client_id)
    return {row["enterprise_id"]: frozenset(row["scope"].split()) for row in rows}


def list_consents_of_account(session: Session, account_id: str) -> list[Consent]:
    """Every consent of an account, the latest first."""
    statement = select(Consent).where(Consent.account_id == account_id).order_by(Consent.granted_at.desc())
    return list(session.scalars(statement))


def save_consent(
    session: Session,
    account_id: str,
    client_id: str,
    enterprise_id: str,
    scopes: frozenset[str],
    now: datetime,
) -> None:
    """Add ``scopes`` to what this account allows this client when acting for this enterprise."""
    consent = session.get(Consent, (account_id, client_id, enterprise_id), with_for_update=True)
    if consent is None:
        consent = Consent(account_id=account_id, client_id=client_id, enterprise_id=enterprise_id, scope="")
        session.add(consent)
    consent.scope = " ".join(sorted(scopes | frozenset(consent.scope.split())))
    consent.granted_at = now


def delete_consents(session: Session, account_id: str, client_id: str) -> int:
    """Forget what an account allowed a client; returns how many rows that were."""
    statement = delete(Consent).where(Consent.account_id == account_id, Consent.client_id == client_id)
    return cast("CursorResult[Any]", session.execute(statement)).rowcount

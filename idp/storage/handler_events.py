"""The history of handler authorisations: one row a step, shown to both sides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.storage.accounts import Account
from idp.storage.database import Base, Json, UtcDateTime


class HandlerEvent(Base):
    """A step: what was done, when, by whom, and how matters and validity stood after it."""

    __tablename__ = "handler_events"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    handler_authorization_id: Mapped[str] = mapped_column(ForeignKey("handler_authorizations.id"), index=True)
    event: Mapped[str] = mapped_column(String(32))  # the action of the audit event handler:…
    side: Mapped[str] = mapped_column(String(12))  # handler, enterprise, platform, system
    actor_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    matters: Mapped[list[str]] = mapped_column(Json)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason_code: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str | None] = mapped_column(Text)


def list_of_authorization(
    session: Session, authorization_id: str
) -> Sequence[tuple[HandlerEvent, str | None]]:
    """The steps of one authorisation, oldest first, each with the login name of who did it."""
    statement = (
        select(HandlerEvent, Account.login_name)
        .outerjoin(Account, Account.id == HandlerEvent.actor_id)
        .where(HandlerEvent.handler_authorization_id == authorization_id)
        .order_by(HandlerEvent.id)
    )
    return session.execute(statement).all()

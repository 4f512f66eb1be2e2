"""How Alembic runs our migrations: always on the connection that the program hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from idp.ephemeral import database as ephemeral
from idp.storage import (
    account_life,
    accounts,
    agreements,
    audit,
    authorizations,
    clients,
    database,
    enterprises,
    factors,
    handler_escalations,
    handler_events,
    handler_invitations,
    handler_reminders,
    handler_renewals,
    handlers,
    known_devices,
    outbox,
    phone_changes,
    scans,
    signals,
    upstream,
)

ROWS = (
    account_life,
    accounts,
    agreements,
    audit,
    authorizations,
    clients,
    enterprises,
    factors,
    handler_escalations,
    handler_events,
    handler_invitations,
    handler_reminders,
    handler_renewals,
    handlers,
    known_devices,
    outbox,
    phone_changes,
    scans,
    signals,
    upstream,
)  # imported for their tables
PLAIN = {database.UtcDateTime: "sa.DateTime(timezone=True)", database.Json: "sa.Text()"}


def _plain_type(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Write our column types as what they are in the database:
    a migration must not change with the program.
    """
    return PLAIN.get(type(item), False) if kind == "type" else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[database.Base.metadata, ephemeral.metadata],
    render_item=_plain_type,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()

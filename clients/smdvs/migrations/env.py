"""Alembic's environment: the connection comes from clients.smdvs.migrate."""

from __future__ import annotations

from alembic import context

from clients.smdvs.storage import (  # noqa: F401 # their import declares the tables
    accesses,
    attachments,
    drafts,
    exports,
    outbox,
    reports,
    seen,
    sessions,
)
from clients.smdvs.storage.database import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
# The caller owns the transaction, and the lock that comes with it.
context.run_migrations()

"""``flask --app wsgi db …``: the schema."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from idp.storage.database import db

commands = AppGroup("db", help="The database's schema.")


@commands.command("upgrade")
def upgrade() -> None:
    """Bring the schema to the newest revision."""
    from idp.storage import migrate  # noqa: PLC0415 - Alembic, which no worker of the server needs

    migrate.upgrade(db.engine)
    click.echo("The schema is current.")

"""``python -m clients.smdvs.migrate``: bring the database to the newest schema. Again and at
once are fine.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from clients.smdvs.config import ConfigError, Settings
from clients.smdvs.storage.database import Database

SCRIPTS = Path(__file__).parent / "migrations"
# Any number that nothing else in the same database uses.
ADVISORY_LOCK = 7_363_480_118


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration, without a file."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config


def upgrade(database: Database) -> None:
    """Run what is missing, in one transaction under a lock: a second starter waits, then finds
    nothing to do.
    """
    with database.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # The lock_timeout of ordinary work must not cut this wait short.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        command.upgrade(alembic_config(connection), "head")


def main() -> int:
    """Migrate the database of the environment's settings."""
    try:
        settings = Settings.from_env(os.environ)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    upgrade(Database(settings.database_url))
    return 0


if __name__ == "__main__":
    sys.exit(main())

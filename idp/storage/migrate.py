"""The schema's history: upgrade a database to the present one,
safely when several processes start at once.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

DIRECTORY = Path(__file__).resolve().parent.parent / "migrations"
LOCK = 7_241_100_615  # any number: PostgreSQL's advisory lock of "the schema is being changed"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(DIRECTORY))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest revision; a second process waits and finds it done."""
    mode = {"sqlite_begin": "EXCLUSIVE"} if engine.dialect.name == "sqlite" else {}
    with engine.execution_options(**mode).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        command.upgrade(_config(connection), "head")


def is_current(engine: Engine) -> bool:
    """Whether the database has the newest revision."""
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_heads()
    return set(present) == set(ScriptDirectory.from_config(_config()).get_heads())


def write_revision(engine: Engine, message: str, number: str) -> None:
    """For developers: a new revision file with the difference between the rows and the database."""
    with engine.begin() as connection:
        command.revision(_config(connection), message, autogenerate=True, rev_id=number)

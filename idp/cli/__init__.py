"""The operator's commands: ``flask --app wsgi …``."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import ScriptInfo

from idp import worker
from idp.cli import accounts, audit, clients, database, demonstration, enterprises, keys

GROUPS = (
    database.commands,
    clients.commands,
    keys.commands,
    audit.commands,
    accounts.commands,
    enterprises.commands,
    demonstration.commands,
)


def register(app: Flask) -> None:
    """Add the commands to ``app``."""
    for group in GROUPS:
        app.cli.add_command(group)
    app.cli.add_command(work)


@click.command("worker")
@click.pass_obj
def work(script: ScriptInfo) -> None:
    """Deliver the outbox, seal the audit trail, purge what has expired; until stopped."""
    worker.run(script.load_app())

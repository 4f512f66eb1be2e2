"""``flask --app wsgi audit …``: the audit trail."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from idp.cli.output import fail, platform
from idp.services import audit

commands = AppGroup("audit", help="The audit trail.")


@commands.command("verify")
def verify_audit() -> None:
    """Check the hash chain of the audit trail; exits with 1 at the first broken entry."""
    found = audit.verify(platform())
    if not found.ok:
        fail(f"The audit trail is broken ({found.reason}) at entry {found.broken_at or 'the end'}.")
    click.echo(f"The audit trail is whole: {found.sealed} entries sealed, {found.unsealed} not yet.")

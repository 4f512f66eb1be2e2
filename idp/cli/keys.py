"""``flask --app wsgi keys …``: signing and encryption keys."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from idp import clock
from idp.cli.output import ORIGIN, fail, platform
from idp.domain.errors import Refusal
from idp.keyring import ROTATABLE
from idp.services import keys

commands = AppGroup("keys", help="Signing and encryption keys.")


@commands.command("list")
def list_keys() -> None:
    """List the keys and what each is doing now."""
    for key in platform().keyring.list_keys(clock.now()):
        click.echo(f"{key.kid}\t{key.use}\t{key.algorithm}\t{key.state}\t{key.born_at:%Y-%m-%d %H:%M:%S}Z")


@commands.command("rotate")
@click.argument("algorithm", type=click.Choice(sorted(ROTATABLE)))
def rotate_key(algorithm: str) -> None:
    """Add a new key: published at once, signing after its lead; no restart is needed."""
    outcome = keys.rotate(platform(), algorithm, ORIGIN)
    if isinstance(outcome, Refusal):
        fail(outcome.code)
    click.echo(f"New {algorithm} key {outcome}.")


@commands.command("retire")
@click.argument("kid")
def retire_key(kid: str) -> None:
    """Remove a key that nothing needs any more."""
    refusal = keys.retire(platform(), kid, ORIGIN)
    if refusal:
        fail(f"{kid}: {refusal.code}")
    click.echo(f"{kid} is gone.")

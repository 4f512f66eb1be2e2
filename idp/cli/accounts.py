"""``flask --app wsgi accounts …``: people's accounts."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from idp.cli.output import ORIGIN, fail, platform
from idp.domain.errors import Refusal
from idp.services import accounts, factors, passwords

commands = AppGroup("accounts", help="People's accounts.")


@commands.command("temporary-password")
@click.argument("login_name")
def give_temporary_password(login_name: str) -> None:
    """Print a password that opens one sign-in within 24 hours, at which a new one has to be chosen."""
    account_id = accounts.find_account_id(platform(), login_name)
    if account_id is None:
        fail(f"There is no account {login_name}.")
    click.echo(passwords.give_temporary(platform(), account_id, ORIGIN))


@commands.command("reset-factors")
@click.argument("login_name")
def reset_factors(login_name: str) -> None:
    """Take an account's passkeys, one-time password and recovery codes away, and end its logins.

    For whoever has lost them all: make sure by other means who asks.
    """
    account_id = accounts.find_account_id(platform(), login_name)
    outcome = factors.reset(platform(), account_id or "", ORIGIN)
    if isinstance(outcome, Refusal):
        fail(f"There is no account {login_name} with such factors.")
    click.echo(f"{login_name} has no passkey and no one-time password any more ({outcome} removed).")

"""The operator's commands: ``flask --app wsgi …``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, cast

import click
from flask import Flask, current_app
from flask.cli import AppGroup, ScriptInfo

from idp import clock, worker
from idp.domain import identifiers
from idp.domain.audit import Origin
from idp.domain.errors import Refusal
from idp.keyring import ROTATABLE
from idp.services import (
    accounts,
    audit,
    client_registration,
    clients,
    demonstration,
    enterprise_status,
    factors,
    keys,
    passwords,
)
from idp.services.clients import RegisteredClient
from idp.services.platform import Platform
from idp.storage.database import db

ORIGIN = Origin(address="", user_agent="command line", request_id="")

database_commands = AppGroup("db", help="The database's schema.")
client_commands = AppGroup("clients", help="The client register.")
key_commands = AppGroup("keys", help="Signing and encryption keys.")
audit_commands = AppGroup("audit", help="The audit trail.")
account_commands = AppGroup("accounts", help="People's accounts.")
enterprise_commands = AppGroup("enterprises", help="Enterprises: closed, opened again, in other hands.")
demo_commands = AppGroup("demo", help="Demonstration data (development only).")


def register(app: Flask) -> None:
    """Add the commands to ``app``."""
    for group in (
        database_commands,
        client_commands,
        key_commands,
        audit_commands,
        account_commands,
        enterprise_commands,
        demo_commands,
    ):
        app.cli.add_command(group)
    app.cli.add_command(work)


def _platform() -> Platform:
    return cast("Platform", current_app.extensions["idp"])


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)


def _print(document: object) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def _explained(refusal: Refusal) -> str:
    lines = [
        f"{problem.field or 'request'}: {problem.detail.get('reason', problem.code)}"
        for problem in refusal.problems
    ]
    return "\n".join(lines)


@database_commands.command("upgrade")
def upgrade() -> None:
    """Bring the schema to the newest revision."""
    from idp.storage import migrate  # noqa: PLC0415 - Alembic, which no worker of the server needs

    migrate.upgrade(db.engine)
    click.echo("The schema is current.")


@client_commands.command("add")
@click.option(
    "--json",
    "source",
    type=click.File(encoding="utf-8"),
    required=True,
    help="A file, or - for standard input.",
)
def add_client(source: Any) -> None:
    """Register a client from RFC 7591 metadata; prints the registration, the secret in it this once."""
    try:
        metadata = json.load(source)
    except (ValueError, RecursionError) as error:
        _fail(f"This is not JSON: {error}")
    if not isinstance(metadata, dict):
        _fail("The metadata must be a JSON object.")
    outcome = clients.register(_platform(), metadata, ORIGIN)
    if isinstance(outcome, Refusal):
        _fail(_explained(outcome))
    _print(_registration(outcome))


def _registration(registered: RegisteredClient) -> dict[str, Any]:
    """The registration answer of RFC 7591 §3.2.1, with what an operator wants to know besides."""
    return registered.as_answer() | {"disabled": registered.disabled_at is not None}


@client_commands.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_clients(*, as_json: bool) -> None:
    """List every client."""
    registered = clients.list_clients(_platform())
    if as_json:
        _print([_registration(client) for client in registered])
        return
    for client in registered:
        state = "disabled" if client.disabled_at else "active"
        click.echo(f"{client.client_id}\t{state}\t{client.metadata['client_name']}")


@client_commands.command("show")
@click.argument("client_id")
def show_client(client_id: str) -> None:
    """Print one registration as JSON."""
    registered = clients.find_registration(_platform(), client_id)
    if registered is None:
        _fail(f"There is no client {client_id}.")
    _print(_registration(registered))


@client_commands.command("disable")
@click.argument("client_id")
def disable_client(client_id: str) -> None:
    """Stop serving a client."""
    refusal = clients.disable(_platform(), client_id, ORIGIN)
    if refusal:
        _fail(f"There is no client {client_id}.")
    click.echo(f"{client_id} is disabled.")


@client_commands.command("rotate-secret")
@click.argument("client_id")
def rotate_secret(client_id: str) -> None:
    """Give a client a new secret and print it, this once."""
    outcome = clients.rotate_secret(_platform(), client_id, ORIGIN)
    if isinstance(outcome, Refusal):
        _fail(f"{client_id}: {outcome.code}")
    _print(
        {
            "client_id": outcome.client_id,
            "client_secret": outcome.client_secret,
            "client_secret_expires_at": 0,
        }
    )


@client_commands.command("initial-access-token")
@click.option("--uses", default=1, show_default=True, help="How many clients may register with it.")
@click.option("--ttl", default=86_400, show_default=True, help="For how many seconds.")
def issue_initial_access_token(uses: int, ttl: int) -> None:
    """Print a token, this once, with which clients can register themselves (RFC 7591)."""
    outcome = client_registration.issue_initial_access_token(uses, ttl, ORIGIN)
    if isinstance(outcome, Refusal):
        _fail(_explained(outcome))
    click.echo(outcome)


@key_commands.command("list")
def list_keys() -> None:
    """List the keys and what each is doing now."""
    for key in _platform().keyring.list_keys(clock.now()):
        click.echo(f"{key.kid}\t{key.use}\t{key.algorithm}\t{key.state}\t{key.born_at:%Y-%m-%d %H:%M:%S}Z")


@key_commands.command("rotate")
@click.argument("algorithm", type=click.Choice(sorted(ROTATABLE)))
def rotate_key(algorithm: str) -> None:
    """Add a new key: published at once, signing after its lead; no restart is needed."""
    outcome = keys.rotate(_platform(), algorithm, ORIGIN)
    if isinstance(outcome, Refusal):
        _fail(outcome.code)
    click.echo(f"New {algorithm} key {outcome}.")


@key_commands.command("retire")
@click.argument("kid")
def retire_key(kid: str) -> None:
    """Remove a key that nothing needs any more."""
    refusal = keys.retire(_platform(), kid, ORIGIN)
    if refusal:
        _fail(f"{kid}: {refusal.code}")
    click.echo(f"{kid} is gone.")


@audit_commands.command("verify")
def verify_audit() -> None:
    """Check the hash chain of the audit trail; exits with 1 at the first broken entry."""
    found = audit.verify(_platform())
    if not found.ok:
        _fail(f"The audit trail is broken ({found.reason}) at entry {found.broken_at or 'the end'}.")
    click.echo(f"The audit trail is whole: {found.sealed} entries sealed, {found.unsealed} not yet.")


@account_commands.command("temporary-password")
@click.argument("login_name")
def give_temporary_password(login_name: str) -> None:
    """Print a password that opens one sign-in within 24 hours, at which a new one has to be chosen."""
    account_id = accounts.find_account_id(_platform(), login_name)
    if account_id is None:
        _fail(f"There is no account {login_name}.")
    click.echo(passwords.give_temporary(_platform(), account_id, ORIGIN))


@account_commands.command("reset-factors")
@click.argument("login_name")
def reset_factors(login_name: str) -> None:
    """Take an account's passkeys, one-time password and recovery codes away, and end its logins.

    For whoever has lost them all: make sure by other means who asks.
    """
    account_id = accounts.find_account_id(_platform(), login_name)
    outcome = factors.reset(_platform(), account_id or "", ORIGIN)
    if isinstance(outcome, Refusal):
        _fail(f"There is no account {login_name} with such factors.")
    click.echo(f"{login_name} has no passkey and no one-time password any more ({outcome} removed).")


@enterprise_commands.command("close")
@click.argument("uscc")
def close_enterprise(uscc: str) -> None:
    """Shut an enterprise out: all that was granted for it ends, its handlers are suspended."""
    _change_enterprise(uscc, enterprise_status.close, "is closed")


@enterprise_commands.command("reopen")
@click.argument("uscc")
def reopen_enterprise(uscc: str) -> None:
    """Let an enterprise act again; it has to confirm its handlers one by one."""
    _change_enterprise(uscc, enterprise_status.reopen, "is open")


@enterprise_commands.command("representative-changed")
@click.argument("uscc")
def change_representative(uscc: str) -> None:
    """Another legal representative: the enterprise signs in anew and confirms its handlers one by one."""
    _change_enterprise(uscc, enterprise_status.representative_changed, "has to confirm its handlers")


@enterprise_commands.command("check")
@click.argument("uscc")
def check_enterprise(uscc: str) -> None:
    """Ask the registers about an enterprise, and close it or suspend its handlers if they say so."""
    answer = enterprise_status.check(_platform(), identifiers.canonical(uscc), ORIGIN)
    if isinstance(answer, Refusal):
        _fail(f"There is no enterprise {uscc}.")
    click.echo(f"{uscc}: {answer or 'the registers can not tell'}")


def _change_enterprise(uscc: str, change: Callable[..., Refusal | None], done: str) -> None:
    code = identifiers.canonical(uscc)
    if change(_platform(), code, ORIGIN) is not None:
        _fail(f"There is no enterprise {uscc}.")
    click.echo(f"{code} {done}.")


@demo_commands.command("load")
@click.option("--smdvs-url", default="http://127.0.0.1:5001", show_default=True, help="Where smdvs answers.")
@click.option(
    "--smdvs-jwks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="smdvs's public keys, as `python -m clients.smdvs.keys` prints them.",
)
@click.option(
    "--smdvs-events",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the authorization header of smdvs's event stream, as `python -m clients.smdvs.events` "
    "prints it; without it no events are pushed to smdvs.",
)
def load_demonstration(smdvs_url: str, smdvs_jwks: Path, smdvs_events: Path | None) -> None:
    """Load the demonstration accounts, enterprises and smdvs's registration;
    a second time changes nothing.
    """
    platform = _platform()
    if not platform.settings.development:
        _fail("IDP_ENV: demonstration data is for development only.")
    header = smdvs_events.read_text(encoding="ascii").strip() if smdvs_events else None
    demonstration.load(platform, smdvs_url, json.loads(smdvs_jwks.read_text(encoding="utf-8")), header)
    click.echo("The demonstration data is there.")


@click.command("worker")
@click.pass_obj
def work(script: ScriptInfo) -> None:
    """Deliver the outbox, seal the audit trail, purge what has expired; until stopped."""
    worker.run(script.load_app())

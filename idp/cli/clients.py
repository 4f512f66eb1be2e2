"""``flask --app wsgi clients …``: the client register."""

from __future__ import annotations

import json
from typing import Any

import click
from flask.cli import AppGroup

from idp.cli.output import ORIGIN, explained, fail, platform, print_json
from idp.domain.errors import Refusal
from idp.services import client_registration, clients
from idp.services.clients import RegisteredClient

commands = AppGroup("clients", help="The client register.")


@commands.command("add")
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
        fail(f"This is not JSON: {error}")
    if not isinstance(metadata, dict):
        fail("The metadata must be a JSON object.")
    outcome = clients.register(platform(), metadata, ORIGIN)
    if isinstance(outcome, Refusal):
        fail(explained(outcome))
    print_json(_registration(outcome))


def _registration(registered: RegisteredClient) -> dict[str, Any]:
    """The registration answer of RFC 7591 §3.2.1, with what an operator wants to know besides."""
    return registered.as_answer() | {"disabled": registered.disabled_at is not None}


@commands.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_clients(*, as_json: bool) -> None:
    """List every client."""
    registered = clients.list_clients(platform())
    if as_json:
        print_json([_registration(client) for client in registered])
        return
    for client in registered:
        state = "disabled" if client.disabled_at else "active"
        click.echo(f"{client.client_id}\t{state}\t{client.metadata['client_name']}")


@commands.command("show")
@click.argument("client_id")
def show_client(client_id: str) -> None:
    """Print one registration as JSON."""
    registered = clients.find_registration(platform(), client_id)
    if registered is None:
        fail(f"There is no client {client_id}.")
    print_json(_registration(registered))


@commands.command("disable")
@click.argument("client_id")
def disable_client(client_id: str) -> None:
    """Stop serving a client."""
    refusal = clients.disable(platform(), client_id, ORIGIN)
    if refusal:
        fail(f"There is no client {client_id}.")
    click.echo(f"{client_id} is disabled.")


@commands.command("rotate-secret")
@click.argument("client_id")
def rotate_secret(client_id: str) -> None:
    """Give a client a new secret and print it, this once."""
    outcome = clients.rotate_secret(platform(), client_id, ORIGIN)
    if isinstance(outcome, Refusal):
        fail(f"{client_id}: {outcome.code}")
    print_json(
        {
            "client_id": outcome.client_id,
            "client_secret": outcome.client_secret,
            "client_secret_expires_at": 0,
        }
    )


@commands.command("initial-access-token")
@click.option("--uses", default=1, show_default=True, help="How many clients may register with it.")
@click.option("--ttl", default=86_400, show_default=True, help="For how many seconds.")
def issue_initial_access_token(uses: int, ttl: int) -> None:
    """Print a token, this once, with which clients can register themselves (RFC 7591)."""
    outcome = client_registration.issue_initial_access_token(uses, ttl, ORIGIN)
    if isinstance(outcome, Refusal):
        fail(explained(outcome))
    click.echo(outcome)

"""``flask --app wsgi demo …``: demonstration data."""

from __future__ import annotations

import json
from pathlib import Path

import click
from flask.cli import AppGroup

from idp.cli.output import fail, platform
from idp.services import demonstration

commands = AppGroup("demo", help="Demonstration data (development only).")


@commands.command("load")
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
    ours = platform()
    if not ours.settings.development:
        fail("IDP_ENV: demonstration data is for development only.")
    header = smdvs_events.read_text(encoding="ascii").strip() if smdvs_events else None
    demonstration.load(ours, smdvs_url, json.loads(smdvs_jwks.read_text(encoding="utf-8")), header)
    click.echo("The demonstration data is there.")

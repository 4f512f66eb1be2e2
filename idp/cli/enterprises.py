"""``flask --app wsgi enterprises …``: closed, opened again, in other hands."""

from __future__ import annotations

from collections.abc import Callable

import click
from flask.cli import AppGroup

from idp.cli.output import ORIGIN, fail, platform
from idp.domain import identifiers
from idp.domain.errors import Refusal
from idp.services import enterprise_status

commands = AppGroup("enterprises", help="Enterprises: closed, opened again, in other hands.")


@commands.command("close")
@click.argument("uscc")
def close_enterprise(uscc: str) -> None:
    """Shut an enterprise out: all that was granted for it ends, its handlers are suspended."""
    _change_enterprise(uscc, enterprise_status.close, "is closed")


@commands.command("reopen")
@click.argument("uscc")
def reopen_enterprise(uscc: str) -> None:
    """Let an enterprise act again; it has to confirm its handlers one by one."""
    _change_enterprise(uscc, enterprise_status.reopen, "is open")


@commands.command("representative-changed")
@click.argument("uscc")
def change_representative(uscc: str) -> None:
    """Another legal representative: the enterprise signs in anew and confirms its handlers one by one."""
    _change_enterprise(uscc, enterprise_status.representative_changed, "has to confirm its handlers")


@commands.command("check")
@click.argument("uscc")
def check_enterprise(uscc: str) -> None:
    """Ask the registers about an enterprise, and close it or suspend its handlers if they say so."""
    answer = enterprise_status.check(platform(), identifiers.canonical(uscc), ORIGIN)
    if isinstance(answer, Refusal):
        fail(f"There is no enterprise {uscc}.")
    click.echo(f"{uscc}: {answer or 'the registers can not tell'}")


def _change_enterprise(uscc: str, change: Callable[..., Refusal | None], done: str) -> None:
    code = identifiers.canonical(uscc)
    if change(platform(), code, ORIGIN) is not None:
        fail(f"There is no enterprise {uscc}.")
    click.echo(f"{code} {done}.")

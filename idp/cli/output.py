"""What the commands share: the platform they work on, how they answer, how they fail."""

from __future__ import annotations

import json
import sys
from typing import NoReturn, cast

import click
from flask import current_app

from idp.domain.audit import Origin
from idp.domain.errors import Refusal
from idp.services.platform import Platform

ORIGIN = Origin(address="", user_agent="command line", request_id="")


def platform() -> Platform:
    """The platform of the application that the command runs in."""
    return cast("Platform", current_app.extensions["idp"])


def fail(message: str) -> NoReturn:
    """End with the message on standard error and exit code 1."""
    click.echo(message, err=True)
    sys.exit(1)


def print_json(document: object) -> None:
    """A document as indented JSON."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def explained(refusal: Refusal) -> str:
    """One line for each problem, naming its field."""
    lines = [
        f"{problem.field or 'request'}: {problem.detail.get('reason', problem.code)}"
        for problem in refusal.problems
    ]
    return "\n".join(lines)

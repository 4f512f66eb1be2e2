"""The cookies of smdvs are the kit's, with our names and below our path."""

from __future__ import annotations

from flask import Response, current_app

from clients.smdvs.system import COOKIE_PREFIX, System

SESSION = f"{COOKIE_PREFIX}session"


def system() -> System:
    """The System of the application that serves this request."""
    found: System = current_app.extensions["smdvs"]
    return found


def drop(response: Response, name: str) -> None:
    """Take one of our cookies back."""
    system().rp.cookies.drop(response, name)


def csrf_valid(token: str) -> bool:
    """Whether a form's token belongs to this browser."""
    return system().rp.cookies.csrf_valid(token)

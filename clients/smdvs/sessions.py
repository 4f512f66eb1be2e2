"""The browser sessions of smdvs: the kit's, in our database."""

from __future__ import annotations

from datetime import datetime

from clients.rp.sessions import ABSOLUTE_TTL, IDLE_TTL, Person, SessionEnded
from clients.smdvs.storage.sessions import BrowserSession
from clients.smdvs.system import System

__all__ = ["ABSOLUTE_TTL", "IDLE_TTL", "Person", "SessionEnded", "access_token", "end", "find", "person"]


def find(system: System, cookie: str | None, now: datetime) -> BrowserSession | None:
    """The session of a cookie, if it is neither idle for too long nor too old."""
    found: BrowserSession | None = system.rp.sessions.find(cookie, now)
    return found


def person(system: System, row: BrowserSession) -> Person:
    """The name and phone that userinfo gave at sign-in; empty where it gave none."""
    return system.rp.sessions.person(row)


def access_token(system: System, row: BrowserSession) -> str | SessionEnded:
    """An access token with time left, renewed if need be. Raises ProviderUnavailable."""
    return system.rp.sessions.access_token(row)


def end(system: System, row: BrowserSession) -> None:
    """Sign this browser out here."""
    system.rp.sessions.end(row)

"""Tickets: what a person has proved on one page and needs on the next, for ten minutes, in one browser.

The cookie of the browser holds a random handle, the short-lived store what it stands for, sealed. A page
names its ticket by the hash of the handle, so that of two tabs each goes on with its own or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from flask import session as browser_session

from idp.crypto import DecryptionError, constant_time_equal, hash_token, random_token
from idp.web.session import platform

TICKET_TTL = timedelta(minutes=10)
TRIES = 20
CONTEXT = "ephemeral.ticket"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket that this browser holds: ``name`` is for the page, ``values`` are what was proved."""

    name: str
    values: Mapping[str, str]


def issue(use: str, values: Mapping[str, str]) -> Ticket:
    """A new ticket for this browser in place of a former one of the same use."""
    handle = random_token()
    sealed = platform().keyring.fields.encrypt(json.dumps(dict(values)), _context(use))
    platform().ephemeral.put(_key(use, handle), sealed.encode("ascii"), TICKET_TTL)
    browser_session[_cookie(use)] = handle
    return Ticket(_name(handle), values)


def find(use: str) -> Ticket | None:
    """The ticket of this browser; None when there is none, or it is used up or too old."""
    handle = _handle(use)
    return _opened(use, handle, platform().ephemeral.get(_key(use, handle))) if handle else None


def presented(use: str, name: str) -> Ticket | None:
    """The same, if it is the one that a page names; a page can be sent so many times."""
    ticket = find(use)
    if ticket is None or not constant_time_equal(ticket.name, name):
        return None
    tries = platform().ephemeral.hit(f"ticket-tries:{use}:{ticket.name}", TICKET_TTL)
    return ticket if tries.count <= TRIES else None


def take(use: str) -> Ticket | None:
    """Use the ticket of this browser up: of several that do it at once, one gets it."""
    handle = _handle(use)
    browser_session.pop(_cookie(use), None)
    return _opened(use, handle, platform().ephemeral.take(_key(use, handle))) if handle else None


def _opened(use: str, handle: str, sealed: bytes | None) -> Ticket | None:
    if sealed is None:
        return None
    try:
        text = platform().keyring.fields.decrypt(sealed.decode("ascii"), _context(use))
    except DecryptionError:
        return None
    return Ticket(_name(handle), json.loads(text))


def _handle(use: str) -> str:
    return str(browser_session.get(_cookie(use), ""))


def _name(handle: str) -> str:
    return hash_token(handle)


def _cookie(use: str) -> str:
    return f"ticket_{use}"


def _key(use: str, handle: str) -> str:
    return f"ticket:{use}:{handle}"


def _context(use: str) -> str:
    return f"{CONTEXT}:{use}"

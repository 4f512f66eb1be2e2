"""Who calls the JSON API: an access token as Bearer (RFC 6750) or with a DPoP proof (RFC 9449)."""

from __future__ import annotations

from datetime import datetime

from flask import abort

from clients.rp import clock
from clients.rp.entitlement import Reader, Reporter
from clients.rp.errors import Refusal
from clients.rp.flask.protection import shown
from clients.rp.presentation import Caller, caller_from
from clients.smdvs import access, problems
from clients.smdvs.cookies import system

__all__ = ["Caller", "caller", "reader", "reporter"]


def caller(now: datetime) -> Caller:
    """The token, checked as far as its signature goes; answers with the problem otherwise."""
    rp = system().rp
    found = caller_from(rp.gate, shown(rp.public_url), now, rp.first_use)
    if isinstance(found, Refusal):
        abort(problems.refused(found))
    return found


def reader() -> Reader:
    """Who reads; answers with the problem otherwise."""
    known = caller(clock.now())
    found = access.reader_from(system(), known.token, known.claims)
    if isinstance(found, Refusal):
        abort(problems.refused(found))
    return found


def reporter(known: Caller, enterprise: str | None = None, pointer: str | None = None) -> Reporter:
    """Who submits; ``enterprise`` is the one that the body names, at ``pointer``. Answers with the
    problem otherwise.
    """
    found = access.reporter_from(system(), known.token, known.claims, enterprise)
    if isinstance(found, Refusal):
        abort(problems.refused(found, pointer))
    return found

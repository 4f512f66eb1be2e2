"""What stands before every page: the session, and what the provider says of it now."""

from __future__ import annotations

from flask import Response, abort, make_response, redirect, request

from clients.rp import clock
from clients.rp.entitlement import Reader, Reporter
from clients.rp.errors import Refusal
from clients.smdvs import access, cookies, pages, sessions
from clients.smdvs.access import Reviewer
from clients.smdvs.cookies import system
from clients.smdvs.storage.sessions import BrowserSession


def find_session() -> BrowserSession | None:
    """The session of this browser."""
    return sessions.find(system(), request.cookies.get(cookies.SESSION), clock.now())


def session_or_login(then: str) -> BrowserSession:
    """The session; answers with the way to sign in otherwise."""
    row = find_session()
    if row is None:
        abort(make_response(redirect(f"{pages.HOME}login?then={then}", 303)))
    return row


def entitled(row: BrowserSession, enterprise: str | None = None) -> Reporter | Refusal:
    """Who submits. Raises ProviderUnavailable."""
    caller = system().rp.caller(row)
    if isinstance(caller, Refusal):
        return caller
    return access.reporter_from(system(), caller.token, caller.claims, enterprise)


def entitled_or_shut(row: BrowserSession) -> Reporter:
    """Who submits; answers with the refusal page otherwise. Raises ProviderUnavailable."""
    reporter = entitled(row)
    if isinstance(reporter, Refusal):
        abort(shut(row, reporter))
    return reporter


def reader(row: BrowserSession) -> Reader:
    """Who reads; answers with the refusal page otherwise. Raises ProviderUnavailable."""
    found = reader_or_refusal(row)
    if isinstance(found, Refusal):
        abort(shut(row, found))
    return found


def reader_or_refusal(row: BrowserSession) -> Reader | Refusal:
    """Who reads, for a page that everybody gets. Raises ProviderUnavailable."""
    caller = system().rp.caller(row)
    if isinstance(caller, Refusal):
        return caller
    return access.reader_from(system(), caller.token, caller.claims)


def reviewer(row: BrowserSession) -> Reviewer | Refusal:
    """Who acts as the regulator, asked of the provider at this moment. Raises ProviderUnavailable."""
    caller = system().rp.caller(row)
    if isinstance(caller, Refusal):
        return caller
    return access.reviewer_from(system(), caller.token, caller.claims)


def shut(row: BrowserSession, refusal: Refusal) -> Response:
    """The refusal page; a token that is no good ends the session that holds it."""
    if refusal.status == 401:
        sessions.end(system(), row)
        response = pages.refused(refusal)
        cookies.drop(response, cookies.SESSION)
        return response
    return pages.refused(refusal, session=row)

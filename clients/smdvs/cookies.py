"""The cookies of smdvs: the session, the anti-forgery secret, and a sealed sign-in in progress."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict

from flask import Response, current_app, g, request

from clients.rp.sealed import SealBroken
from clients.rp.sign_in import SIGN_IN_TTL, Pending
from clients.smdvs.system import System

SESSION = "smdvs_session"
CSRF = "smdvs_csrf"
SIGN_IN = "smdvs_sign_in_"
PATH = "/smdvs/"


def system() -> System:
    """The System of the application that serves this request."""
    found: System = current_app.extensions["smdvs"]
    return found


def put(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """Set one of our cookies: not for scripts, not for other sites' posts, not sent outside /smdvs/."""
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path=PATH,
        httponly=True,
        samesite="Lax",
        secure=system().settings.https,
    )


def drop(response: Response, name: str) -> None:
    """Take one of our cookies back."""
    response.delete_cookie(name, path=PATH, httponly=True, samesite="Lax", secure=system().settings.https)


def csrf_token() -> str:
    """The token for forms in this answer. Its secret is the browser's own and outlives a sign-in, so that a
    form

    left open while signing in again in another window can still be sent.
    """
    secret = g.get("csrf_secret") or request.cookies.get(CSRF)
    if not secret:
        secret = g.csrf_secret = secrets.token_urlsafe(32)
    return system().cookies.digest(secret, "csrf")


def csrf_valid(token: str) -> bool:
    """Whether a form's token belongs to this browser."""
    secret = request.cookies.get(CSRF)
    return bool(secret) and hmac.compare_digest(
        system().cookies.digest(secret or "", "csrf").encode(), token.encode()
    )


def put_csrf(response: Response) -> Response:
    """Give the browser the secret that this answer's forms were made with (an ``after_request`` hook)."""
    if "csrf_secret" in g:
        put(response, CSRF, g.csrf_secret)
    return response


def put_pending(response: Response, pending: Pending) -> None:
    """Let the browser carry its sign-in; each has a cookie of its own, so that two windows don't disturb each
    other.
    """
    sealed = system().cookies.seal(json.dumps(asdict(pending)), "sign_in")
    put(response, _sign_in_name(pending.state), sealed, int(SIGN_IN_TTL.total_seconds()))


def find_pending(state: str) -> Pending | None:
    """The sign-in that this browser began with that state."""
    try:
        return Pending(
            **json.loads(system().cookies.open(request.cookies.get(_sign_in_name(state), ""), "sign_in"))
        )
    except SealBroken:
        return None


def drop_pending(response: Response, state: str) -> None:
    """The sign-in is over, one way or the other."""
    drop(response, _sign_in_name(state))


def _sign_in_name(state: str) -> str:
    return SIGN_IN + hashlib.sha256(state.encode()).hexdigest()[:16]

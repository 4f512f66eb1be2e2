"""The browser's login: its cookie, who is signed in, where a request came from, and the Platform."""

from __future__ import annotations

import re
from typing import cast

from flask import Flask, Request, Response, abort, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from idp.crypto import random_id
from idp.domain.agreements import is_agreed
from idp.domain.assurance import CRYPTOGRAPHIC
from idp.domain.audit import LONGEST_USER_AGENT, Origin
from idp.domain.known_devices import DEVICE_TTL
from idp.services import authentication, known_devices, step_up
from idp.services.authentication import Authenticated, LoginView
from idp.services.known_devices import Meeting
from idp.services.platform import Platform
from idp.web.errors import Forbidden, StrongSignInNeeded
from idp.web.messages import device

OPEN_WITHOUT_AGREEING = frozenset({"agreements", "personal_data", "deletion", "step_up"})
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class PageSessions(SecureCookieSessionInterface):
    """The session cookie of one application, at no cost to a request without cookies.

    Programs at the token endpoint send none, and Flask would make a signer for each of their requests.
    """

    _signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The signer of the application's cookie, made once."""
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session in the cookie, or an empty one."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)


def register(app: Flask) -> None:
    """Let responses carry our cookies, and templates know who is signed in."""
    app.session_interface = PageSessions()
    app.after_request(_write_cookies)
    app.context_processor(lambda: {"login": current_login(), "development": platform().settings.development})


def platform() -> Platform:
    """The tools of the use cases; the one typed way to them from a request."""
    return cast(Platform, current_app.extensions["idp"])


def origin() -> Origin:
    """Where this request came from, for the audit trail."""
    if "origin" not in g:
        g.origin = Origin(
            address=request.remote_addr or "",
            user_agent=request.headers.get("User-Agent", "")[:LONGEST_USER_AGENT],
            request_id=request_id(),
        )
    return cast(Origin, g.origin)


def request_id() -> str:
    """The id that a proxy gave this request, if well formed; else a random one, the same throughout."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else random_id()
    return cast(str, g.request_id)


def is_secure() -> bool:
    """Whether people reach the platform by https; the issuer says so."""
    return platform().settings.issuer.startswith("https://")


def cookie_name() -> str:
    """The login cookie's name; browsers hold the prefix to Secure, Path=/ and no Domain (RFC 6265bis)."""
    return "__Host-login" if is_secure() else "login"


def current_login() -> LoginView | None:
    """The login of this browser, also one opened just now; looked up at most once a request."""
    if "login" not in g:
        token = _present_token()
        g.login = authentication.find_login(platform(), token) if token else None
        if g.login is not None and g.login.renewal_due:
            renew_token()
    return cast(LoginView | None, g.login)


def look_again() -> None:
    """What the login says has changed within this request: look it up when it is needed next."""
    g.pop("login", None)


def renew_token() -> None:
    """Give this browser's login a new token, in this response: after a change of what its account may do.

    Who acts gets it at once; where the change comes from somebody else (a reviewer, an administrator), the
    use case marks the logins, and each gets it with its next request.
    """
    token = _present_token()
    renewed = authentication.renew_token(token) if token else None
    if renewed is not None:
        g.login_cookie = renewed


def _present_token() -> str | None:
    """The token of this browser's login, also one that it gets with this response."""
    return g.get("login_cookie") or login_token()


def login_token() -> str | None:
    """The token in the login cookie, if it looks like one."""
    token = request.cookies.get(cookie_name(), "")
    return token if TOKEN.fullmatch(token) else None


def require_login() -> LoginView:
    """The login of this browser; without one the request ends at the sign-in page.

    Where the platform's own texts have changed since the person agreed, pages wait for that; what was just
    sent is not lost to it, and who doesn't agree may still take the data along and leave.
    """
    login = current_login()
    if login is None:
        abort(redirect(url_for("account.login"), 303))
    waits = request.method == "GET" and request.blueprint not in OPEN_WITHOUT_AGREEING
    if waits and not is_agreed(login.agreed_versions):
        abort(redirect(url_for("agreements.index", next=request.script_root + request.path), 303))
    return login


def require_administrator() -> LoginView:
    """The login of an administrator who signed in strongly enough; anyone else is told why not."""
    login = require_login()
    if login.platform_role != "administrator":
        raise Forbidden("administrators_only")
    if platform().settings.admin_acr == "2fa-crypto" and login.acr != CRYPTOGRAPHIC:
        raise StrongSignInNeeded
    return login


def sign_in(authenticated: Authenticated, *, registered: bool = False) -> None:
    """Open a new login in place of the old one; the response of this request carries its cookie.

    The CSRF value is renewed with it, so that nothing known before signing in is worth anything after.
    The account's phone is told of a browser that it has not signed in from before, unless it was
    ``registered`` here just now.
    """
    meeting = Meeting(device_token(), device(origin().user_agent), trusted=registered)
    g.device_cookie = known_devices.meet(platform(), authenticated.account_id, meeting, origin())
    _carry(authentication.begin_login(platform(), authenticated, origin(), replaces=_present_token()))


def renew(authenticated: Authenticated) -> None:
    """Let the login of this browser go on with what has just been shown, under a new token and CSRF value.

    If it has ended meanwhile, the request ends at the sign-in page.
    """
    token = step_up.renew(platform(), authenticated, _present_token() or "", origin())
    if token is None:
        abort(redirect(url_for("account.login"), 303))
    _carry(token)


def _carry(token: str) -> None:
    session.clear()
    g.pop("login", None)
    g.login_cookie = token


def sign_out() -> str | None:
    """End the login of this browser, with all that rests on it; the ``sid`` it had, if there was one."""
    login = current_login()
    if login is not None:
        authentication.end_login(platform(), login.sid, origin(), "logout")
    session.clear()
    g.login, g.login_cookie = None, ""
    return login.sid if login is not None else None


def device_token() -> str | None:
    """The token by which this browser is known, if it looks like one."""
    token = request.cookies.get(_device_cookie_name(), "")
    return token if TOKEN.fullmatch(token) else None


def _device_cookie_name() -> str:
    return "__Host-device" if is_secure() else "device"


def _write_cookies(response: Response) -> Response:
    token, known_as = g.get("login_cookie"), g.get("device_cookie")
    if token is not None:
        _set_cookie(response, cookie_name(), token, None if token else 0)
    if known_as is not None:
        _set_cookie(response, _device_cookie_name(), known_as, int(DEVICE_TTL.total_seconds()))
    return response


def _set_cookie(response: Response, name: str, value: str, max_age: int | None) -> None:
    """For this host alone, out of scripts' reach; ``max_age`` None: as long as the browser is open."""
    response.set_cookie(
        name, value, max_age=max_age, path="/", secure=is_secure(), httponly=True, samesite="Lax"
    )

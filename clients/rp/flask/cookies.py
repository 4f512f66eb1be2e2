"""The cookies of a relying party: the session, the anti-forgery secret, and a sealed sign-in in progress."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass

from flask import Response, g, request

from clients.rp.sealed import SealBroken, Sealer
from clients.rp.sign_in import SIGN_IN_TTL, Pending


@dataclass(frozen=True)
class Cookies:
    """Names begin with ``prefix``; ``path`` is where they are sent; ``secure`` where people come by https."""

    sealer: Sealer
    prefix: str
    path: str
    secure: bool

    @property
    def session(self) -> str:
        """The name of the session's cookie."""
        return f"{self.prefix}session"

    @property
    def csrf(self) -> str:
        """The name of the anti-forgery secret's cookie."""
        return f"{self.prefix}csrf"

    def put(self, response: Response, name: str, value: str, max_age: int | None = None) -> None:
        """Set a cookie: not for scripts, not for other sites' posts, not sent outside ``path``."""
        response.set_cookie(
            name,
            value,
            max_age=max_age,
            path=self.path,
            httponly=True,
            samesite="Lax",
            secure=self.secure,
        )

    def drop(self, response: Response, name: str) -> None:
        """Take a cookie back."""
        response.delete_cookie(name, path=self.path, httponly=True, samesite="Lax", secure=self.secure)

    def csrf_token(self) -> str:
        """The token for forms in this answer. Its secret is the browser's own and outlives a sign-in, so that
        a form left open while signing in again in another window can still be sent.
        """
        secret = g.get("csrf_secret") or request.cookies.get(self.csrf)
        if not secret:
            secret = g.csrf_secret = secrets.token_urlsafe(32)
        return self.sealer.digest(secret, "csrf")

    def csrf_valid(self, token: str) -> bool:
        """Whether a form's token belongs to this browser."""
        secret = request.cookies.get(self.csrf)
        return bool(secret) and hmac.compare_digest(
            self.sealer.digest(secret or "", "csrf").encode(), token.encode()
        )

    def put_csrf(self, response: Response) -> Response:
        """Give the browser the secret that this answer's forms were made with (an ``after_request`` hook)."""
        if "csrf_secret" in g:
            self.put(response, self.csrf, g.csrf_secret)
        return response

    def put_pending(self, response: Response, pending: Pending) -> None:
        """Let the browser carry its sign-in; each has a cookie of its own, so that two windows don't disturb
        each other.
        """
        sealed = self.sealer.seal(json.dumps(asdict(pending)), "sign_in")
        self.put(response, self._pending_name(pending.state), sealed, int(SIGN_IN_TTL.total_seconds()))

    def find_pending(self, state: str) -> Pending | None:
        """The sign-in that this browser began with that state."""
        try:
            sealed = request.cookies.get(self._pending_name(state), "")
            return Pending(**json.loads(self.sealer.open(sealed, "sign_in")))
        except SealBroken:
            return None

    def drop_pending(self, response: Response, state: str) -> None:
        """The sign-in is over, one way or the other."""
        self.drop(response, self._pending_name(state))

    def _pending_name(self, state: str) -> str:
        return f"{self.prefix}sign_in_{hashlib.sha256(state.encode()).hexdigest()[:16]}"

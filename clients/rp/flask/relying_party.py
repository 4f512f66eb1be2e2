"""One relying party as a Flask extension: sign-in, sign-out, events, and the protection of its views."""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask, request
from joserfc.jwk import ECKey

from clients.rp import clock, key_files
from clients.rp.client import Client
from clients.rp.discovery import Provider
from clients.rp.errors import Refusal
from clients.rp.flask import events, sign_in
from clients.rp.flask.cookies import Cookies
from clients.rp.flask.pages import Pages
from clients.rp.flask.protection import Protection, View
from clients.rp.gate import Gate
from clients.rp.liveness import REVOKED, Liveness
from clients.rp.presentation import Caller
from clients.rp.prover import Prover
from clients.rp.sealed import Sealer, derive
from clients.rp.session_store import MemoryStore, Store
from clients.rp.sessions import SessionEnded, Sessions
from clients.rp.transport import Transport

SCOPE = "openid profile enterprise handler"
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


class RelyingParty:
    """Registers ``login``, ``callback``, ``logout``, ``backchannel-logout`` and ``events`` below ``prefix``,
    and protects views (``protects``, ``signed_in``).

    Sign-in is the authorization code flow with PKCE S256 (RFC 7636), pushed where the provider takes that
    (RFC 9126), authenticated by ``private_key_jwt``, its tokens bound to a key (DPoP, RFC 9449). Three
    checks that Authlib's Flask client leaves out are made: ``iss`` of the authorization response (RFC 9207),
    that the ID token is for us (``aud`` and ``azp``, OpenID Connect Core §3.1.3.7), and that there is an ID
    token at all (Core §3.1.3.3). Metadata and keys come from discovery, are cached, and are asked for anew
    when the provider has new ones. Nothing is accepted while the provider can't be asked: 503 with
    ``Retry-After``.

    ``issuer``, ``client_id``: as registered; the issuer is compared character by character. ``key``: the
    private ES256 key that the client is registered with; ``dpop_key`` the one that tokens are bound to (None:
    the same). ``public_url``: where people reach us, without a slash at the end. ``secret_key``: at least 32
    random characters, the same in all processes. ``resource``: the identifier of our API, one of the
    registration's ``resources`` (None: ``public_url`` and ``prefix``). ``matters``: what we serve.
    ``store``: where sessions rest (None: in this process alone). ``sealer``: seals what rests there.
    ``then``: the path to go on with after sign-in, from the parameter of that name.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        issuer: str,
        client_id: str,
        key: ECKey,
        public_url: str,
        secret_key: str,
        dpop_key: ECKey | None = None,
        scope: str = SCOPE,
        prefix: str = "",
        home: str | None = None,
        resource: str | None = None,
        matters: Sequence[str] = (),
        store: Store[Any] | None = None,
        sealer: Sealer | None = None,
        cookie_prefix: str = "rp_",
        pages: Callable[[str, str], Pages] = Pages,
        then: Callable[[str], str] | None = None,
        ca_bundle: str | None = None,
    ) -> None:
        secret = secret_key.encode()
        self.scope, self.prefix, self.home = scope, prefix, home or f"{prefix}/"
        self.resource = resource or public_url + prefix
        self.public_url = public_url
        self.provider = Provider(issuer, Transport(ca_bundle))
        redirect_uri, signed_out_uri = f"{public_url}{prefix}/callback", public_url + self.home
        prover = Prover(dpop_key or key)
        self.client = Client(client_id, key, redirect_uri, signed_out_uri, prover)
        self.liveness = Liveness(self.provider, self.client)
        self.gate = Gate(self.provider, self.liveness, self.resource)
        self.cookies = Cookies(
            Sealer({"c": derive(secret, "cookies")}, "c", derive(secret, "csrf")),
            cookie_prefix,
            f"{prefix}/",
            public_url.startswith("https://"),
        )
        at_rest = sealer or Sealer({"s": derive(secret, "sessions")}, "s", derive(secret, "digests"))
        kept = MemoryStore() if store is None else store
        self.sessions: Sessions[Any] = Sessions(
            kept, at_rest, self.provider, self.client, self.liveness, tuple(matters)
        )
        self.events_authorization = events_authorization(secret_key)
        self.pages = pages(self.home, f"{prefix}/login")
        self.then = then or self._own_path
        self._protection = Protection(self)
        self._app: Flask | None = None
        if app is not None:
            self.init_app(app)

    @classmethod
    def from_env(
        cls, app: Flask | None = None, environ: Mapping[str, str] = os.environ, **more: Any
    ) -> RelyingParty:
        """From ``RP_ISSUER``, ``RP_CLIENT_ID``, ``RP_PUBLIC_URL``, ``RP_SECRET_KEY``, ``RP_KEY_FILE`` (a JWK
        file, made when it isn't there) and, if there are some, ``RP_SCOPE``, ``RP_CA_BUNDLE``; ``more`` as
        the constructor takes it. KeyError naming the variable that is missing.
        """
        key = key_files.signing_key(Path(environ["RP_KEY_FILE"]))
        given = {"scope": environ.get("RP_SCOPE", SCOPE), "ca_bundle": environ.get("RP_CA_BUNDLE"), **more}
        return cls(
            app,
            issuer=environ["RP_ISSUER"],
            client_id=environ["RP_CLIENT_ID"],
            public_url=environ["RP_PUBLIC_URL"].rstrip("/"),
            secret_key=environ["RP_SECRET_KEY"],
            key=key,
            **given,
        )

    def init_app(self, app: Flask) -> None:
        """Register the addresses, the anti-forgery cookie and ``csrf_token()`` for templates."""
        self._app = app
        app.register_blueprint(sign_in.blueprint(self))
        app.register_blueprint(events.blueprint(self))
        app.after_request(self.cookies.put_csrf)
        app.jinja_env.globals["csrf_token"] = self.cookies.csrf_token
        app.extensions["relying_party"] = self

    @property
    def public_jwks(self) -> dict[str, Any]:
        """The JWK Set to register, public parts only (RFC 7517 §5)."""
        return key_files.public_jwks(self.client.key)

    def session(self) -> Any:
        """The session of this request's browser, or None."""
        return self.sessions.find(request.cookies.get(self.cookies.session), clock.now())

    def caller(self, row: Any) -> Caller | Refusal:
        """What a session shows at our gate: its access token, renewed if need be, and that one's claims by
        signature and clock; ``authorisation_ended`` when the session is over. Raises ProviderUnavailable.
        """
        token = self.sessions.access_token(row)
        if isinstance(token, SessionEnded):
            return REVOKED
        claims = self.gate.claims_from(token, clock.now(), self.client.key_thumbprint)
        return claims if isinstance(claims, Refusal) else Caller(token, claims)

    def first_use(self, identifier_hash: str, now: datetime, expires_at: datetime) -> bool:
        """Whether a DPoP proof is shown for the first time (RFC 9449 §11.1)."""
        return self.sessions.store.once("dpop", identifier_hash, now, expires_at)

    def protects(self, **requirement: Any) -> Callable[[View], View]:
        """Protect a view for programs: see ``clients.rp.flask.protection.Requirement`` for what can be asked.

        The view gets who was admitted as its first argument.
        """
        return self._protection.of_programs(**requirement)

    def signed_in(self, **requirement: Any) -> Callable[[View], View]:
        """Protect a view for people: who isn't signed in is sent to sign in and comes back."""
        return self._protection.of_people(**requirement)

    def page(self, rule: str, **requirement: Any) -> Callable[[View], View]:
        """A page of the application at that address, protected by ``signed_in``."""
        return lambda view: self._added(rule, ["GET", "POST"], self.signed_in(**requirement)(view))

    def api(self, rule: str, methods: Sequence[str] = ("GET",), **requirement: Any) -> Callable[[View], View]:
        """A view of the application for programs at that address, protected by ``protects``."""
        return lambda view: self._added(rule, methods, self.protects(**requirement)(view))

    def _added(self, rule: str, methods: Sequence[str], view: View) -> View:
        if self._app is None:
            raise RuntimeError("init_app comes first")
        self._app.add_url_rule(self.prefix + rule, view_func=view, methods=list(methods))
        return view

    def _own_path(self, wanted: str) -> str:
        """A path of ours, and no other site's address."""
        own = _OWN_PATH.fullmatch(wanted) and wanted.startswith(self.prefix + "/")
        return wanted if own else self.home


def events_authorization(secret_key: str) -> str:
    """The ``authorization_header`` that our event stream is registered with (RFC 8935; SSF 1.0 §7.1.1):
    derived from the secret key and as good as it.
    """
    token = urlsafe_b64encode(derive(secret_key.encode(), "events")).rstrip(b"=").decode()
    return f"Bearer {token}"

"""Views behind the gate: programs show an access token, people have a session; both are checked alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Response, request

from clients.rp import clock, entitlement, step_up
from clients.rp.entitlement import Holder, Reporter
from clients.rp.errors import ProviderUnavailable, Refusal
from clients.rp.flask import sign_in
from clients.rp.flask.pages import problem, see_other, unavailable_problem
from clients.rp.presentation import Shown, caller_from
from clients.rp.step_up import Strength

if TYPE_CHECKING:
    from clients.rp.flask.relying_party import RelyingParty

View = Callable[..., Any]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
STEP_UP_ERROR = "insufficient_user_authentication"
STEP_UP_SECONDS = 300
ANY = Strength()


@dataclass(frozen=True)
class Requirement:
    """What a view asks of who comes: the OAuth ``scope``, and either that they act for an enterprise in
    ``matter`` (the view gets a ``Reporter``) or that they hold ``role`` (a ``Holder``).

    ``enterprise`` is the argument of the view, member of the JSON body or field of the form that names the
    enterprise, which must then be the token's. ``strength`` is asked of the sign-in (RFC 9470). ``fresh``
    says whether the provider is asked even if it was within the last second (None: unless the method is
    safe).
    ValueError when neither ``matter`` nor ``role`` is asked, or both.
    """

    scope: str = "openid"
    matter: str | None = None
    role: str | None = None
    enterprise: str | None = None
    strength: Strength = ANY
    fresh: bool | None = None

    def __post_init__(self) -> None:
        if (self.matter is None) == (self.role is None):
            raise ValueError("ask for a matter or for a role")

    def decide(
        self, claims: Mapping[str, Any], enterprise: str | None, now: datetime
    ) -> Reporter | Holder | Refusal:
        """Whether these claims are enough: pure."""
        entitled = self._entitled(claims, enterprise)
        return step_up.too_little(claims, self.strength, now) or entitled

    def _entitled(self, claims: Mapping[str, Any], enterprise: str | None) -> Reporter | Holder | Refusal:
        if self.matter is None:
            return entitlement.holder_from(claims, scope=self.scope, role=self.role or "")
        return entitlement.reporter_from(claims, scope=self.scope, matter=self.matter, enterprise=enterprise)


class Protection:
    """Makes the decorators of one relying party."""

    def __init__(self, rp: RelyingParty) -> None:
        self._rp = rp

    def of_programs(self, **requirement: Any) -> Callable[[View], View]:
        """401, 403 or 503 as problem details with challenges, or the view."""
        return self._decorator(Requirement(**requirement), self._program)

    def of_people(self, **requirement: Any) -> Callable[[View], View]:
        """The way to sign in, a page that says why not, or the view."""
        return self._decorator(Requirement(**requirement), self._person)

    def _decorator(
        self, needed: Requirement, door: Callable[[Requirement, View, Mapping[str, Any]], Any]
    ) -> Callable[[View], View]:
        def decorate(view: View) -> View:
            @wraps(view)
            def guarded(**arguments: Any) -> Any:
                return door(needed, view, arguments)

            return guarded

        return decorate

    def _program(self, needed: Requirement, view: View, arguments: Mapping[str, Any]) -> Any:
        try:
            admitted = self._calling(needed, arguments)
            if isinstance(admitted, Refusal):
                return problem(admitted, self._rp.client.client_id)
            return view(admitted, **arguments)
        except ProviderUnavailable as error:
            sign_in.logger.warning("provider unavailable: %s", error)
            return unavailable_problem()

    def _calling(self, needed: Requirement, arguments: Mapping[str, Any]) -> Reporter | Holder | Refusal:
        now = clock.now()
        caller = caller_from(self._rp.gate, shown(self._rp.public_url), now, self._rp.first_use)
        if isinstance(caller, Refusal):
            return caller
        return self._admitted(needed, caller.token, caller.claims, arguments, now)

    def _person(self, needed: Requirement, view: View, arguments: Mapping[str, Any]) -> Any:
        try:
            row = self._rp.session()
            if row is None:
                return self._to_sign_in()
            if request.method not in SAFE and not self._rp.cookies.csrf_valid(_csrf_token()):
                return self._rp.pages.forged()
            admitted = self._of_session(needed, row, arguments)
            if isinstance(admitted, Refusal):
                return self._shut(row, admitted)
            return view(admitted, **arguments)
        except ProviderUnavailable as error:
            return sign_in.unavailable(self._rp, error)

    def _of_session(
        self, needed: Requirement, row: Any, arguments: Mapping[str, Any]
    ) -> Reporter | Holder | Refusal:
        caller = self._rp.caller(row)
        if isinstance(caller, Refusal):
            return caller
        return self._admitted(needed, caller.token, caller.claims, arguments, clock.now())

    def _admitted(
        self,
        needed: Requirement,
        token: str,
        claims: Mapping[str, Any],
        arguments: Mapping[str, Any],
        now: datetime,
    ) -> Reporter | Holder | Refusal:
        fresh = request.method not in SAFE if needed.fresh is None else needed.fresh
        named = _named(needed.enterprise, arguments)
        return self._rp.gate.admit(token, claims, lambda known: needed.decide(known, named, now), fresh=fresh)

    def _to_sign_in(self) -> Response:
        return see_other(f"{self._rp.prefix}/login?then={quote(self._here(), safe='')}")

    def _here(self) -> str:
        """Where to go on after sign-in; what a form held is gone with its page."""
        return request.full_path.rstrip("?") if request.method in SAFE else self._rp.home

    def _shut(self, row: Any, refusal: Refusal) -> Response:
        """A refusal page; a token that is no good ends the session that holds it."""
        if refusal.error == STEP_UP_ERROR:
            return self._step_up(row, refusal)
        if refusal.status != 401:
            return self._rp.pages.refused(refusal, row)
        self._rp.sessions.end(row)
        response = self._rp.pages.refused(refusal, None)
        self._rp.cookies.drop(response, self._rp.cookies.session)
        return response

    def _step_up(self, row: Any, refusal: Refusal) -> Response:
        """Have the person sign in as is needed (RFC 9470 §4), once: a provider that doesn't do it is not
        asked for ever.
        """
        cookies = self._rp.cookies
        asked = f"{cookies.prefix}step_up"
        if asked in request.cookies:
            response = self._rp.pages.refused(refusal, row)
            cookies.drop(response, asked)
            return response
        response = sign_in.begin(self._rp, self._here(), _wanted(refusal))
        cookies.put(response, asked, "1", STEP_UP_SECONDS)
        return response


def shown(public_url: str) -> Shown:
    """What this request shows. Its address is what people use, not what a proxy made of it."""
    return Shown(
        request.headers.get("Authorization", ""),
        request.headers.getlist("DPoP"),
        request.method,
        public_url + request.path,
    )


def _wanted(refusal: Refusal) -> dict[str, str]:
    acr_values = {"acr_values": " ".join(refusal.acr_values)} if refusal.acr_values else {}
    return acr_values | ({} if refusal.max_age is None else {"max_age": str(refusal.max_age)})


def _csrf_token() -> str:
    return request.form.get("csrf_token", "")


def _named(name: str | None, arguments: Mapping[str, Any]) -> str | None:
    """The enterprise that the request names, if it names one."""
    if name is None:
        return None
    body = request.get_json(silent=True) if request.is_json else request.form
    value = arguments.get(name) or (body.get(name) if isinstance(body, Mapping) else None)
    return value.strip().upper() if isinstance(value, str) else None

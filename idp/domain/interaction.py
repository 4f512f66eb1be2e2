"""What must happen next before an authorization request can be answered: one pure decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from idp.domain import assurance
from idp.domain.claims import HANDLER, LEGAL_PERSON, handler_scope
from idp.domain.clients import Client

PROMPTS = frozenset({"none", "login", "consent", "select_account"})


@dataclass(frozen=True, slots=True)
class Acting:
    """One enterprise that an account may act for, and why:
    as its legal-person account or by an authorisation.
    """

    enterprise_id: str
    enterprise_credit_code: str
    enterprise_name: str
    account_type: str
    handler_authorization_id: str | None
    matters: tuple[str, ...]
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The browser session that a request meets; ``sub`` is what the client calls the person, ``has_factor``
    tells that the person could have signed in strongly.
    """

    account_id: str
    sub: str
    sid: str
    auth_time: int
    created_at: datetime
    acr: str
    default_enterprise_id: str | None
    has_factor: bool = False
    agreed: bool = True  # to the platform's own texts of today


@dataclass(frozen=True, slots=True)
class Asked:
    """What the request asks of the interaction, and what the person has answered so far within it.

    ``hinted_subs`` are the persons, as the client calls them, whom alone the answer may be about;
    ``pinned_enterprises`` the credit codes of which one must be acted for (None: any; empty: there is none),
    ``matters`` what must be covered then. ``enterprise`` is the credit code chosen on the page ("" is
    oneself, None is not yet); ``consented`` tells that the person has just agreed.
    """

    received_at: datetime
    scopes: frozenset[str]
    prompts: frozenset[str] = frozenset()
    max_age: int | None = None
    hinted_subs: frozenset[str] = frozenset()
    acr_values: tuple[str, ...] = ()
    acr_essential: bool = False
    pinned_enterprises: frozenset[str] | None = None
    matters: frozenset[str] = frozenset()
    enterprise: str | None = None
    consented: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """What this account has allowed this client before:
    scopes by enterprise id ("" is oneself), the latest first.
    """

    scopes_by_enterprise: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogIn:
    """Show the sign-in page."""


@dataclass(frozen=True, slots=True)
class StepUp:
    """Show the sign-in page again: the person has signed in, but not strongly enough."""


@dataclass(frozen=True, slots=True)
class ChooseEnterprise:
    """Ask which enterprise to act for; ``may_act_as_self`` offers to act for none."""

    candidates: tuple[Acting, ...]
    may_act_as_self: bool
    preselected: str | None


@dataclass(frozen=True, slots=True)
class Consent:
    """Ask for consent to act for ``acting`` (None: oneself)."""

    acting: Acting | None


@dataclass(frozen=True, slots=True)
class Agree:
    """The platform's own texts have changed since the person agreed to them."""


@dataclass(frozen=True, slots=True)
class TurnAway:
    """The client serves enterprises only and this person acts for none:
    a page says how to become a handler.
    """


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer with a code; the grant acts for ``acting`` (None: oneself)."""

    acting: Acting | None


@dataclass(frozen=True, slots=True)
class Fail:
    """Answer the client with this OAuth or OIDC error code."""

    error: str
    description: str


Step = LogIn | StepUp | Agree | ChooseEnterprise | Consent | TurnAway | Respond | Fail
_CODES: Mapping[type[Step], Fail] = {
    LogIn: Fail("login_required", "The person is not signed in, or must sign in again"),
    StepUp: Fail("login_required", "The person must sign in more strongly"),
    Agree: Fail("interaction_required", "The person must agree to the platform's terms"),
    ChooseEnterprise: Fail("interaction_required", "The person must choose an enterprise to act for"),
    Consent: Fail("consent_required", "The person must consent"),
    TurnAway: Fail("access_denied", "The person can act for no enterprise at this client"),
}


def next_step(
    asked: Asked,
    client: Client,
    login: SignedIn | None,
    candidates: tuple[Acting, ...],
    remembered: Remembered,
    now: datetime,
) -> Step:
    """The one thing to do next (OIDC Core 3.1.2.1, 3.1.2.4; claims.md).

    ``candidates`` are authorisations in force at ``now``.
    With ``prompt=none`` a page becomes the error that names it.
    """
    step = _next_page_or_answer(asked, client, login, candidates, remembered, now)
    return _CODES.get(type(step), step) if "none" in asked.prompts else step


def _next_page_or_answer(
    asked: Asked,
    client: Client,
    login: SignedIn | None,
    candidates: tuple[Acting, ...],
    remembered: Remembered,
    now: datetime,
) -> Step:
    if login is None or _must_sign_in(asked, client, login, now):
        return LogIn()
    stronger = _strength(asked, login)
    if stronger is not None:
        return stronger
    if not login.agreed:
        return Agree()
    chosen = _choose(asked, client, login, candidates, remembered)
    if not isinstance(chosen, Respond):
        return chosen
    if _must_consent(asked, chosen.acting, remembered):
        return Consent(chosen.acting)
    return chosen


def _must_sign_in(asked: Asked, client: Client, login: SignedIn, now: datetime) -> bool:
    if asked.hinted_subs - {login.sub}:
        return True
    if _just_signed_in(asked, login):
        return False  # asking again would loop
    max_age = asked.max_age if asked.max_age is not None else client.default_max_age
    too_old = max_age is not None and now - datetime.fromtimestamp(login.auth_time, now.tzinfo) >= timedelta(
        seconds=max(max_age, 0)
    )
    return too_old or bool(asked.prompts & {"login", "select_account"})


def _just_signed_in(asked: Asked, login: SignedIn) -> bool:
    """Within this very request."""
    return login.created_at >= asked.received_at


def is_strong_enough(asked: Asked, acr: str) -> bool:
    """Whether a sign-in meets one of the asked ``acr`` values, if any is asked."""
    return not asked.acr_values or assurance.is_met(acr, asked.acr_values)


def _strength(asked: Asked, login: SignedIn) -> Step | None:
    """What to do about a sign-in that meets none of the asked ``acr`` values; None when nothing.

    The sign-in page says once what is needed and how to get it. After that a voluntary value is let go; an
    essential one is asked for again of whoever has the factor, and fails the request for anybody else (OIDC
    Core 5.5.1.1, Unmet Authentication Requirements 1.0).
    """
    if is_strong_enough(asked, login.acr):
        return None
    if assurance.is_reachable(asked.acr_values):
        again = asked.acr_essential and login.has_factor
        if again or not _just_signed_in(asked, login):
            return StepUp()
    if asked.acr_essential:
        return Fail("unmet_authentication_requirements", "The person can't sign in as strongly as required")
    return None


def _choose(
    asked: Asked, client: Client, login: SignedIn, candidates: tuple[Acting, ...], remembered: Remembered
) -> Step:
    """Which enterprise the grant acts for: Respond(acting), or the step or error in its place."""
    if asked.pinned_enterprises is not None:
        return _pinned(asked, client, candidates)
    if not concerns_enterprises(asked.scopes, client):
        return Respond(None)
    viable = tuple(acting for acting in candidates if serves(client, acting))
    return _among(viable, asked, client, login, remembered) if viable else _without_any(client, candidates)


def _among(
    viable: tuple[Acting, ...], asked: Asked, client: Client, login: SignedIn, remembered: Remembered
) -> Step:
    if asked.enterprise is not None:
        return _picked(asked.enterprise, client, viable)
    if len(viable) == 1:
        return Respond(viable[0])
    preferred = _preferred(login, viable, remembered)
    if "none" in asked.prompts and preferred is not None:
        return Respond(preferred)
    return ChooseEnterprise(
        viable,
        may_act_as_self=not client.require_enterprise,
        preselected=preferred.enterprise_credit_code if preferred else None,
    )


def concerns_enterprises(scopes: frozenset[str], client: Client) -> bool:
    """Whether a grant of these scopes at this client acts for an enterprise at all."""
    return client.require_enterprise or bool(scopes & {"enterprise", "handler"})


def serves(client: Client, acting: Acting) -> bool:
    """Whether ``acting`` leaves something to act on at this client (claims.md, rule 2)."""
    return acting.account_type == LEGAL_PERSON or bool(handler_scope(acting.matters, client.matters))


def covers(acting: Acting, matters: frozenset[str]) -> bool:
    """Whether ``acting`` reaches as far as these matters; an enterprise's own account does in all."""
    return acting.account_type == LEGAL_PERSON or matters <= set(acting.matters)


def _pinned(asked: Asked, client: Client, candidates: tuple[Acting, ...]) -> Step:
    pinned = asked.pinned_enterprises or frozenset()
    for acting in candidates:
        if (
            acting.enterprise_credit_code in pinned
            and serves(client, acting)
            and covers(acting, asked.matters)
        ):
            return Respond(acting)
    return Fail("access_denied", "The person can't act for the requested enterprise at this client")


def _without_any(client: Client, candidates: tuple[Acting, ...]) -> Step:
    if client.require_enterprise:
        return TurnAway()
    if client.matters and any(acting.account_type == HANDLER for acting in candidates):
        return Fail("access_denied", "No handler authorisation covers a matter that this client serves")
    return Respond(None)


def _picked(enterprise: str, client: Client, viable: tuple[Acting, ...]) -> Step:
    if not enterprise and not client.require_enterprise:
        return Respond(None)
    for acting in viable:
        if acting.enterprise_credit_code == enterprise:
            return Respond(acting)
    return ChooseEnterprise(viable, may_act_as_self=not client.require_enterprise, preselected=None)


def _preferred(login: SignedIn, viable: tuple[Acting, ...], remembered: Remembered) -> Acting | None:
    """The enterprise last consented for this client, else the account's default (contract.md,
    acting enterprise).
    """
    by_id = {acting.enterprise_id: acting for acting in viable}
    for enterprise_id in (*remembered.scopes_by_enterprise, login.default_enterprise_id):
        if enterprise_id in by_id:
            return by_id[enterprise_id]
    return None


def _must_consent(asked: Asked, acting: Acting | None, remembered: Remembered) -> bool:
    if asked.consented:
        return False
    if "consent" in asked.prompts:
        return True
    allowed = remembered.scopes_by_enterprise.get(acting.enterprise_id if acting else "")
    return allowed is None or not asked.scopes <= allowed

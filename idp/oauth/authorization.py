"""The authorization endpoint: find out what is asked, keep it while pages are shown, answer it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from idp import clock, crypto
from idp.domain import agreements, assurance, authorization_details
from idp.domain.clients import Client, redirect_uri_matches
from idp.domain.interaction import Acting, SignedIn, Step, is_strong_enough, next_step
from idp.oauth import answers, pushed_requests, request_objects
from idp.oauth.answers import Answer, Fault, PageError, Recipient
from idp.oauth.authorization_request import (
    MAX_STATE,
    AuthorizationRequest,
    as_bytes,
    from_bytes,
    response_mode_of,
    validate,
)
from idp.oauth.requests import RepeatedParameters
from idp.services import authorizations, clients, consents, factors, handlers, subjects
from idp.services.authentication import LoginView
from idp.services.authorizations import NewAuthorization
from idp.services.platform import Platform

PENDING_TTL: Final = timedelta(minutes=30)


def read(platform: Platform, parameters: RepeatedParameters) -> AuthorizationRequest | Answer | PageError:
    """The request that these parameters make or refer to (RFC 6749 §4.1.1, RFC 9101, RFC 9126).

    Until client and redirect URI are known to belong together only a page may say what is wrong (RFC 6749
    §4.1.2.1); after that every error goes to the client.
    """
    client = _client_of(platform, parameters)
    if isinstance(client, PageError):
        return client
    if parameters.get("request_uri", "").startswith(pushed_requests.PREFIX):
        return _pushed(platform, client, parameters)
    now = clock.now()
    unpacked = request_objects.unpacked(platform, client, parameters, now)
    addressed = parameters if isinstance(unpacked, Fault) else unpacked
    to = _recipient(client, addressed)
    if isinstance(to, PageError):
        return PageError("request", unpacked.error) if isinstance(unpacked, Fault) else to
    outcome = unpacked if isinstance(unpacked, Fault) else _directly(platform, client, unpacked, now)
    return answers.refuse(platform, to, outcome, now) if isinstance(outcome, Fault) else outcome


def _client_of(platform: Platform, parameters: RepeatedParameters) -> Client | PageError:
    fault = _page_error(parameters, "client_id")
    if fault is not None:
        return fault
    return clients.find_client(platform, parameters["client_id"]) or PageError("client_id", "unknown")


def _page_error(parameters: RepeatedParameters, name: str) -> PageError | None:
    if name in parameters.repeated:
        return PageError(name, "repeated")
    return None if name in parameters else PageError(name, "missing")


def _pushed(
    platform: Platform, client: Client, parameters: RepeatedParameters
) -> AuthorizationRequest | PageError:
    """What was pushed counts, whatever else stands here (RFC 9126 §4)."""
    if "request_uri" in parameters.repeated:
        return PageError("request_uri", "repeated")
    return pushed_requests.find(platform, client, parameters["request_uri"]) or PageError(
        "request_uri", "unknown"
    )


def _recipient(client: Client, parameters: RepeatedParameters) -> Recipient | PageError:
    """Where an answer may go."""
    fault = _page_error(parameters, "redirect_uri")
    if fault is not None:
        return fault
    redirect_uri, state = parameters["redirect_uri"], parameters.get("state")
    if not redirect_uri_matches(client, redirect_uri):
        return PageError("redirect_uri", "unregistered")
    mode = response_mode_of(client, parameters)
    return Recipient(
        client,
        redirect_uri,
        mode if mode in answers.RESPONSE_MODES else "query",
        state if state is not None and len(state) <= MAX_STATE else None,
    )


def _directly(
    platform: Platform, client: Client, parameters: RepeatedParameters, now: datetime
) -> AuthorizationRequest | Fault:
    """A request that was not pushed."""
    if client.require_pushed_authorization_requests:
        return Fault("invalid_request", "The client must push its requests (RFC 9126)")
    return validate(platform, client, parameters, now)


def refuse(
    platform: Platform, client: Client, request: AuthorizationRequest, error: str, description: str
) -> Answer:
    """An error answer (RFC 6749 §4.1.2.1) with ``iss`` (RFC 9207)."""
    return answers.refuse(platform, _to(client, request), Fault(error, description), clock.now())


def _to(client: Client, request: AuthorizationRequest) -> Recipient:
    return Recipient(client, request.redirect_uri, request.response_mode, request.state)


# --- between pages
# --------------------------------------------------------------------------------------------------


def store(platform: Platform, request: AuthorizationRequest) -> str:
    """Keep a request while its pages are shown; the answer is the id that the pages carry."""
    request_id = crypto.random_token()
    save(platform, request_id, request)
    return request_id


def save(platform: Platform, request_id: str, request: AuthorizationRequest) -> None:
    """Put back a request with what the person has answered."""
    platform.ephemeral.put(_key(request_id), as_bytes(request), PENDING_TTL)


def find(platform: Platform, request_id: str) -> AuthorizationRequest | None:
    """The stored request; None when it is unknown, answered or too old."""
    stored = platform.ephemeral.get(_key(request_id))
    return None if stored is None else from_bytes(stored)


def use_up(platform: Platform, request: AuthorizationRequest, request_id: str | None) -> bool:
    """Whether this is the one answer to a request: of two clicks, or two tabs, at once one gets it."""
    if request_id is not None and platform.ephemeral.take(_key(request_id)) is None:
        return False
    return request.pushed_id is None or pushed_requests.use_up(platform, request.pushed_id, PENDING_TTL)


def _key(request_id: str) -> str:
    return f"authorization_request:{crypto.hash_token(request_id)}"


# --- deciding and answering
# -----------------------------------------------------------------------------------------


def decide(
    platform: Platform, request: AuthorizationRequest, client: Client, login: LoginView | None, now: datetime
) -> Step:
    """The next step of the interaction, from what is true in the database at this moment."""
    if login is None:
        return next_step(request.asked(), client, None, (), consents.NOTHING, now)
    asked = request.asked()
    signed_in = SignedIn(
        account_id=login.account_id,
        sub=subjects.sub_of(platform, client, login.account_id),
        sid=login.sid,
        auth_time=login.auth_time,
        created_at=login.created_at,
        acr=login.acr,
        default_enterprise_id=login.default_enterprise_id,
        has_factor=not is_strong_enough(asked, login.acr) and factors.has_factor(login.account_id),
        agreed=agreements.is_agreed(login.agreed_versions),
    )
    candidates = tuple(handlers.acting_candidates(platform, login.account_id, now))
    remembered = consents.remembered(login.account_id, client.client_id)
    return next_step(asked, client, signed_in, candidates, remembered, now)


def respond(
    platform: Platform,
    request: AuthorizationRequest,
    client: Client,
    login: LoginView,
    acting: Acting | None,
    now: datetime,
) -> Answer:
    """A code for what was agreed (RFC 6749 §4.1.2)."""
    code = authorizations.issue(platform, agreed(request, client, login, acting), now)
    return answers.answer(platform, _to(client, request), {"code": code}, now)


def agreed(
    request: AuthorizationRequest, client: Client, login: LoginView, acting: Acting | None
) -> NewAuthorization:
    """What the person has agreed on."""
    return NewAuthorization(
        client=client,
        login=login,
        acr=assurance.reported(login.acr, request.acr_values),
        acting=acting,
        scopes=request.scopes,
        requested=request.requested,
        resources=request.resources,
        details=_granted(request, acting),
        nonce=request.nonce,
        redirect_uri=request.redirect_uri,
        code_challenge=request.code_challenge,
        dpop_jkt=request.dpop_jkt,
    )


def _granted(request: AuthorizationRequest, acting: Acting | None) -> authorization_details.Details:
    """The authorization details, which pinned ``acting``, with what they rest on."""
    if acting is None:
        return ()
    return authorization_details.granted(request.details, acting.handler_authorization_id, acting.valid_until)

"""The authorization endpoint: read a request, keep it while pages are shown, answer it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import orjson

from idp import clock, crypto
from idp.domain.claims import RequestedClaims, parse_claims_parameter
from idp.domain.clients import Client, redirect_uri_matches
from idp.domain.errors import Refusal
from idp.domain.interaction import PROMPTS, Acting, Asked, SignedIn, Step, next_step
from idp.oauth import tokens
from idp.oauth.metadata import RESPONSE_MODES
from idp.oauth.requests import RepeatedParameters
from idp.services import authorizations, clients, consents, handlers
from idp.services.authentication import LoginView
from idp.services.authorizations import NewAuthorization
from idp.services.platform import Platform

PENDING_TTL: Final = timedelta(minutes=30)
MAX_STATE: Final = 4096
MAX_NONCE: Final = 512
MAX_HINT: Final = 200
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A valid authorization request, and what the person has answered so far (``enterprise``,
    ``consented``).
    """

    client_id: str
    redirect_uri: str
    response_mode: str
    state: str | None
    scopes: frozenset[str]
    nonce: str | None
    code_challenge: str
    prompts: frozenset[str]
    max_age: int | None
    login_hint: str | None
    hinted_account_id: str | None
    requested: RequestedClaims
    received_at: datetime
    enterprise: str | None = None
    consented: bool = False

    def asked(self) -> Asked:
        """What the interaction needs to know of this request."""
        return Asked(
            received_at=self.received_at,
            scopes=self.scopes | self.requested.scopes,
            prompts=self.prompts,
            max_age=self.max_age,
            hinted_account_id=self.hinted_account_id,
            pinned_enterprises=self.requested.enterprises,
            enterprise=self.enterprise,
            consented=self.consented,
        )


@dataclass(frozen=True, slots=True)
class PageError:
    """A request that can't be answered to anyone but the person: which ``parameter`` is wrong, and how."""

    parameter: str
    code: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the client: parameters for ``redirect_uri`` in the asked ``response_mode``."""

    redirect_uri: str
    response_mode: str
    parameters: Mapping[str, str]

    @property
    def location(self) -> str:
        """The redirect of ``response_mode=query``; a query that the URI has already is kept."""
        separator = "&" if urlsplit(self.redirect_uri).query else "?"
        return f"{self.redirect_uri.rstrip('?')}{separator}{urlencode(self.parameters)}"


@dataclass(frozen=True, slots=True)
class _Fault:
    error: str
    description: str


def read(platform: Platform, parameters: RepeatedParameters) -> AuthorizationRequest | Answer | PageError:
    """Validate a request (OIDC Core 3.1.2.2, RFC 6749 §4.1.1).

    Until client and redirect URI are known to belong together only a page may say what is wrong (RFC 6749
    §4.1.2.1); after that every error goes to the client.
    """
    client = _client_of(platform, parameters)
    if isinstance(client, PageError):
        return client
    outcome = _fault(client, parameters)
    request = outcome or _request(platform, client, parameters)
    if isinstance(request, _Fault):
        return _error(platform, parameters, request)
    return request


def _client_of(platform: Platform, parameters: RepeatedParameters) -> Client | PageError:
    for name in ("client_id", "redirect_uri"):
        if name in parameters.repeated:
            return PageError(name, "repeated")
        if name not in parameters:
            return PageError(name, "missing")
    client = clients.find_client(platform, parameters["client_id"])
    if client is None:
        return PageError("client_id", "unknown")
    if not redirect_uri_matches(client, parameters["redirect_uri"]):
        return PageError("redirect_uri", "unregistered")
    return client


def _prompts(parameters: Mapping[str, str]) -> frozenset[str]:
    return frozenset(parameters.get("prompt", "").split())


_Check = Callable[[RepeatedParameters], bool]
_FAULTS: tuple[tuple[_Check, str, str], ...] = (
    (
        lambda sent: bool(sent.repeated),
        "invalid_request",
        "A parameter is sent more than once",
    ),
    (
        lambda sent: "request" in sent,
        "request_not_supported",
        "Request objects are not supported",
    ),
    (
        lambda sent: "request_uri" in sent,
        "request_uri_not_supported",
        "request_uri is not supported",
    ),
    (
        lambda sent: "registration" in sent,
        "registration_not_supported",
        "registration is not supported",
    ),
    (
        lambda sent: "response_type" not in sent,
        "invalid_request",
        "Missing response_type",
    ),
    (
        lambda sent: sent["response_type"] != "code",
        "unsupported_response_type",
        "Only response_type=code is supported",
    ),
    (
        lambda sent: sent.get("response_mode", "query") not in RESPONSE_MODES,
        "invalid_request",
        "Unknown response_mode",
    ),
    (
        lambda sent: len(sent.get("state", "")) > MAX_STATE,
        "invalid_request",
        f"state is longer than {MAX_STATE} characters",
    ),
    (
        lambda sent: len(sent.get("nonce", "")) > MAX_NONCE,
        "invalid_request",
        f"nonce is longer than {MAX_NONCE} characters",
    ),
    (
        lambda sent: (
            sent.get("code_challenge_method") != "S256"
            or not _CHALLENGE.fullmatch(sent.get("code_challenge", ""))
        ),
        "invalid_request",
        "PKCE is required: code_challenge with code_challenge_method=S256",
    ),
    (
        lambda sent: not _SECONDS.fullmatch(sent.get("max_age", "0")),
        "invalid_request",
        "max_age must be a number of seconds",
    ),
    (
        lambda sent: not _prompts(sent) <= PROMPTS,
        "invalid_request",
        "Unknown prompt",
    ),
    (
        lambda sent: "none" in _prompts(sent) and len(_prompts(sent)) > 1,
        "invalid_request",
        "prompt=none can't be combined with another value",
    ),
)


def _fault(client: Client, parameters: RepeatedParameters) -> _Fault | None:
    """The first thing wrong with a request whose redirect URI can be trusted."""
    for is_wrong, error, description in _FAULTS:
        if is_wrong(parameters):
            return _Fault(error, description)
    if "authorization_code" not in client.grant_types:
        return _Fault("unauthorized_client", "The client is not registered for the authorization code flow")
    return None


def _request(
    platform: Platform, client: Client, parameters: Mapping[str, str]
) -> AuthorizationRequest | _Fault:
    scopes = _scopes(client, parameters)
    if not scopes:
        return _Fault("invalid_scope", "No scope is asked for that the client is registered for")
    requested = parse_claims_parameter(parameters.get("claims"), client.scopes)
    if isinstance(requested, Refusal):
        return _Fault("invalid_request", "claims is not JSON as OpenID Connect Core 5.5 describes it")
    now = clock.now()
    hint = parameters.get("id_token_hint")
    hinted = tokens.read_id_token_hint(platform, hint, now) if hint is not None else None
    if hint is not None and hinted is None:
        return _Fault("invalid_request", "id_token_hint is not an ID token of this provider")
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=parameters["redirect_uri"],
        response_mode=parameters.get("response_mode", "query"),
        state=parameters.get("state"),
        scopes=scopes,
        nonce=parameters.get("nonce"),
        code_challenge=parameters["code_challenge"],
        prompts=_prompts(parameters),
        max_age=int(parameters["max_age"]) if "max_age" in parameters else None,
        login_hint=parameters.get("login_hint", "")[:MAX_HINT] or None,
        hinted_account_id=requested.account_id or (hinted["sub"] if hinted else None),
        requested=requested,
        received_at=now,
    )


def _scopes(client: Client, parameters: Mapping[str, str]) -> frozenset[str]:
    """The registered ones among the asked; offline access only with consent asked for (OIDC Core 11)."""
    scopes = frozenset(parameters.get("scope", "").split()) & client.scopes
    offline = "consent" in _prompts(parameters) and "refresh_token" in client.grant_types
    return scopes if offline else scopes - {"offline_access"}


def _error(platform: Platform, parameters: Mapping[str, str], fault: _Fault) -> Answer:
    mode = parameters.get("response_mode", "query")
    state = parameters.get("state")
    return Answer(
        parameters["redirect_uri"],
        mode if mode in RESPONSE_MODES else "query",
        {"error": fault.error, "error_description": fault.description}
        | ({"state": state} if state is not None and len(state) <= MAX_STATE else {})
        | {"iss": platform.settings.issuer},
    )


def refuse(platform: Platform, request: AuthorizationRequest, error: str, description: str) -> Answer:
    """An error answer (RFC 6749 §4.1.2.1) with ``iss`` (RFC 9207)."""
    return _answer(platform, request, {"error": error, "error_description": description})


def _answer(platform: Platform, request: AuthorizationRequest, members: Mapping[str, str]) -> Answer:
    state = {"state": request.state} if request.state is not None else {}
    return Answer(
        request.redirect_uri,
        request.response_mode,
        {**members, **state, "iss": platform.settings.issuer},
    )


# --- between pages
# --------------------------------------------------------------------------------------------------


def store(platform: Platform, request: AuthorizationRequest) -> str:
    """Keep a request while its pages are shown; the answer is the id that the pages carry."""
    request_id = crypto.random_token()
    save(platform, request_id, request)
    return request_id


def save(platform: Platform, request_id: str, request: AuthorizationRequest) -> None:
    """Put back a request with what the person has answered."""
    platform.ephemeral.put(_key(request_id), orjson.dumps(_as_json(request)), PENDING_TTL)


def find(platform: Platform, request_id: str) -> AuthorizationRequest | None:
    """The stored request; None when it is unknown, answered or too old."""
    stored = platform.ephemeral.get(_key(request_id))
    return None if stored is None else _from_json(orjson.loads(stored))


def take(platform: Platform, request_id: str) -> AuthorizationRequest | None:
    """The stored request for its one answer: of two clicks at once, one gets it."""
    stored = platform.ephemeral.take(_key(request_id))
    return None if stored is None else _from_json(orjson.loads(stored))


def _key(request_id: str) -> str:
    return f"authorization_request:{crypto.hash_token(request_id)}"


def _as_json(request: AuthorizationRequest) -> dict[str, Any]:
    plain = {name: getattr(request, name) for name in AuthorizationRequest.__dataclass_fields__}
    return plain | {
        "scopes": sorted(request.scopes),
        "prompts": sorted(request.prompts),
        "requested": request.requested.as_json(),
        "enterprises": request.requested.enterprises,
    }


def _from_json(document: dict[str, Any]) -> AuthorizationRequest:
    pinned = tuple(document.pop("enterprises"))
    return AuthorizationRequest(
        **document
        | {
            "scopes": frozenset(document["scopes"]),
            "prompts": frozenset(document["prompts"]),
            "requested": replace(RequestedClaims.from_json(document["requested"]), enterprises=pinned),
            "received_at": datetime.fromisoformat(document["received_at"]),
        }
    )


# --- deciding and answering
# -----------------------------------------------------------------------------------------


def decide(
    platform: Platform, request: AuthorizationRequest, client: Client, login: LoginView | None, now: datetime
) -> Step:
    """The next step of the interaction, from what is true in the database at this moment."""
    if login is None:
        return next_step(request.asked(), client, None, (), consents.NOTHING, now)
    signed_in = SignedIn(
        account_id=login.account_id,
        sid=login.sid,
        auth_time=login.auth_time,
        created_at=login.created_at,
        acr=login.acr,
        default_enterprise_id=login.default_enterprise_id,
    )
    candidates = tuple(handlers.acting_candidates(platform, login.account_id, now))
    remembered = consents.remembered(login.account_id, client.client_id)
    return next_step(request.asked(), client, signed_in, candidates, remembered, now)


def respond(
    platform: Platform,
    request: AuthorizationRequest,
    client: Client,
    login: LoginView,
    acting: Acting | None,
    now: datetime,
) -> Answer:
    """A code for what was agreed (RFC 6749 §4.1.2)."""
    code = authorizations.issue(
        platform,
        NewAuthorization(
            client=client,
            login=login,
            acting=acting,
            scopes=request.scopes,
            requested=request.requested,
            nonce=request.nonce,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
        ),
        now,
    )
    return _answer(platform, request, {"code": code})

"""An authorization request: its parameters checked (OIDC Core 3.1.2.2, RFC 6749 §4.1.1), how it is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import orjson

from idp.domain import authorization_details, languages, resources
from idp.domain.authorization_details import Details, HandlerDetail
from idp.domain.clients import FAPI2_MESSAGE_SIGNING, PLATFORM_SCOPES, Client
from idp.domain.errors import Refusal
from idp.domain.interaction import PROMPTS, Asked
from idp.domain.requested_claims import RequestedClaims, parse_claims_parameter
from idp.oauth import tokens
from idp.oauth.answers import JWT_MODES, RESPONSE_MODES, Fault
from idp.oauth.requests import RepeatedParameters
from idp.services import clients
from idp.services.platform import Platform

MAX_STATE: Final = 4096
MAX_NONCE: Final = 512
MAX_HINT: Final = 200
MAX_RESOURCES: Final = 20
DEVICE_PARAMETERS: Final = frozenset({"scope", "authorization_details", "acr_values"})
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A valid authorization request, and what the person has answered so far (``enterprise``,
    ``consented``).

    ``pushed_id`` names the pushed request that this one came from, which its answer uses up;
    ``device_id`` the device that waits for the answer instead of a redirect URI; ``language`` the one among
    ours that its pages are wanted in (``ui_locales``).
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
    hinted_subs: frozenset[str]
    acr_values: tuple[str, ...]
    acr_essential: bool
    requested: RequestedClaims
    resources: tuple[str, ...]
    details: Details
    dpop_jkt: str | None
    received_at: datetime
    pushed_id: str | None = None
    device_id: str | None = None
    enterprise: str | None = None
    consented: bool = False
    language: str | None = None

    def asked(self) -> Asked:
        """What the interaction needs to know of this request."""
        return Asked(
            received_at=self.received_at,
            scopes=self.scopes | self.requested.scopes,
            prompts=self.prompts,
            max_age=self.max_age,
            hinted_subs=self.hinted_subs,
            acr_values=self.acr_values,
            acr_essential=self.acr_essential,
            pinned_enterprises=self._pinned(),
            matters=authorization_details.matters_of(self.details),
            enterprise=self.enterprise,
            consented=self.consented,
        )

    def _pinned(self) -> frozenset[str] | None:
        """The enterprises that both the claims parameter and the authorization details leave."""
        by_claims = self.requested.enterprises
        named = authorization_details.enterprise_of(self.details)
        if named is None:
            return by_claims
        return frozenset({named}) if by_claims is None else by_claims & {named}


def as_bytes(request: AuthorizationRequest) -> bytes:
    """For the short-lived store."""
    pinned = request.requested.enterprises
    plain = {name: getattr(request, name) for name in AuthorizationRequest.__dataclass_fields__}
    return orjson.dumps(
        plain
        | {
            "scopes": sorted(request.scopes),
            "prompts": sorted(request.prompts),
            "hinted_subs": sorted(request.hinted_subs),
            "requested": request.requested.as_json(),
            "enterprises": None if pinned is None else sorted(pinned),
            "details": [detail.as_json() for detail in request.details],
        }
    )


def from_bytes(stored: bytes) -> AuthorizationRequest:
    """The reverse of :func:`as_bytes`."""
    document = orjson.loads(stored)
    pinned = document.pop("enterprises")
    enterprises = None if pinned is None else frozenset(pinned)
    return AuthorizationRequest(
        **document
        | {
            "scopes": frozenset(document["scopes"]),
            "prompts": frozenset(document["prompts"]),
            "hinted_subs": frozenset(document["hinted_subs"]),
            "acr_values": tuple(document["acr_values"]),
            "resources": tuple(document["resources"]),
            "requested": replace(RequestedClaims.from_json(document["requested"]), enterprises=enterprises),
            "details": tuple(HandlerDetail.from_json(element) for element in document["details"]),
            "received_at": datetime.fromisoformat(document["received_at"]),
        }
    )


# --- checking
# -------------------------------------------------------------------------------------------------------


def prompts_of(parameters: Mapping[str, str]) -> frozenset[str]:
    """The values of ``prompt``."""
    return frozenset(parameters.get("prompt", "").split())


def response_mode_of(client: Client, parameters: Mapping[str, str]) -> str:
    """The asked response mode, or the client's usual one."""
    return parameters.get("response_mode", "jwt" if client.profile == FAPI2_MESSAGE_SIGNING else "query")


_Check = Callable[[RepeatedParameters], bool]
_FAULTS: Final[tuple[tuple[_Check, str, str], ...]] = (
    (
        lambda sent: bool(sent.repeated),
        "invalid_request",
        "A parameter is sent more than once",
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
        lambda sent: not _CHALLENGE.fullmatch(sent.get("dpop_jkt", "A" * 43)),
        "invalid_request",
        "dpop_jkt is not a JWK SHA-256 thumbprint",
    ),
    (
        lambda sent: not _SECONDS.fullmatch(sent.get("max_age", "0")),
        "invalid_request",
        "max_age must be a number of seconds",
    ),
    (
        lambda sent: not prompts_of(sent) <= PROMPTS,
        "invalid_request",
        "Unknown prompt",
    ),
    (
        lambda sent: "none" in prompts_of(sent) and len(prompts_of(sent)) > 1,
        "invalid_request",
        "prompt=none can't be combined with another value",
    ),
)


def validate(
    platform: Platform, client: Client, parameters: RepeatedParameters, now: datetime
) -> AuthorizationRequest | Fault:
    """The request that these parameters make, or the first thing wrong with them.

    Client and redirect URI are known to belong together.
    """
    for is_wrong, error, description in _FAULTS:
        if is_wrong(parameters):
            return Fault(error, description)
    return _fault_for(client, parameters) or _validated(platform, client, parameters, now)


def _fault_for(client: Client, parameters: Mapping[str, str]) -> Fault | None:
    """What this client must not ask."""
    if "authorization_code" not in client.grant_types:
        return Fault("unauthorized_client", "The client is not registered for the authorization code flow")
    if client.profile == FAPI2_MESSAGE_SIGNING and response_mode_of(client, parameters) not in JWT_MODES:
        return Fault("invalid_request", "The client's profile asks for a signed answer: response_mode=jwt")
    return None


def _validated(
    platform: Platform, client: Client, parameters: RepeatedParameters, now: datetime
) -> AuthorizationRequest | Fault:
    asked = _asked(platform, client, parameters, now)
    hinted = _hinted(platform, parameters, now)
    if isinstance(asked, Fault):
        return asked
    if isinstance(hinted, Fault):
        return hinted
    return replace(
        asked,
        redirect_uri=parameters["redirect_uri"],
        response_mode=response_mode_of(client, parameters),
        state=parameters.get("state"),
        nonce=parameters.get("nonce"),
        code_challenge=parameters["code_challenge"],
        prompts=prompts_of(parameters),
        hinted_subs=asked.hinted_subs | hinted,
    )


def of_device(
    platform: Platform, client: Client, parameters: RepeatedParameters, redirect_uri: str, now: datetime
) -> AuthorizationRequest | Fault:
    """What a device asks (RFC 8628 §3.1), to be consented to each time. No code of it is ever redirected."""
    sent = {name: parameters[name] for name in DEVICE_PARAMETERS & parameters.keys()}
    once = RepeatedParameters.of({**sent, "prompt": "consent"}, parameters.resources)
    asked = _asked(platform, client, once, now)
    return asked if isinstance(asked, Fault) else replace(asked, redirect_uri=redirect_uri)


def _asked(
    platform: Platform, client: Client, parameters: RepeatedParameters, now: datetime
) -> AuthorizationRequest | Fault:
    """What is asked for, whichever way it was sent and will be answered."""
    scopes = _scopes(client, parameters)
    if not scopes:
        return Fault("invalid_scope", "No scope is asked for that the client is registered for")
    requested = parse_claims_parameter(parameters.get("claims"), client.scopes)
    if isinstance(requested, Refusal):
        return Fault("invalid_request", "claims is not JSON as OpenID Connect Core 5.5 describes it")
    details = details_of(client, parameters)
    if isinstance(details, Fault):
        return details
    if not _are_targets(platform, parameters):
        return Fault("invalid_target", "resource names something that this provider issues no tokens for")
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri="",
        response_mode="query",
        state=None,
        scopes=scopes,
        nonce=None,
        code_challenge="",
        prompts=prompts_of(parameters),
        max_age=int(parameters["max_age"]) if "max_age" in parameters else None,
        login_hint=parameters.get("login_hint", "")[:MAX_HINT] or None,
        hinted_subs=frozenset({requested.account_id} if requested.account_id else ()),
        acr_values=_acr_values(client, parameters, requested),
        acr_essential=requested.acr_essential,
        requested=requested,
        resources=tuple(dict.fromkeys(parameters.resources)),
        details=details,
        dpop_jkt=parameters.get("dpop_jkt"),
        received_at=now,
        language=languages.wanted(parameters.get("ui_locales", "").split()),
    )


def _acr_values(client: Client, parameters: Mapping[str, str], requested: RequestedClaims) -> tuple[str, ...]:
    """What the claims parameter asks, else ``acr_values``, else what the client registered (Core 5.5.1.1)."""
    asked = tuple(parameters.get("acr_values", "").split())
    return requested.acr_values or asked or client.default_acr_values


def _scopes(client: Client, parameters: Mapping[str, str]) -> frozenset[str]:
    """The registered ones among the asked that a person can grant; offline access only with consent asked for
    (OIDC Core 11).
    """
    scopes = frozenset(parameters.get("scope", "").split()) & client.scopes - frozenset(PLATFORM_SCOPES)
    offline = "consent" in prompts_of(parameters) and "refresh_token" in client.grant_types
    return scopes if offline else scopes - {"offline_access"}


def details_of(client: Client, parameters: Mapping[str, str]) -> Details | Fault:
    """The ``authorization_details`` (RFC 9396 §2, §5)."""
    details = authorization_details.parse(parameters.get("authorization_details"), client.matters)
    allowed = client.authorization_details_types or (authorization_details.TYPE,)
    if isinstance(details, Refusal) or (details and authorization_details.TYPE not in allowed):
        return Fault(
            "invalid_authorization_details", "authorization_details has an unknown type or a bad field"
        )
    return details


def _are_targets(platform: Platform, parameters: RepeatedParameters) -> bool:
    """Whether every ``resource`` (RFC 8707 §2) is one that tokens can be issued for."""
    asked = parameters.resources
    return not asked or (
        len(asked) <= MAX_RESOURCES and resources.are_served(asked, clients.scopes_by_resource(platform))
    )


def _hinted(platform: Platform, parameters: Mapping[str, str], now: datetime) -> frozenset[str] | Fault:
    """Whom the ``id_token_hint`` names (OIDC Core 3.1.2.1)."""
    hint = parameters.get("id_token_hint")
    if hint is None:
        return frozenset()
    claims = tokens.read_id_token_hint(platform, hint, now)
    if claims is None:
        return Fault("invalid_request", "id_token_hint is not an ID token of this provider")
    return frozenset({claims["sub"]})

"""The grants of the token endpoint: each fills in what is its own; the shared steps can't be forgotten."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from functools import cached_property
from typing import Any

from authlib.oauth2.rfc6749.errors import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idp import clock
from idp.domain import authorization_details, resources
from idp.domain.authorization_details import Details
from idp.domain.clients import IDENTITY_SCOPES, Client
from idp.domain.errors import Refusal
from idp.domain.resources import Target
from idp.oauth import client_auth, sender, tokens
from idp.oauth.pkce import challenge_of
from idp.oauth.requests import ProtocolRequest
from idp.oauth.sender import Binding
from idp.oauth.tokens import Delegation
from idp.services import authorizations, clients, grants
from idp.services.authorizations import Presented
from idp.services.grants import Grant
from idp.services.platform import Platform

TokenAnswer = tuple[int, dict[str, Any], list[tuple[str, str]]]


class InvalidTarget(OAuth2Error):
    """A resource that no token can be had for (RFC 8707 §2)."""

    error = "invalid_target"


class InvalidAuthorizationDetails(OAuth2Error):
    """Authorization details that can't be granted (RFC 9396 §5)."""

    error = "invalid_authorization_details"


class TokenGrant(BaseGrant, TokenEndpointMixin):
    """The steps every grant shares: authenticate, check that the client may, then what is its own."""

    GRANT_TYPE: str
    request: ProtocolRequest
    authenticated: Client

    @property
    def platform(self) -> Platform:
        """The tools of the use cases, as the server holds them."""
        platform: Platform = self.server.platform
        return platform

    def validate_token_request(self) -> None:
        """Authenticate the client (RFC 6749 §3.2.1), check its grant types and that it can read answers."""
        self.authenticated = client_auth.authenticate(self.platform, self.request)
        if self.GRANT_TYPE not in self.authenticated.grant_types:
            raise UnauthorizedClientError("The client is not registered for this grant_type")
        tokens.require_readable(self.platform, self.authenticated)

    def create_token_response(self) -> TokenAnswer:  # type: ignore[override]  # stubs say str; Authlib hands on
        """The answer of RFC 6749 §5.1."""
        return 200, self.redeem(self.authenticated), []

    @abstractmethod
    def redeem(self, client: Client) -> dict[str, Any]:
        """The members of the answer, or one of Authlib's errors."""

    def required(self, name: str) -> str:
        """A parameter that the request must have."""
        value = self.request.parameters.get(name)
        if value is None:
            raise InvalidRequestError(f"Missing '{name}'")
        return value

    @cached_property
    def binding(self) -> Binding:
        """The key that this request's tokens are bound to; its proof is looked at once."""
        return sender.binding_of(self.platform, self.request, self.authenticated, clock.now())

    def target(
        self, scopes: frozenset[str], granted: tuple[str, ...] = (), asked: tuple[str, ...] | None = None
    ) -> Target:
        """What an access token is for (RFC 8707 §2.2): ``asked``, by default what ``resource`` names."""
        served = clients.scopes_by_resource(self.platform)
        named = self.request.parameters.resources if asked is None else asked
        found = resources.target(scopes, named, granted, served)
        if found is None:
            raise InvalidTarget("resource is not among those granted or known")
        return found

    def details(self, held: Details) -> Details:
        """The granted authorization details, cut down to the asked ones (RFC 9396 §6)."""
        sent = self.request.parameters.get("authorization_details")
        asked = authorization_details.parse(sent, authorization_details.matters_of(held))
        left = asked if isinstance(asked, Refusal) else authorization_details.narrowed(asked, held)
        if isinstance(left, Refusal):
            raise InvalidAuthorizationDetails("authorization_details go beyond what was granted")
        return left

    def tokens_for(
        self, client: Client, grant: Grant, scopes: frozenset[str], nonce: str | None = None
    ) -> dict[str, Any]:
        """Access token, and ID and refresh token where the grant and the client have them."""
        now = clock.now()
        delegation = Delegation(
            self.target(scopes, grant.resources), self.binding, self.details(grant.details)
        )
        expires_at = min(now + tokens.ACCESS_TOKEN_TTL, grant.expires_at)
        answer: dict[str, Any] = {
            "access_token": tokens.issue_access_token(
                self.platform, client, grant, delegation, expires_at, now
            ),
            "token_type": self.binding.token_type,
            "expires_in": max(1, int(expires_at.timestamp() - now.timestamp())),
            "scope": " ".join(sorted(delegation.target.scopes)),
        }
        if delegation.details:
            answer["authorization_details"] = [detail.as_json() for detail in delegation.details]
        if "openid" in scopes:
            person = self._person(grant) if grant.requested.need_person else None
            narrowed = grant if scopes == grant.scopes else replace(grant, scopes=scopes)
            answer["id_token"] = tokens.issue_id_token(self.platform, client, narrowed, person, nonce, now)
        if "refresh_token" in client.grant_types:
            answer["refresh_token"] = authorizations.refresh_token_of(self.platform, grant)
        return answer

    def _person(self, grant: Grant) -> Any:
        found = grants.find_grant_with_person(self.platform, grant.authorization_id, clock.now())
        if found is None:
            raise InvalidGrantError("The authorization has ended")
        return found[1]


class AuthorizationCodeGrant(TokenGrant):
    """RFC 6749 §4.1.3 with PKCE S256 for every client (RFC 7636 §4.6, RFC 9700 §2.1.1)."""

    GRANT_TYPE = "authorization_code"

    def redeem(self, client: Client) -> dict[str, Any]:
        """Exchange the code, once."""
        code, redirect_uri = self.required("code"), self.required("redirect_uri")
        challenge = challenge_of(self.request.parameters.get("code_verifier", ""))
        presented = Presented(code, redirect_uri, challenge, self.binding.thumbprint)
        grant = authorizations.redeem_code(self.platform, client, presented, self.request.origin, clock.now())
        if isinstance(grant, Refusal):
            raise InvalidGrantError("The code is unknown, expired, used, or was issued for another request")
        return self.tokens_for(client, grant, grant.scopes, grant.nonce)


class RefreshTokenGrant(TokenGrant):
    """RFC 6749 §6 with rotation, reuse detection and a grace (RFC 9700 §4.14.2)."""

    GRANT_TYPE = "refresh_token"

    def redeem(self, client: Client) -> dict[str, Any]:
        """Rotate, and issue tokens for the same scopes or fewer."""
        refresh_token = self.required("refresh_token")
        asked = frozenset(self.request.parameters.get("scope", "").split())
        thumbprint = self.binding.thumbprint
        self._refuse_wider(client, refresh_token, asked)
        grant = authorizations.rotate(
            self.platform, client, refresh_token, thumbprint, self.request.origin, clock.now()
        )
        if isinstance(grant, Refusal):
            raise InvalidGrantError(
                "The refresh token is unknown, used, expired, or what it rests on has ended"
            )
        return self.tokens_for(client, grant, _narrowed(grant, asked))

    def _refuse_wider(self, client: Client, refresh_token: str, asked: frozenset[str]) -> None:
        """Before rotating, so that a refused request costs no token."""
        parameters = self.request.parameters
        if not (asked or parameters.resources or "authorization_details" in parameters):
            return
        grant = authorizations.find_by_refresh_token(self.platform, refresh_token, clock.now())
        if grant is not None and grant.client_id == client.client_id:
            self.target(_narrowed(grant, asked), grant.resources)
            self.details(grant.details)


def _narrowed(grant: Grant, asked: frozenset[str]) -> frozenset[str]:
    """The asked scopes, or all; never more than granted."""
    if not asked <= grant.scopes:
        raise InvalidScopeError("The scope is wider than what was granted")
    return asked or grant.scopes


class ClientCredentialsGrant(TokenGrant):
    """RFC 6749 §4.4: a platform back end acts for itself; never with a person's scopes."""

    GRANT_TYPE = "client_credentials"

    def redeem(self, client: Client) -> dict[str, Any]:
        """Issue a token for the client's own scopes, or the asked ones among them."""
        own = client.scopes - frozenset(IDENTITY_SCOPES)
        asked = frozenset(self.request.parameters.get("scope", "").split())
        if not asked <= own:
            raise InvalidScopeError("The client is not registered for this scope")
        delegation = Delegation(self.target(asked or own), self.binding)
        token = tokens.issue_client_access_token(self.platform, client, delegation, clock.now())
        scopes = " ".join(sorted(delegation.target.scopes))
        return {
            "access_token": token,
            "token_type": self.binding.token_type,
            "expires_in": int(tokens.ACCESS_TOKEN_TTL.total_seconds()),
            **({"scope": scopes} if scopes else {}),
        }


GRANTS = (AuthorizationCodeGrant, RefreshTokenGrant, ClientCredentialsGrant)
"""Those of RFC 6749; ``server`` adds the others."""

"""Token exchange (RFC 8693): the back end of a relying party hands the mandate on, narrowed.

What comes of it rests on the same authorization as the token that it was exchanged for, and dies with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidRequestError, InvalidScopeError

from idp import clock
from idp.domain import authorization_details, exchange
from idp.domain.authorization_details import HandlerDetail
from idp.domain.clients import TOKEN_EXCHANGE, Client
from idp.domain.errors import Refusal
from idp.domain.resources import Target
from idp.oauth import standing, tokens
from idp.oauth.grants import InvalidTarget, TokenGrant
from idp.oauth.tokens import Delegation
from idp.services import clients, grants
from idp.services.grants import Grant


class TokenExchangeGrant(TokenGrant):
    """RFC 8693 §2, for access tokens of this provider that rest on a person's grant."""

    GRANT_TYPE = TOKEN_EXCHANGE

    def redeem(self, client: Client) -> dict[str, Any]:
        """Issue a token to ``client``, the actor, in the name of whom the subject token is about."""
        self._refuse_other_types()
        now = clock.now()
        subject = self._subject(client, now)
        grant = self._grant(subject, now)
        target = self._target(subject)
        delegation = Delegation(target, self.binding, self._details(subject, grant), _act(subject, client))
        expires_at = min(_end_of(subject, now), now + tokens.ACCESS_TOKEN_TTL, grant.expires_at)
        token = tokens.issue_access_token(
            self.platform, client, grant, delegation, expires_at, now, may_act=subject.get("may_act")
        )
        return self._answer(token, delegation, int((expires_at - now).total_seconds()))

    def _answer(self, token: str, delegation: Delegation, seconds: int) -> dict[str, Any]:
        """RFC 8693 §2.2.1."""
        details = [detail.as_json() for detail in delegation.details]
        return {
            "access_token": token,
            "issued_token_type": exchange.ACCESS_TOKEN,
            "token_type": self.binding.token_type,
            "expires_in": max(1, seconds),
            "scope": " ".join(sorted(delegation.target.scopes)),
            **({"authorization_details": details} if details else {}),
        }

    def _refuse_other_types(self) -> None:
        parameters = self.request.parameters
        if self.required("subject_token_type") not in exchange.SUBJECT_TOKEN_TYPES:
            raise InvalidRequestError("subject_token_type must be that of an access token")
        if parameters.get("requested_token_type", exchange.ACCESS_TOKEN) not in exchange.SUBJECT_TOKEN_TYPES:
            raise InvalidRequestError("requested_token_type must be that of an access token")
        if "actor_token" in parameters or "actor_token_type" in parameters:
            raise InvalidRequestError("The actor is the client that authenticates: no actor_token is taken")

    def _subject(self, client: Client, now: datetime) -> dict[str, Any]:
        """The claims of the subject token, if this client may act on it (§4.4); whatever is wrong with a
        subject token is an invalid request (§2.2.2).
        """
        payload = tokens.read_access_token(self.platform, self.required("subject_token"), now)
        if (
            payload is None
            or "authorization_id" not in payload
            or not standing.stands(self.platform, payload)
        ):
            raise InvalidRequestError("The subject_token is no access token of a person that is in force")
        if not exchange.may_exchange(client, payload, self.platform.settings.issuer):
            raise InvalidRequestError("The client may not act on this subject_token")
        return payload

    def _grant(self, subject: dict[str, Any], now: datetime) -> Grant:
        grant = grants.find_grant(self.platform, subject["authorization_id"], now)
        if grant is None:
            raise InvalidRequestError("What the subject_token rests on has ended")
        return grant

    def _target(self, subject: dict[str, Any]) -> Target:
        """For what was asked, else for what the subject token is for; its scopes or fewer."""
        asked = frozenset(self.request.parameters.get("scope", "").split())
        scopes = exchange.scopes_for(subject, asked)
        if isinstance(scopes, Refusal):
            raise InvalidScopeError("The scope is wider than that of the subject_token")
        audience = subject["aud"] if isinstance(subject["aud"], list) else [subject["aud"]]
        return self.target(scopes, asked=self._resources() or tuple(audience))

    def _resources(self) -> tuple[str, ...]:
        """``resource``, and ``audience`` (§2.1), which names a resource or a client that has exactly one."""
        asked, audience = self.request.parameters.resources, self.request.parameters.get("audience")
        if audience is None:
            return asked
        if audience in clients.scopes_by_resource(self.platform):
            return (*asked, audience)
        named = clients.find_client(self.platform, audience)
        if named is None or len(named.resources) != 1:
            raise InvalidTarget("audience is no resource and no client with one resource")
        return asked + named.resources

    def _details(self, subject: dict[str, Any], grant: Grant) -> authorization_details.Details:
        """Those of the subject token as far as they are in force, cut down to the asked ones.

        A token without details allows more than one with some: when none is left, nothing is.
        """
        said = tuple(HandlerDetail.from_json(detail) for detail in subject.get("authorization_details", ()))
        held = authorization_details.in_force(said, authorization_details.matters_of(grant.details))
        if said and not held:
            raise InvalidRequestError("What the subject_token rests on has ended")
        return self.details(held)


def _act(subject: dict[str, Any], client: Client) -> dict[str, Any]:
    act = exchange.actors(subject, client)
    if isinstance(act, Refusal):
        raise InvalidRequestError("The subject_token has been exchanged too often")
    return act


def _end_of(subject: dict[str, Any], now: datetime) -> datetime:
    return datetime.fromtimestamp(subject["exp"], now.tzinfo)

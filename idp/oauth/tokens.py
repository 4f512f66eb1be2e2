"""Signed tokens of the platform: access tokens (RFC 9068), ID tokens (OIDC Core 2),
logout tokens (BCL 2.4).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError

from idp import clock, crypto
from idp.domain import claims, verified_claims
from idp.domain.authorization_details import Details
from idp.domain.claims import PersonalData
from idp.domain.clients import SIGNING_ALGORITHMS, Client
from idp.domain.resources import Target
from idp.oauth import jose, signatures
from idp.oauth.sender import UNBOUND, Binding
from idp.services import clients, subjects
from idp.services.grants import Grant
from idp.services.outbox import DeliveryError
from idp.services.platform import Decoded, Platform

ACCESS_TOKEN_TTL: Final = timedelta(minutes=5)
ID_TOKEN_TTL: Final = timedelta(minutes=5)
LOGOUT_TOKEN_TTL: Final = timedelta(minutes=2)
MAX_TOKEN: Final = 10_000
BACKCHANNEL_LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"


def _times(now: datetime, ttl: timedelta) -> dict[str, int]:
    issued = int(now.timestamp())
    return {"iat": issued, "exp": issued + int(ttl.total_seconds())}


@dataclass(frozen=True, slots=True)
class Delegation:
    """What an access token carries beside its subject: for whom, bound to which key, within what."""

    target: Target
    binding: Binding = UNBOUND
    details: Details = ()
    act: Mapping[str, Any] | None = None

    @property
    def audience(self) -> tuple[str, ...]:
        """The resources; none is this provider (its userinfo)."""
        return self.target.resources

    def claims(self) -> dict[str, Any]:
        """``cnf``, ``authorization_details`` and ``act``, where there are any."""
        details = [detail.as_json() for detail in self.details]
        return {
            **self.binding.confirmation,
            **({"authorization_details": details} if details else {}),
            **({"act": self.act} if self.act else {}),
        }


def issue_access_token(
    platform: Platform,
    client: Client,
    grant: Grant,
    delegation: Delegation,
    expires_at: datetime,
    now: datetime,
    *,
    may_act: Mapping[str, Any] | None = None,
) -> str:
    """An access token that names its authorization, and so dies with it; never stored.

    ``client`` is whom it is issued to; the grant may be another's (RFC 8693). ``may_act`` travels on from the
    token that it was exchanged for.
    """
    about = {
        "sub": subjects.sub_of(platform, client, grant.subject.account_id),
        "authorization_id": grant.authorization_id,
        **claims.access_token_claims(grant.subject, delegation.target.scopes),
        **_may_act(platform, client, may_act),
    }
    return _access_token(platform, client, delegation, about, expires_at, now)


def _may_act(platform: Platform, client: Client, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Who alone may exchange the token: as before, else as its client is registered (RFC 8693 §4.4)."""
    if before is not None:
        return {"may_act": before}
    if client.may_act is None:
        return {}
    return {"may_act": {"iss": platform.settings.issuer, "sub": client.may_act}}


def issue_client_access_token(
    platform: Platform, client: Client, delegation: Delegation, now: datetime
) -> str:
    """An access token for the client itself (RFC 6749 §4.4); nothing is stored for it."""
    about = {"sub": client.client_id}
    return _access_token(platform, client, delegation, about, now + ACCESS_TOKEN_TTL, now)


def _access_token(
    platform: Platform,
    client: Client,
    delegation: Delegation,
    about: Mapping[str, Any],
    expires_at: datetime,
    now: datetime,
) -> str:
    audience = delegation.audience or (platform.settings.issuer,)
    payload = {
        "iss": platform.settings.issuer,
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "client_id": client.client_id,
        "scope": " ".join(sorted(delegation.target.scopes)),
        "jti": crypto.random_id(),
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
        **about,
        **delegation.claims(),
    }
    return jose.sign(platform, client.access_token_signed_response_alg, "at+jwt", payload, now)


def read_access_token(platform: Platform, token: str, now: datetime) -> dict[str, Any] | None:
    """The claims of an unexpired access token of this platform; None for anything else."""
    payload = _verified(platform, token, "at+jwt", now)
    return payload if payload is not None and payload["exp"] > now.timestamp() else None


def issue_id_token(
    platform: Platform,
    client: Client,
    grant: Grant,
    person: PersonalData | None,
    nonce: str | None,
    now: datetime,
) -> str:
    """An ID token; ``aud`` is the client as one string (authlib.md, P23),
    ``auth_time`` that of the sign-in. Encrypted if the client registered that; raises NoEncryptionKey.
    """
    payload = {
        "iss": platform.settings.issuer,
        "sub": subjects.sub_of(platform, client, grant.subject.account_id),
        "aud": client.client_id,
        **_times(now, ID_TOKEN_TTL),
        **({"nonce": nonce} if nonce is not None else {}),
        **claims.id_token_claims(
            grant.subject, person, grant.scopes, partial(grant.requested.accepts, "id_token")
        ),
        **verified_claims_of(client, grant, person, grant.requested.verified.get("id_token", ()), now),
    }
    return _protected(platform, client, payload, "JWT", now)


def _protected(
    platform: Platform, client: Client, payload: Mapping[str, Any], token_type: str, now: datetime
) -> str:
    """Signed and encrypted as the client's ID tokens are."""
    algorithm, encryption = client.id_token_signed_response_alg, _id_token_encryption(client)
    return jose.protect(platform, client, payload, token_type, algorithm, encryption, now)


def _id_token_encryption(client: Client) -> jose.Encryption | None:
    return jose.encryption_of(client.id_token_encrypted_response_alg, client.id_token_encrypted_response_enc)


def require_readable(platform: Platform, client: Client) -> None:
    """Raises NoEncryptionKey when the client could not read its ID tokens: to be called before a code or a
    refresh token is used up.
    """
    jose.require_key(platform, client, _id_token_encryption(client))


def verified_claims_of(
    client: Client,
    grant: Grant,
    person: PersonalData | None,
    asked: Collection[Mapping[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    """``verified_claims``, where something that was asked can be told."""
    if person is None or not asked:
        return {}
    facts = verified_claims.facts_of(grant.subject, person, client.matters)
    told = verified_claims.answer(asked, facts, now)
    return {} if told is None else {"verified_claims": told}


def read_id_token_hint(platform: Platform, token: str, now: datetime) -> dict[str, Any] | None:
    """The claims of an ID token that this platform signed, expired or not (OIDC Core 3.1.2.1, RPL 2).

    Other JWTs that it signs for a client know no ``auth_time``. A client that gets its ID tokens encrypted
    sends what it decrypted: the nested form only the client can read, so it is no hint.
    """
    payload = _verified(platform, token, "JWT", now)
    if payload is None or "auth_time" not in payload:
        return None
    return payload if isinstance(payload.get("aud"), str) else None


def issue_logout_token(
    platform: Platform, client_id: str, subject: Mapping[str, Any], now: datetime
) -> str | None:
    """A logout token for one client, signed and encrypted like its ID tokens (BCL 2.4);
    None when there is no such client any more.

    ``subject`` has the ``sid``, and as ``sub`` the account. Raises NoEncryptionKey.
    """
    client = clients.find_client(platform, client_id)
    if client is None:
        return None
    payload = {
        "iss": platform.settings.issuer,
        "aud": client.client_id,
        **_times(now, LOGOUT_TOKEN_TTL),
        "jti": crypto.random_id(),
        "events": {BACKCHANNEL_LOGOUT: {}},
        **{name: value for name, value in subject.items() if value is not None},
    }
    if "sub" in payload:
        payload["sub"] = subjects.sub_of(platform, client, payload["sub"])
    return _protected(platform, client, payload, "logout+jwt", now)


def sign_logout_token(platform: Platform, message: Mapping[str, Any]) -> str | None:
    """What the outbox calls at delivery: ``message`` is what was enqueued (client_id and claims).

    A client whose keys fail just now is tried again as one that doesn't answer: DeliveryError.
    """
    try:
        return issue_logout_token(platform, message["client_id"], message["claims"], clock.now())
    except jose.NoEncryptionKey as error:
        raise DeliveryError("encryption_key_missing") from error


def _verified(platform: Platform, token: str, token_type: str, now: datetime) -> dict[str, Any] | None:
    """The claims of a token of ours of this ``typ``, whatever its age; None when signature,
    type or issuer is not ours.

    The same text is verified once a second at most: a token is shown many times in its five minutes. What it
    rests on is not remembered, and a key that is retired stops verifying within that second.
    """
    if len(token) > MAX_TOKEN:
        return None
    decoded = platform.verified_tokens.get(crypto.hash_token(token), lambda: _decoded(platform, token, now))
    if decoded is None:
        return None
    header, payload = decoded
    ours = header.get("typ") == token_type and payload.get("iss") == platform.settings.issuer
    return dict(payload) if ours else None


def _decoded(platform: Platform, token: str, now: datetime) -> Decoded | None:
    """Header and claims of a token that one of our keys signed."""
    try:
        decoded = jwt.decode(
            token,
            platform.keyring.verification_keyset(now),
            registry=signatures.registry(*SIGNING_ALGORITHMS),
        )
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return decoded.header, decoded.claims

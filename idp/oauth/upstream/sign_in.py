"""The way to the other platform and back: a code with PKCE, state, nonce and ``iss`` (RFC 9700)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from idp import crypto
from idp.crypto import DecryptionError
from idp.domain import upstream as rules
from idp.domain.dates import china_date
from idp.domain.errors import Refusal
from idp.domain.upstream import Assertion
from idp.oauth.pkce import challenge_of
from idp.oauth.upstream import calls, tokens
from idp.oauth.upstream.provider import (
    Provider,
    UpstreamAnswerInvalid,
    UpstreamFailure,
    UpstreamUnavailable,
    provider_of,
)
from idp.services.platform import Platform

CONTEXT: Final = "ephemeral.upstream_attempt"
SILENT: Final = frozenset({"server_error", "temporarily_unavailable"})


@dataclass(frozen=True, slots=True)
class Wish:
    """How the person is to sign in there: within which request of a client, how strongly and how lately.

    ``again``: whatever session the browser has there, the person shows the factors anew.
    """

    request_id: str | None = None
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way there, until it comes back; ``started_time`` in seconds."""

    nonce: str
    code_verifier: str
    started_time: int
    request_id: str | None
    max_age: int | None
    again: bool

    def not_before(self, now: datetime) -> float | None:
        """The earliest moment at which the person may have signed in there; None: any."""
        if self.again:
            return self.started_time
        return None if self.max_age is None else now.timestamp() - self.max_age


def begin(platform: Platform, wish: Wish, browser: str, now: datetime) -> str | Refusal:
    """The address to send the browser to; ``browser`` is a secret that only it knows, in its cookie.

    ``upstream_unavailable``. May raise EphemeralUnavailable, as the others here may.
    """
    state, started = crypto.random_token(), int(now.timestamp())
    verifier = crypto.random_token()
    attempt = Attempt(crypto.random_token(), verifier, started, wish.request_id, wish.max_age, wish.again)
    try:
        provider = provider_of(platform)
        address = _address(platform, provider, _parameters(platform, provider, attempt, state, wish))
    except UpstreamFailure as failure:
        return Refusal.of(failure.code, reason=failure.reason)
    sealed = platform.keyring.fields.encrypt(json.dumps(asdict(attempt)), CONTEXT)
    platform.ephemeral.put(_key(state, browser), sealed.encode("ascii"), rules.SIGN_IN_TTL)
    return address


def _parameters(
    platform: Platform, provider: Provider, attempt: Attempt, state: str, wish: Wish
) -> dict[str, str]:
    """Core 3.1.2.1, RFC 7636 §4.3."""
    highest = f"urn:gsp:acr:{platform.settings.upstream_highest_level}"
    wanted = {
        "max_age": None if attempt.max_age is None else str(attempt.max_age),
        "prompt": "login" if attempt.again else None,
    }
    return {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "scope": " ".join(rules.SCOPES),
        "claims": json.dumps(rules.CLAIMS, separators=(",", ":")),
        "acr_values": " ".join(rules.asked_levels(wish.acr_values, highest)),
        "state": state,
        "nonce": attempt.nonce,
        "code_challenge": challenge_of(attempt.code_verifier),
        "code_challenge_method": "S256",
        **{name: value for name, value in wanted.items() if value is not None},
    }


def _address(platform: Platform, provider: Provider, parameters: dict[str, str]) -> str:
    """A provider that takes pushed requests gets this one from us (RFC 9126): nobody between reads it."""
    endpoint = provider.pushed_authorization_request_endpoint
    if endpoint is not None:
        answer = calls.post(platform, provider, endpoint, parameters)
        request_uri = answer.body.get("request_uri")
        if answer.status != 201 or not isinstance(request_uri, str):
            raise UpstreamUnavailable("pushed_request")
        parameters = {"client_id": provider.client_id, "request_uri": request_uri}
    separator = "&" if "?" in provider.authorization_endpoint else "?"
    return f"{provider.authorization_endpoint}{separator}{urlencode(parameters)}"


def take_attempt(platform: Platform, state: str, browser: str) -> Attempt | None:
    """The attempt that this browser began with this state, once.

    One of another browser is not found, and stays what it was.
    """
    sealed = platform.ephemeral.take(_key(state, browser))
    if sealed is None:
        return None
    try:
        text = platform.keyring.fields.decrypt(sealed.decode("ascii"), CONTEXT)
    except DecryptionError:
        return None
    return Attempt(**json.loads(text))


def _key(state: str, browser: str) -> str:
    return f"upstream:attempt:{crypto.hash_token(f'{state} {browser}')}"


def finish(
    platform: Platform, attempt: Attempt, answer: Mapping[str, str], now: datetime
) -> Assertion | Refusal:
    """What the other platform says of the person who came back with this answer.

    ``upstream_denied``, ``upstream_unavailable``, ``upstream_answer_invalid``, ``upstream_stale``,
    ``upstream_unverified``; ``reason`` is for the trail.
    """
    try:
        provider = provider_of(platform)
        return _finish(platform, provider, attempt, _code(provider, answer), now)
    except UpstreamFailure as failure:
        return Refusal.of(failure.code, reason=failure.reason)


def _code(provider: Provider, answer: Mapping[str, str]) -> str:
    """The code of an answer from this provider (RFC 6749 §4.1.2, RFC 9207 §2.4)."""
    issuer = answer.get("iss")
    if issuer != provider.issuer and (issuer is not None or provider.tells_iss):
        raise UpstreamAnswerInvalid("iss")
    error = answer.get("error")
    if error == "access_denied":
        raise UpstreamFailure("upstream_denied", "access_denied")
    if error is not None:
        raise UpstreamUnavailable(error if error in SILENT else "error")
    if not answer.get("code"):
        raise UpstreamAnswerInvalid("no_code")
    return answer["code"]


def _finish(
    platform: Platform, provider: Provider, attempt: Attempt, code: str, now: datetime
) -> Assertion | Refusal:
    access_token, id_token = _redeemed(platform, provider, attempt, code)
    claims = tokens.id_token_claims(platform, provider, id_token, access_token, attempt.nonce, now)
    if not rules.is_recent(claims["auth_time"], attempt.not_before(now)):
        return Refusal.of("upstream_stale", reason="auth_time")
    answer = calls.get_jwt(platform, provider.userinfo_endpoint, access_token)
    told = tokens.userinfo_claims(platform, provider, answer, claims["sub"])
    allow_test = platform.settings.allow_test_identities
    identity = rules.identity_of(told, china_date(now), allow_test=allow_test)
    if isinstance(identity, Refusal):
        return identity
    return Assertion(
        issuer=provider.issuer,
        subject=claims["sub"],
        identity=identity,
        acr=claims.get("acr"),
        amr=rules.methods_of(claims.get("amr") or ()),
        auth_time=min(int(claims["auth_time"]), int(now.timestamp())),
    )


def _redeemed(platform: Platform, provider: Provider, attempt: Attempt, code: str) -> tuple[str, str]:
    """Access token and ID token for the code (Core 3.1.3)."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": provider.redirect_uri,
        "code_verifier": attempt.code_verifier,
    }
    answer = calls.post(platform, provider, provider.token_endpoint, form)
    access_token, id_token = _text(answer.body, "access_token"), _text(answer.body, "id_token")
    bearer = _text(answer.body, "token_type").lower() == "bearer"
    if answer.status != 200 or not (access_token and id_token and bearer):
        raise UpstreamAnswerInvalid("token_answer")
    return access_token, id_token


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""

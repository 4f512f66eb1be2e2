"""Authorizations: issued by the interaction, redeemed and rotated at the token endpoint.

A code and a refresh token are not stored. Each is the authorization's id with a MAC over what it stands for,
so that the row alone decides whether it still works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from idp import crypto
from idp.domain import assurance
from idp.domain.audit import AuditEvent, Origin
from idp.domain.authorization_details import Details
from idp.domain.claims import NATURAL_PERSON
from idp.domain.clients import Client
from idp.domain.errors import Refusal
from idp.domain.requested_claims import RequestedClaims
from idp.services import audit
from idp.services.grants import Grant, find_grant, grant_of
from idp.services.platform import Platform
from idp.services.revocation import revoke_one
from idp.storage import authorizations as rows
from idp.storage.database import single_statements, transaction

if TYPE_CHECKING:
    from idp.domain.interaction import Acting
    from idp.services.authentication import LoginView

CODE_TTL = timedelta(seconds=60)
SESSION_TTL = timedelta(hours=8)
OFFLINE_TTL = timedelta(days=30)
ROTATION_GRACE = timedelta(seconds=30)
ID_LENGTH = 22


@dataclass(frozen=True, slots=True)
class NewAuthorization:
    """What an interaction has agreed on."""

    client: Client
    login: LoginView
    acr: str
    acting: Acting | None
    scopes: frozenset[str]
    requested: RequestedClaims
    resources: tuple[str, ...]
    details: Details
    nonce: str | None
    redirect_uri: str
    code_challenge: str
    dpop_jkt: str | None
    code_ttl: timedelta = CODE_TTL


@dataclass(frozen=True, slots=True)
class Presented:
    """What comes with a code: all of it must be as when the code was asked for.

    ``jkt`` is the thumbprint of the key that the request proves to hold, if it does.
    """

    code: str
    redirect_uri: str
    code_challenge: str
    jkt: str | None = None


def issue(platform: Platform, new: NewAuthorization, now: datetime) -> str:
    """Store the authorization and return its code (RFC 6749 §4.1.2): one insert, 60 seconds, once."""
    authorization_id = crypto.random_id()
    with single_statements() as driver:
        rows.add(driver, _columns(authorization_id, new, now))
    return authorization_id + _seal(platform, "code", authorization_id)


def _columns(authorization_id: str, new: NewAuthorization, now: datetime) -> dict[str, object]:
    acting, login = new.acting, new.login
    verified = login.verification_status == "verified"
    # The account of an enterprise that it doesn't act for (it has been closed) acts in no capacity at all.
    person_type = NATURAL_PERSON if login.subject_type == NATURAL_PERSON and verified else None
    return {
        "id": authorization_id,
        "client_id": new.client.client_id,
        "account_id": login.account_id,
        "sid": login.sid,
        "enterprise_id": acting.enterprise_id if acting else None,
        "handler_authorization_id": acting.handler_authorization_id if acting else None,
        "account_type": acting.account_type if acting else person_type,
        "scope": " ".join(sorted(new.scopes)),
        "requested_claims": new.requested.as_json(),
        "resources": list(new.resources) or None,
        "authorization_details": [detail.as_json() for detail in new.details] or None,
        "dpop_jkt": new.dpop_jkt,
        "nonce": new.nonce,
        "auth_time": login.auth_time,
        "acr": new.acr,
        "amr": list(assurance.told(login.amr)),
        "redirect_uri": new.redirect_uri,
        "code_challenge": new.code_challenge,
        "code_expires_at": now + new.code_ttl,
        "redeemed_at": None,
        "generation": 0,
        "rotated_at": None,
        "expires_at": _end(new, now),
        "created_at": now,
        "revoked_at": None,
        "revoked_reason": None,
    }


def _end(new: NewAuthorization, now: datetime) -> datetime:
    """The sign-in session's own end, or that of offline access; never beyond the handler authorisation's."""
    offline = "offline_access" in new.scopes
    end = now + OFFLINE_TTL if offline else new.login.created_at + SESSION_TTL
    if new.acting is not None and new.acting.valid_until is not None:
        end = min(end, new.acting.valid_until)
    return end


def _seal(platform: Platform, purpose: str, text: str) -> str:
    return crypto.mac(platform.keyring.mac_key, purpose, crypto.octets(text)).hex()


def redeem_code(
    platform: Platform,
    client: Client,
    presented: Presented,
    origin: Origin,
    now: datetime,
) -> Grant | Refusal:
    """Exchange a code, once (RFC 6749 §4.1.3, RFC 7636 §4.6).

    A wrong client, redirect URI, verifier or key burns nothing; a second use revokes the authorization and
    says ``code_reused``; everything else is ``code_invalid``. The refresh tokens of a public client are bound
    to the key that it shows here (RFC 9449 §5).
    """
    code = presented.code
    authorization_id = code[:ID_LENGTH]
    if not crypto.constant_time_equal(code, authorization_id + _seal(platform, "code", authorization_id)):
        return Refusal.of("code_invalid")
    with single_statements() as driver:
        row = rows.redeem(
            driver,
            now,
            authorization_id=authorization_id,
            presented_by=client.client_id,
            presented_redirect_uri=presented.redirect_uri,
            presented_challenge=presented.code_challenge,
            presented_jkt=presented.jkt,
            bound_jkt=presented.jkt if client.public else None,
        )
    if row is None:
        return _refuse_code(platform, authorization_id, origin, now)
    return grant_of(client, row) or Refusal.of("code_invalid")


def _refuse_code(platform: Platform, authorization_id: str, origin: Origin, now: datetime) -> Refusal:
    with single_statements() as driver:
        state = rows.find_state(driver, authorization_id)
    if state is None or state["redeemed_at"] is None:
        return Refusal.of("code_invalid")
    return _end_reused(platform, state, authorization_id, "code_reused", origin, now)


def _end_reused(
    platform: Platform,
    state: Mapping[str, Any],
    authorization_id: str,
    reuse: str,
    origin: Origin,
    now: datetime,
) -> Refusal:
    """Somebody else may have what is shown twice: nothing of the authorization goes on."""
    with transaction() as session:
        if revoke_one(session, platform, authorization_id, reuse, now):
            audit.record(
                session,
                AuditEvent.TOKEN_REUSE,
                origin,
                account_id=state["account_id"],
                client_id=state["client_id"],
                object_id=authorization_id,
                result=reuse,
            )
    return Refusal.of(reuse)


def refresh_token_of(platform: Platform, grant: Grant) -> str:
    """The refresh token of the grant's present generation."""
    text = f"{grant.authorization_id}.{grant.generation}"
    return f"{text}.{_seal(platform, 'refresh', text)}"


def _open_refresh_token(platform: Platform, token: str) -> tuple[str, int] | None:
    """The authorization id and generation of a refresh token that this platform made;
    None for any other text.
    """
    text, _, _seal_part = token.rpartition(".")
    authorization_id, _, generation = text.partition(".")
    if not crypto.constant_time_equal(token, f"{text}.{_seal(platform, 'refresh', text)}"):
        return None
    return authorization_id, int(generation)


def rotate(
    platform: Platform,
    client: Client,
    refresh_token: str,
    jkt: str | None,
    origin: Origin,
    now: datetime,
) -> Grant | Refusal:
    """Step to the next refresh token (RFC 9700 §4.14.2); ``jkt`` is the key that the request proves to hold.

    The former one still works for 30 seconds, with the same successor; an older one is reuse and revokes the
    authorization (``refresh_token_reused``). A confidential client whose tokens are bound to its key keeps
    its refresh token (FAPI 2.0 5.3.2.1).
    """
    if client.sender_constrained and not client.public:
        return _renew(platform, client, refresh_token, now)
    opened = _open_refresh_token(platform, refresh_token)
    if opened is None:
        return Refusal.of("refresh_token_invalid")
    authorization_id, generation = opened
    with single_statements() as driver:
        row = rows.rotate(driver, authorization_id, client.client_id, generation, jkt, now)
    if row is None:
        return _rotate_again(platform, client, authorization_id, generation, jkt, origin, now)
    return grant_of(client, row) or Refusal.of("refresh_token_invalid")


def _renew(platform: Platform, client: Client, refresh_token: str, now: datetime) -> Grant | Refusal:
    """The grant whose refresh token stays as it is."""
    grant = find_by_refresh_token(platform, refresh_token, now)
    if grant is None or grant.client_id != client.client_id:
        return Refusal.of("refresh_token_invalid")
    return grant


def _rotate_again(
    platform: Platform,
    client: Client,
    authorization_id: str,
    generation: int,
    jkt: str | None,
    origin: Origin,
    now: datetime,
) -> Grant | Refusal:
    """Why the generation didn't step: a second tab within the grace, reuse, or something that has ended."""
    with single_statements() as driver:
        state = rows.find_state(driver, authorization_id)
        live = rows.find_live(driver, authorization_id, now)
    if state is None or state["client_id"] != client.client_id or state["revoked_at"] is not None:
        return Refusal.of("refresh_token_invalid")
    if state["dpop_jkt"] not in {None, jkt}:  # whoever took the token has not got the key: nothing is lost
        return Refusal.of("refresh_token_invalid")
    if live is not None and _in_grace(state, generation, now):
        return grant_of(client, live) or Refusal.of("refresh_token_invalid")
    if generation >= state["generation"]:
        return Refusal.of("refresh_token_invalid")  # current, but what it rests on has ended
    return _end_reused(platform, state, authorization_id, "refresh_token_reused", origin, now)


def _in_grace(state: Mapping[str, Any], generation: int, now: datetime) -> bool:
    return (
        generation == state["generation"] - 1
        and state["rotated_at"] is not None
        and now - state["rotated_at"] < ROTATION_GRACE
    )


def find_by_refresh_token(
    platform: Platform, refresh_token: str, now: datetime, *, former: bool = False
) -> Grant | None:
    """The live grant whose current refresh token this is (RFC 7662 §2.2), or with ``former`` once was."""
    opened = _open_refresh_token(platform, refresh_token)
    grant = find_grant(platform, opened[0], now) if opened else None
    return grant if grant and opened and (former or grant.generation == opened[1]) else None

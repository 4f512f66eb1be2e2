"""Authorizations: issued by the interaction, redeemed and rotated at the token endpoint,
revoked by whatever ends them.

A code and a refresh token are not stored. Each is the authorization's id with a MAC over what it stands for,
so that the row alone decides whether it still works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, RowMapping
from sqlalchemy.orm import Session

from idp import crypto
from idp.domain import assurance, authorization_details
from idp.domain.audit import AuditEvent, Origin
from idp.domain.authorization_details import Details, HandlerDetail
from idp.domain.claims import HANDLER, NATURAL_PERSON, PersonalData, Subject, handler_scope
from idp.domain.clients import Client
from idp.domain.errors import Refusal
from idp.domain.requested_claims import RequestedClaims
from idp.services import audit, clients, outbox, signals
from idp.services.platform import Platform
from idp.storage import authorizations as rows
from idp.storage.authorizations import Authorization
from idp.storage.database import reading, single_statements, transaction

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


@dataclass(frozen=True, slots=True)
class Grant:
    """A live authorization as the token endpoint and its neighbours need it."""

    authorization_id: str
    client_id: str
    subject: Subject
    scopes: frozenset[str]
    requested: RequestedClaims
    resources: tuple[str, ...]
    details: Details
    nonce: str | None
    generation: int
    expires_at: datetime


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
    return _grant(client, row) or Refusal.of("code_invalid")


def _refuse_code(platform: Platform, authorization_id: str, origin: Origin, now: datetime) -> Refusal:
    with single_statements() as driver:
        state = rows.find_state(driver, authorization_id)
    if state is None or state["redeemed_at"] is None:
        return Refusal.of("code_invalid")
    with transaction() as session:
        if _revoke(session, platform, Authorization.id == authorization_id, "code_reused", now):
            _record_reuse(session, state, authorization_id, "code_reused", origin)
    return Refusal.of("code_reused")


def _record_reuse(
    session: Session, state: Mapping[str, Any], authorization_id: str, result: str, origin: Origin
) -> None:
    audit.record(
        session,
        AuditEvent.TOKEN_REUSE,
        origin,
        account_id=state["account_id"],
        client_id=state["client_id"],
        object_id=authorization_id,
        result=result,
    )


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
    return _grant(client, row) or Refusal.of("refresh_token_invalid")


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
        return _grant(client, live) or Refusal.of("refresh_token_invalid")
    if generation >= state["generation"]:
        return Refusal.of("refresh_token_invalid")  # current, but what it rests on has ended
    with transaction() as session:
        if _revoke(session, platform, Authorization.id == authorization_id, "refresh_token_reused", now):
            _record_reuse(session, state, authorization_id, "refresh_token_reused", origin)
    return Refusal.of("refresh_token_reused")


def _in_grace(state: Mapping[str, Any], generation: int, now: datetime) -> bool:
    return (
        generation == state["generation"] - 1
        and state["rotated_at"] is not None
        and now - state["rotated_at"] < ROTATION_GRACE
    )


def find_grant(platform: Platform, authorization_id: str, now: datetime) -> Grant | None:
    """The grant of a redeemed authorization on which everything still stands; one query (two with roles)."""
    with single_statements() as driver:
        row = rows.find_live(driver, authorization_id, now)
    return None if row is None else _grant_of_row(platform, row)


def find_grant_with_person(
    platform: Platform, authorization_id: str, now: datetime, *, with_document: bool = False
) -> tuple[Grant, PersonalData] | None:
    """As :func:`find_grant`, with what userinfo may tell of the person; one query (two with roles).

    ``with_document`` opens the identity document too, which nothing but an encrypted answer may carry.
    """
    with single_statements() as driver:
        row = rows.find_live_with_person(driver, authorization_id, now)
    grant = None if row is None else _grant_of_row(platform, row)
    if row is None or grant is None:
        return None
    return grant, _person(platform, grant, row, with_document=with_document)


def find_by_refresh_token(
    platform: Platform, refresh_token: str, now: datetime, *, former: bool = False
) -> Grant | None:
    """The live grant whose current refresh token this is (RFC 7662 §2.2), or with ``former`` once was."""
    opened = _open_refresh_token(platform, refresh_token)
    grant = find_grant(platform, opened[0], now) if opened else None
    return grant if grant and opened and (former or grant.generation == opened[1]) else None


def _grant_of_row(platform: Platform, row: Mapping[str, Any]) -> Grant | None:
    client = clients.find_client(platform, row["client_id"])
    return None if client is None else _grant(client, row)


def _grant(client: Client, row: Mapping[str, Any]) -> Grant | None:
    """None when the authorisation covers no matter any more that the client serves (claims.md, rule 2)."""
    matters = handler_scope(row["matters"] or (), client.matters)
    asked = tuple(HandlerDetail.from_json(element) for element in row["authorization_details"] or ())
    details = authorization_details.in_force(asked, client.matters)
    if row["account_type"] == HANDLER:
        details = authorization_details.in_force(details, matters)
        matters = handler_scope(matters, authorization_details.matters_of(details)) if asked else matters
        if not matters:
            return None
    scopes = frozenset(row["scope"].split())
    return Grant(
        authorization_id=row["id"],
        client_id=row["client_id"],
        subject=Subject(
            account_id=row["account_id"],
            account_type=row["account_type"],
            auth_time=row["auth_time"],
            acr=row["acr"],
            amr=tuple(row["amr"]),
            sid=row["sid"],
            enterprise_credit_code=row["enterprise_credit_code"],
            enterprise_name=row["enterprise_name"],
            handler_authorization_id=row["handler_authorization_id"],
            handler_scope=matters,
            roles=_roles(client, row["account_id"], scopes),
        ),
        scopes=scopes,
        requested=RequestedClaims.from_json(row["requested_claims"]),
        resources=tuple(row["resources"] or ()),
        details=details,
        nonce=row["nonce"],
        generation=row["generation"],
        expires_at=row["expires_at"],
    )


def _roles(client: Client, account_id: str, scopes: frozenset[str]) -> tuple[str, ...]:
    if "roles" not in scopes or not client.roles:
        return ()
    with single_statements() as driver:
        held = rows.list_roles(driver, account_id, client.client_id)
    return tuple(role for role in held if role in client.roles)


def _process_of(platform: Platform, row: Mapping[str, Any]) -> str:
    """A name for the account's real-name authentication from which nothing else can be told."""
    text = f"{row['account_id']} {row['verified_at']}"
    return crypto.mac(platform.keyring.mac_key, "verification_process", text.encode()).hex()[:32]


def _asks_verified(grant: Grant) -> bool:
    return "verified_claims" in grant.scopes or bool(grant.requested.verified)


def _person(platform: Platform, grant: Grant, row: Mapping[str, Any], *, with_document: bool) -> PersonalData:
    def opened(column: str) -> str | None:
        sealed = row[f"{column}_encrypted"]
        return platform.keyring.fields.decrypt(sealed, f"accounts.{column}") if sealed else None

    return PersonalData(
        login_name=row["login_name"],
        name=opened("real_name"),
        email=opened("email") or "",
        phone=opened("phone") or "",
        address=opened("address"),
        updated_time=int(row["updated_at"].timestamp()),
        verified_at=row["verified_at"],
        verification_process=_process_of(platform, row) if _asks_verified(grant) else "",
        document_type=row["document_type"] if with_document else None,
        document_number=opened("document_number") if with_document else None,
        granted_at=row["granted_at"],
        granted_from=row["granted_from"],
        granted_until=row["granted_until"],
    )


def revoke(platform: Platform, grant: Grant, origin: Origin, now: datetime) -> None:
    """End an authorization on its client's word (RFC 7009)."""
    with transaction() as session:
        _revoke(session, platform, Authorization.id == grant.authorization_id, "client", now, notify=False)
        audit.record(
            session,
            AuditEvent.AUTHORIZATION_REVOKE,
            origin,
            account_id=grant.subject.account_id,
            client_id=grant.client_id,
            object_id=grant.authorization_id,
        )


def revoke_for_handler(
    session: Session, platform: Platform, handler_authorization_id: str, reason: str, now: datetime
) -> int:
    """End everything that rests on a handler authorisation and tell the clients; returns how many
    grants that were.
    """
    criterion = Authorization.handler_authorization_id == handler_authorization_id
    return _revoke(session, platform, criterion, reason, now)


def end_uncovered(
    session: Session,
    platform: Platform,
    handler_authorization_id: str,
    matters: tuple[str, ...],
    now: datetime,
) -> None:
    """A handler authorisation covers other matters now: end what is left without any, and tell the clients.

    What keeps some of them goes on; every answer about a token reads them anew.
    """
    resting = Authorization.handler_authorization_id == handler_authorization_id
    for client_id in rows.list_resting_clients(session, handler_authorization_id):
        client = clients.find_client(platform, client_id)
        if client is None or not handler_scope(matters, client.matters):
            criterion = resting & (Authorization.client_id == client_id)
            _revoke(session, platform, criterion, "handler_narrowed", now)


def end_lapsed_handlers(platform: Platform, now: datetime, limit: int = 100) -> int:
    """Tell the clients of handler authorisations, up to ``limit``, whose validity is over; for the worker.

    No token waits for it: each is judged by the clock.
    """
    with reading() as session:
        lapsed = rows.list_lapsed_handlers(session, now, limit)
    for handler_authorization_id in lapsed:
        with transaction() as session:
            revoke_for_handler(session, platform, handler_authorization_id, "handler_expired", now)
    return len(lapsed)


def revoke_for_client(
    session: Session, platform: Platform, account_id: str, client_id: str, now: datetime
) -> int:
    """End everything an account has granted a client."""
    criterion = (Authorization.account_id == account_id) & (Authorization.client_id == client_id)
    return _revoke(session, platform, criterion, "consent_withdrawn", now)


def revoke_for_enterprise(
    session: Session, platform: Platform, enterprise_id: str, reason: str, now: datetime
) -> int:
    """End everything that has been granted for an enterprise, by whomever, and tell the clients."""
    return _revoke(session, platform, Authorization.enterprise_id == enterprise_id, reason, now)


def revoke_for_account(
    session: Session, platform: Platform, account_id: str, reason: str, now: datetime
) -> int:
    """End everything an account has granted, offline access too, and tell the clients."""
    return _revoke(session, platform, Authorization.account_id == account_id, reason, now)


def end_session(session: Session, platform: Platform, sid: str, reason: str, now: datetime) -> None:
    """End what ends with a browser session: all but offline access, and tell every client that took
    part in it.
    """
    told = rows.clients_of_session(session, sid)
    for row in told:
        _notify(session, platform, row)
    signals.sessions_ended(session, platform, told, reason, now)
    offline = (" " + Authorization.scope + " ").contains(" offline_access ", autoescape=True)
    ending = (Authorization.sid == sid) & ~offline
    _revoke(session, platform, ending, "session_ended", now, notify=False)


def _revoke(
    session: Session,
    platform: Platform,
    criterion: ColumnElement[bool],
    reason: str,
    now: datetime,
    *,
    notify: bool = True,
) -> int:
    revoked = rows.revoke(session, criterion, reason, now)
    told: set[tuple[str, str | None]] = set()
    for row in revoked if notify else ():
        if row["redeemed_at"] is not None and (row["client_id"], row["sid"]) not in told:
            told.add((row["client_id"], row["sid"]))
            _notify(session, platform, row)
    if notify:
        signals.authorizations_ended(session, platform, revoked, reason, now)
    return len(revoked)


def _notify(session: Session, platform: Platform, row: RowMapping) -> None:
    """Put a back-channel logout token for the client of ``row`` into the outbox, if it wants one."""
    client = clients.find_client(platform, row["client_id"])
    if client is not None and client.backchannel_logout_uri is not None:
        claims = {"sub": row["account_id"], "sid": row["sid"]}
        outbox.enqueue_logout_token(
            session, platform, client.client_id, client.backchannel_logout_uri, claims
        )

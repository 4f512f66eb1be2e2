"""Grants: what a live authorization is worth at this moment, to its client and of its person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp import crypto
from idp.domain import authorization_details
from idp.domain.authorization_details import Details, HandlerDetail
from idp.domain.claims import HANDLER, PersonalData, Subject, handler_scope
from idp.domain.clients import Client
from idp.domain.requested_claims import RequestedClaims
from idp.services import clients
from idp.services.platform import Platform
from idp.storage import authorizations as rows
from idp.storage.database import single_statements


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


def _grant_of_row(platform: Platform, row: Mapping[str, Any]) -> Grant | None:
    client = clients.find_client(platform, row["client_id"])
    return None if client is None else grant_of(client, row)


def grant_of(client: Client, row: Mapping[str, Any]) -> Grant | None:
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

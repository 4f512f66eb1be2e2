"""系统绑定: the relying parties that people sign in at, from the client register."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from idp import clock
from idp.domain.audit import Origin
from idp.domain.client_metadata import client_from
from idp.domain.clients import Client
from idp.services import consents
from idp.services.consents import ConsentView
from idp.services.platform import Platform
from idp.storage import authorizations
from idp.storage import clients as rows
from idp.storage.database import reading


@dataclass(frozen=True, slots=True)
class SystemView:
    """A relying party as people see it; ``address`` is where it begins, None if it doesn't say.

    ``matters`` are those that a handler needs for it; ``require_enterprise``: only for an enterprise.
    """

    client_id: str
    name: str
    address: str | None
    matters: tuple[str, ...]
    scopes: frozenset[str]
    require_enterprise: bool


@dataclass(frozen=True, slots=True)
class BoundSystemView:
    """A system that an account uses: what it allowed there, when it was last used, whether it is in force."""

    system: SystemView
    consents: tuple[ConsentView, ...]
    last_used_at: datetime | None
    in_force: bool


def list_connected(platform: Platform) -> list[SystemView]:
    """The systems that people may enter from here, by name.

    Only what an administrator registered: a client that registers itself chooses its own name, and could
    choose that of another.
    """
    with reading() as session:
        entered = [_entered(row) for row in rows.list_all(session)]
    return sorted((_view(platform, client) for client in entered if client), key=lambda system: system.name)


def list_bound(platform: Platform, account_id: str) -> list[BoundSystemView]:
    """The systems that this account has signed in at or consented to, the last used first."""
    given = consents.list_of_account(account_id)
    with reading() as session:
        uses = {row["client_id"]: row for row in authorizations.list_uses(session, account_id, clock.now())}
        ids = dict.fromkeys([*(consent.client_id for consent in given), *uses])
        found = [(client_id, _find(session, client_id)) for client_id in ids]
    bound = [
        BoundSystemView(
            _view(platform, client),
            tuple(consent for consent in given if consent.client_id == client_id),
            uses[client_id]["last_used_at"] if client_id in uses else None,
            client_id in uses and bool(uses[client_id]["in_force"]),
        )
        for client_id, client in found
        if client is not None
    ]
    return sorted(filter(_counts, bound), key=_latest, reverse=True)


def unbind(platform: Platform, account_id: str, client_id: str, origin: Origin) -> bool:
    """Withdraw every consent given to a system and end what rests on it; the system is told.

    False when the account does not use the system; nothing has changed then.
    """
    if all(bound.system.client_id != client_id for bound in list_bound(platform, account_id)):
        return False
    consents.withdraw(platform, account_id, client_id, origin)
    return True


def _find(session: Session, client_id: str) -> Client | None:
    row = rows.find(session, client_id)
    return client_from(row.client_metadata, disabled=row.disabled_at is not None) if row else None


def _entered(row: rows.Client) -> Client | None:
    """The client of this row if people may enter it from here."""
    client = client_from(row.client_metadata, disabled=row.disabled_at is not None)
    given = client.initiate_login_uri or client.client_uri
    by_people = "authorization_code" in client.grant_types and not client.disabled
    return client if given and by_people and row.registration_access_token_hash is None else None


def _view(platform: Platform, client: Client) -> SystemView:
    return SystemView(
        client.client_id,
        client.client_name or client.client_id,
        None if client.disabled else _address(platform, client),
        client.matters,
        client.scopes,
        client.require_enterprise,
    )


def _address(platform: Platform, client: Client) -> str | None:
    """Where it begins: its sign-in by this platform (OIDC Core 4), else its home page."""
    if client.initiate_login_uri is None:
        return client.client_uri
    mark = "&" if "?" in client.initiate_login_uri else "?"
    return f"{client.initiate_login_uri}{mark}{urlencode({'iss': platform.settings.issuer})}"


def _counts(bound: BoundSystemView) -> bool:
    """Whether it is bound: what was ended is the past, its trace stays in the audit trail."""
    return bound.in_force or bool(bound.consents)


def _latest(bound: BoundSystemView) -> datetime:
    given = [consent.granted_at for consent in bound.consents]
    return max([*given, *([bound.last_used_at] if bound.last_used_at else [])])

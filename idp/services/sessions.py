"""Where an account is signed in, and from there at which relying parties; ending it from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from idp import clock
from idp.domain import accounts as rules
from idp.domain import known_devices
from idp.domain.audit import Origin
from idp.services import authentication, clients
from idp.services.authentication import LoginView
from idp.services.platform import Platform
from idp.storage import authorizations as rows
from idp.storage.database import reading, transaction

REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class SessionView:
    """A login; ``network`` is as much as its address tells of a place, ``clients`` are signed in from it.

    Without a sign of life it ends at ``idle_at``, in any case at ``login.expires_at``.
    """

    login: LoginView
    network: str | None
    idle_at: datetime
    clients: tuple[str, ...]


def list_sessions(platform: Platform, account_id: str) -> list[SessionView]:
    """The account's logins that are awake, the one seen last first."""
    logins = authentication.list_logins(platform, account_id)
    signed_in = _clients_by_sid(platform, account_id)
    return [
        SessionView(
            login,
            known_devices.network_of(login.address),
            min(login.last_seen_at + rules.LOGIN_IDLE_TTL, login.expires_at),
            signed_in.get(login.sid, ()),
        )
        for login in logins
    ]


def _clients_by_sid(platform: Platform, account_id: str) -> Mapping[str, tuple[str, ...]]:
    with reading() as session:
        found = rows.list_clients_of_logins(session, account_id, clock.now())
    names: dict[str, list[str]] = {}
    for sid, client_id in found:
        client = clients.find_client(platform, client_id)
        names.setdefault(sid, []).append(client.client_name if client else client_id)
    return {sid: tuple(sorted(called)) for sid, called in names.items()}


def end(platform: Platform, account_id: str, sid: str, origin: Origin) -> bool:
    """End one login of the account and tell its clients; False when it isn't one that is awake."""
    if all(login.sid != sid for login in authentication.list_logins(platform, account_id)):
        return False
    authentication.end_login(platform, sid, origin, REMOTE)
    return True


def end_others(platform: Platform, account_id: str, kept_sid: str, origin: Origin) -> None:
    """End every login of the account but one, at once, and tell their clients."""
    with transaction() as session:
        authentication.end_other_logins(session, platform, account_id, kept_sid, origin, REMOTE)

"""Coming back: an account that fell asleep, or that is leaving, is woken by its holder after the sign-in.

Both factors were right; that, and which account it was, is kept here for ten minutes under a handle that only
this browser has.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from idp import clock
from idp.crypto import hash_token, random_token
from idp.domain import account_life as rules
from idp.domain.account_life import Status
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.ephemeral import EphemeralUnavailable
from idp.services import account_notices, audit, sms_codes
from idp.services.authentication import Authenticated
from idp.services.platform import Platform
from idp.services.sms_codes import Destination
from idp.storage import account_life as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction

PURPOSE: Final = "revive"
OFFER_TTL: Final = timedelta(minutes=10)
_EVENTS: Final = {
    Status.DORMANT: (AuditEvent.ACCOUNT_WAKE, "account_woken"),
    Status.LEAVING: (AuditEvent.ACCOUNT_DELETION_CANCEL, "deletion_cancelled"),
}


@dataclass(frozen=True, slots=True)
class Sleeper:
    """The account behind a handle. ``done_at``: when its deletion will be done, if it is leaving."""

    account_id: str
    login_name: str
    phone: str
    status: str
    done_at: datetime | None
    authenticated: Authenticated

    @property
    def must_show_code(self) -> bool:
        """Whether a code to the bound phone comes first."""
        return rules.must_show_code(self.status)


def offer(platform: Platform, authenticated: Authenticated) -> str | Refusal:
    """Keep what was shown at the sign-in; the handle. ``service_unavailable``."""
    handle = random_token()
    try:
        platform.ephemeral.put(_key(handle), json.dumps(asdict(authenticated)).encode(), OFFER_TTL)
    except EphemeralUnavailable:
        return Refusal.of("service_unavailable")
    return handle


def _key(handle: str) -> str:
    return f"revival:{hash_token(handle)}"


def find(platform: Platform, handle: str) -> Sleeper | None:
    """Who may come back by this handle; None when it is too old or the account no longer waits for it."""
    stored = platform.ephemeral.get(_key(handle))
    if stored is None:
        return None
    shown = json.loads(stored)
    authenticated = Authenticated(**{**shown, "amr": tuple(shown["amr"])})
    with reading() as session:
        account = session.get(Account, authenticated.account_id)
    if account is None or account.status not in _EVENTS:
        return None
    requested_at = account.deletion_requested_at
    return Sleeper(
        account_id=account.id,
        login_name=account.login_name,
        phone=platform.keyring.fields.decrypt(account.phone_encrypted, "accounts.phone"),
        status=account.status,
        done_at=rules.deletion_at(requested_at) if requested_at else None,
        authenticated=authenticated,
    )


def send_code(platform: Platform, sleeper: Sleeper, origin: Origin) -> Refusal | None:
    """A code to the bound phone; refuses as ``sms_codes.send_code``."""
    return sms_codes.send_code(platform, _destination(sleeper), PURPOSE, origin)


def _destination(sleeper: Sleeper) -> Destination:
    return Destination(sleeper.phone, sleeper.account_id, sleeper.account_id)


def revive(
    platform: Platform, handle: str, sleeper: Sleeper, sms_code: str, origin: Origin
) -> Authenticated | Refusal:
    """Make the account active again and answer what was shown at its sign-in.

    ``sms_code_wrong``, ``sms_code_expired``; ``revival_over`` when it has been deleted or woken meanwhile.
    """
    try:
        refusal = _refuse_code(platform, sleeper, sms_code)
    except EphemeralUnavailable:
        return Refusal.of("service_unavailable")
    if refusal is not None:
        return refusal
    with transaction() as session:
        account = rows.lock_account(session, sleeper.account_id)
        if account is None or account.status != sleeper.status:
            return Refusal.of("revival_over")
        event, purpose = _EVENTS[Status(account.status)]
        account.status, account.updated_at = Status.ACTIVE.value, clock.now()
        account.deletion_requested_at = account.dormancy_reminded_at = None
        account.last_sign_in_at = clock.now()
        session.flush()
        audit.record(session, event, origin, account_id=account.id)
        account_notices.tell(session, platform, account, purpose)
    platform.ephemeral.drop(_key(handle))
    return sleeper.authenticated


def _refuse_code(platform: Platform, sleeper: Sleeper, sms_code: str) -> Refusal | None:
    if not sleeper.must_show_code:
        return None
    if not sms_code.strip():
        return Refusal.of("required", "sms_code")
    examined = sms_codes.try_code(platform, _destination(sleeper), PURPOSE, sms_code)
    if isinstance(examined, Refusal):
        return examined
    used = sms_codes.redeem_code(platform, _destination(sleeper), PURPOSE, sms_code)
    return None if used else Refusal.of("sms_code_expired", "sms_code")

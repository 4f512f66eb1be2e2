"""Accounts that nobody signs in to: reminded a month before, then put to sleep until they prove themselves.

A sleeping account can do nothing, as a frozen one; its handler authorisations stay what they are and serve
again when it wakes. For an enterprise whose legal-person account sleeps its handlers go on; nothing new is
decided meanwhile.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from idp.domain import account_life as rules
from idp.domain import dates
from idp.domain.account_life import REMINDER_BEFORE, Silence
from idp.domain.audit import AuditEvent, Origin
from idp.services import account_notices, audit, authentication, revocation
from idp.services.platform import Platform
from idp.storage import account_life as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction

REASON = "dormant"
BATCH = 50


def tend(platform: Platform, now: datetime, origin: Origin) -> int:
    """Remind and put to sleep a batch of accounts; how many. Any number of workers may do so."""
    if not platform.settings.dormant_days:
        return 0
    limits = rules.silence(now, platform.settings.dormant_days)
    with reading() as session:
        silent = rows.list_silent(session, limits.remind_before, BATCH)
        asleep = rows.list_asleep(session, limits.sleep_before, limits.reminded_before, BATCH)
    reminded = sum(_remind(platform, account_id, limits, now, origin) for account_id in silent)
    return reminded + sum(_put_to_sleep(platform, account_id, limits, now, origin) for account_id in asleep)


def _remind(platform: Platform, account_id: str, limits: Silence, now: datetime, origin: Origin) -> bool:
    with transaction() as session:
        if not rows.mark_reminded(session, account_id, limits.remind_before, now):
            return False
        day = dates.china_date(now + REMINDER_BEFORE).isoformat()
        account_notices.tell(session, platform, _account(session, account_id), "dormancy_near", day=day)
        audit.record(session, AuditEvent.ACCOUNT_DORMANCY_REMINDER, origin, object_id=account_id)
    return True


def _put_to_sleep(
    platform: Platform, account_id: str, limits: Silence, now: datetime, origin: Origin
) -> bool:
    with transaction() as session:
        if not rows.put_to_sleep(session, account_id, limits.sleep_before, limits.reminded_before):
            return False
        authentication.end_other_logins(session, platform, account_id, None, origin, REASON)
        revocation.revoke_for_account(session, platform, account_id, REASON, now)
        audit.record(session, AuditEvent.ACCOUNT_SLEEP, origin, object_id=account_id)
    return True


def _account(session: Session, account_id: str) -> Account:
    return session.get_one(Account, account_id)

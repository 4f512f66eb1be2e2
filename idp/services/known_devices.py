"""The browsers an account signs in from: known ones pass, of an unknown one its holder is told by SMS.

The one who signs in learns nothing of it: the page is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, sms
from idp.crypto import hash_token, random_id, random_token
from idp.domain import dates
from idp.domain import known_devices as rules
from idp.domain.audit import AuditEvent, Origin
from idp.ephemeral import EphemeralUnavailable
from idp.services import audit, outbox
from idp.services.platform import Platform
from idp.storage import known_devices as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, single_statements, transaction


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A known browser; ``present`` is the one that asks."""

    id: str
    user_agent: str
    first_seen_at: datetime
    last_seen_at: datetime
    present: bool


@dataclass(frozen=True, slots=True)
class Meeting:
    """A browser at a sign-in: its token, if it brought one, and what it is called in words.

    ``trusted``: the account was registered in it just now, so that there is nobody to warn.
    """

    token: str | None
    name: str
    trusted: bool = False


def meet(platform: Platform, account_id: str, meeting: Meeting, origin: Origin) -> str:
    """Know the browser from now on, and tell the account's phone if it wasn't known; its token.

    A browser keeps its token whoever signs in there, so that two people at one machine stay known.
    """
    token, now = meeting.token or random_token(), clock.now()
    digest = _digest(account_id, token)
    if meeting.token is not None and _is_known(digest, origin, now):
        return token
    may_alert = not meeting.trusted and _may_alert(platform, account_id)
    try:
        with transaction() as session:
            _keep(session, account_id, digest, origin, now)
            if may_alert:
                _alert(session, platform, account_id, meeting.name, now)
    except IntegrityError:
        pass  # the same browser signs in twice at once: the other one has kept it
    return token


def _digest(account_id: str, token: str) -> str:
    return hash_token(f"{account_id}:{token}")


def _is_known(digest: str, origin: Origin, now: datetime) -> bool:
    with single_statements() as driver:
        return rows.mark_seen(driver, digest, now - rules.DEVICE_TTL, origin.user_agent, now)


def _may_alert(platform: Platform, account_id: str) -> bool:
    """A few messages a day are a warning, more are noise. When nobody can count, it is told."""
    if not platform.settings.throttle:
        return True
    try:
        hit = platform.ephemeral.hit(f"device-alert:{account_id}", rules.ALERT_DAY)
    except EphemeralUnavailable:
        return True
    return hit.count <= rules.ALERTS_PER_DAY


def _keep(session: Session, account_id: str, digest: str, origin: Origin, now: datetime) -> None:
    device_id = random_id()
    rows.insert_device(
        session,
        {
            "id": device_id,
            "account_id": account_id,
            "token_hash": digest,
            "user_agent": origin.user_agent,
            "first_seen_at": now,
            "last_seen_at": now,
        },
        now - rules.DEVICE_TTL,
    )
    rows.forget_oldest(session, account_id, rules.MOST_DEVICES)
    audit.record(session, AuditEvent.DEVICE_NEW, origin, account_id=account_id, object_id=device_id)


def _alert(session: Session, platform: Platform, account_id: str, name: str, now: datetime) -> None:
    account = session.get_one(Account, account_id)
    phone = platform.keyring.fields.decrypt(account.phone_encrypted, "accounts.phone")
    moment = now.astimezone(dates.CHINA_STANDARD_TIME).strftime("%m月%d日%H:%M")
    text = sms.text("device_new", login_name=account.login_name, moment=moment, device=name)
    outbox.enqueue_sms(session, platform, phone, "device_new", text)


def list_of_account(account_id: str, token: str | None) -> list[DeviceView]:
    """The known browsers of an account, the one seen last first; ``token`` is that of the one that asks."""
    present = _digest(account_id, token) if token else None
    with reading() as session:
        found = rows.list_devices(session, account_id, clock.now() - rules.DEVICE_TTL)
    return [
        DeviceView(
            device.id,
            device.user_agent,
            device.first_seen_at,
            device.last_seen_at,
            device.token_hash == present,
        )
        for device in found
    ]


def forget(account_id: str, device_id: str, origin: Origin) -> bool:
    """Know a browser no longer: the next sign-in there is told; False when it is none of the account's."""
    with transaction() as session:
        found = rows.delete_device(session, account_id, device_id)
        if found:
            event = AuditEvent.DEVICE_REMOVE
            audit.record(session, event, origin, account_id=account_id, object_id=device_id)
    return found

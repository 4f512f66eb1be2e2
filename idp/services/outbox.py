"""The outbox: text messages, back-channel logouts and security events, written with their cause, delivered
afterwards.

A message is leased for one attempt in a short transaction, delivered outside any, then marked. So two workers
never hold the same message, and one that dies gives its message back when the lease runs out: at least once.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from idp import clock
from idp.crypto import DecryptionError
from idp.domain.deliveries import CODE_WORTH, refusal_of
from idp.outbound import OutboundError
from idp.prepared import Driver
from idp.services.platform import Platform
from idp.sms import SmsError, SmsGateway
from idp.storage import outbox as rows
from idp.storage.database import reading, transaction
from idp.storage.outbox import Leased

SMS = "sms"
BACKCHANNEL_LOGOUT = "backchannel_logout"
SIGNAL = "signal"
NOTHING = "nothing"

LEASE_TTL = timedelta(seconds=30)  # several times what one attempt may take
FIRST_RETRY_AFTER = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=5)
NOTICE_WORTH = timedelta(hours=24)
LOGOUT_WORTH = timedelta(hours=8)  # no browser session outlives this
SIGNAL_WORTH = timedelta(days=7)  # a client may keep sessions and data of its own for as long as it likes

# The message (client_id, claims) to a JWT; None when there is no such client any more.
SignLogoutToken = Callable[[Mapping[str, Any]], str | None]
# Delivers a security event (client_id, stream_id, claims), or raises as an attempt that failed.
PushSignal = Callable[[Mapping[str, Any]], None]


class DeliveryError(Exception):
    """An attempt failed; the text says why, without personal data: a code, then the detail."""


class RefusedError(DeliveryError):
    """The recipient says that the message itself is wrong: sending it again would change nothing."""


@dataclass(frozen=True, slots=True)
class Channels:
    """The ways out that the worker brings along; without ``push_signal`` events wait for one that has it."""

    sms: SmsGateway
    sign_logout_token: SignLogoutToken
    push_signal: PushSignal | None = None


@dataclass(frozen=True, slots=True)
class SentSms:
    """A text message as the development outbox shows it; ``code`` is None for a notice."""

    phone: str
    purpose: str
    code: str | None
    text: str
    sent_at: datetime


def enqueue_sms(
    where: Session | Driver,
    platform: Platform,
    phone: str,
    purpose: str,
    text: str,
    *,
    code: str | None = None,
) -> None:
    """A text message, in the caller's transaction. With ``IDP_SMS=outbox`` writing it is sending it."""
    payload = {"phone": phone, "purpose": purpose, "text": text, "code": code}
    _enqueue(where, platform, SMS, payload, done=platform.settings.sms == "outbox")


def enqueue_nothing(where: Session | Driver, platform: Platform, purpose: str, text: str) -> None:
    """A row as of a text message, to nobody: where none is sent, the time it takes must not tell so."""
    payload = {"phone": "", "purpose": purpose, "text": text, "code": None}
    _enqueue(where, platform, NOTHING, payload, done=True)


def enqueue_logout_token(
    session: Session,
    platform: Platform,
    client_id: str,
    backchannel_logout_uri: str,
    claims: Mapping[str, Any],
) -> None:
    """A logout token for a client (Back-Channel Logout 1.0 §2.5), signed when it leaves, so never stale."""
    payload = {"client_id": client_id, "uri": backchannel_logout_uri, "claims": dict(claims)}
    _enqueue(session, platform, BACKCHANNEL_LOGOUT, payload, done=False)


def enqueue_signal(
    session: Session, platform: Platform, client_id: str, stream_id: str, claims: Mapping[str, Any]
) -> None:
    """A security event to push to a client (RFC 8935), signed when it leaves."""
    payload = {"client_id": client_id, "stream_id": stream_id, "claims": dict(claims)}
    _enqueue(session, platform, SIGNAL, payload, done=False)


def _enqueue(
    where: Session | Driver, platform: Platform, kind: str, payload: Mapping[str, Any], *, done: bool
) -> None:
    now = clock.now()
    sealed = platform.keyring.fields.encrypt(json.dumps(payload), "outbox.payload")
    rows.insert_message(
        where,
        {
            "kind": kind,
            "payload_encrypted": sealed,
            "created_at": now,
            "next_attempt_at": None if done else now,
            "attempts": 0,
            "delivered_at": now if done else None,
        },
    )


def _payload(platform: Platform, sealed: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(platform.keyring.fields.decrypt(sealed, "outbox.payload"))
    return payload


def list_recent_sms(platform: Platform, limit: int = 200) -> list[SentSms]:
    """The latest text messages, newest first."""
    with reading() as session:
        recent = rows.list_recent(session, SMS, limit)
    messages = []
    for sealed, created_at, delivered_at in recent:
        payload = _payload(platform, sealed)
        messages.append(SentSms(**payload, sent_at=delivered_at or created_at))
    return messages


def lease_due(platform: Platform, now: datetime) -> Leased | None:
    """Take the message due longest for one attempt; looks without a lock first."""
    with reading() as session:
        if not rows.has_due(session, now):
            return None
    with transaction() as session:
        return rows.lease_due(session, now, now + LEASE_TTL)


def put_back(message: Leased, again: datetime) -> None:
    """Return a leased message unattempted, to come again then."""
    with transaction() as session:
        rows.put_back(session, message.id, message.attempts, again)


def deliver(platform: Platform, message: Leased, channels: Channels) -> bool:
    """One attempt with a leased message; whether it got through. A failure is kept and tried again later."""
    try:
        payload = _payload(platform, message.payload_encrypted)
    except DecryptionError:
        _give_up_or_retry(message, timedelta(), "unreadable")
        return False
    try:
        _send(platform, message, payload, channels)
    except RefusedError as error:
        _give_up_or_retry(message, timedelta(), str(error))
        return False
    except (DeliveryError, SmsError, OutboundError) as error:
        _give_up_or_retry(message, _worth(message, payload), str(error))
        return False
    with transaction() as session:
        rows.mark_delivered(session, message.id, message.attempts, clock.now())
    return True


def deliver_due(
    platform: Platform,
    sms_gateway: SmsGateway,
    sign_logout_token: SignLogoutToken,
    now: datetime,
    limit: int = 100,
    *,
    push_signal: PushSignal | None = None,
) -> int:
    """Attempt up to ``limit`` due messages, one after the other; how many got through."""
    channels = Channels(sms_gateway, sign_logout_token, push_signal)
    delivered = 0
    for _ in range(limit):
        message = lease_due(platform, now)
        if message is None:
            break
        delivered += deliver(platform, message, channels)
    return delivered


def _send(platform: Platform, message: Leased, payload: dict[str, Any], channels: Channels) -> None:
    if message.kind == SMS:
        channels.sms.send(payload["phone"], payload["text"], f"{message.id}")
    elif message.kind == BACKCHANNEL_LOGOUT:
        _send_logout_token(platform, payload, channels.sign_logout_token)
    elif message.kind == SIGNAL and channels.push_signal is not None:
        channels.push_signal(payload)
    else:  # written by a newer version, which will deliver it
        raise DeliveryError(f"kind_unknown {message.kind}")


def _send_logout_token(platform: Platform, payload: dict[str, Any], sign: SignLogoutToken) -> None:
    """Back-Channel Logout 1.0 §2.5, §2.8: a form with the token; 200 or 204 is success, 400 is final."""
    token = sign(payload)
    if token is None:
        return
    answer = platform.outbound.post(payload["uri"], data={"logout_token": token})
    if answer.status == 400:
        raise RefusedError(f"refused {refusal_of(answer.body)}")
    if not 200 <= answer.status < 300:
        raise DeliveryError(f"answered {answer.status}")


def _give_up_or_retry(message: Leased, worth: timedelta, error: str) -> None:
    """Another attempt after a while, unless the message is worth nothing any more by then."""
    again = clock.now() + retry_after(message.attempts, secrets.SystemRandom().random())
    next_attempt = again if again < message.created_at + worth else None
    with transaction() as session:
        rows.mark_failed(session, message.id, message.attempts, next_attempt, error)


def retry_after(attempts: int, chance: float) -> timedelta:
    """Exponential back-off: 1, 2, 4 … seconds, at most 5 minutes, times 0.5 to 1 by ``chance`` (0 to 1)."""
    span: timedelta = min(FIRST_RETRY_AFTER * 2 ** min(attempts - 1, 20), LONGEST_RETRY)
    return span * (0.5 + chance / 2)


def _worth(message: Leased, payload: dict[str, Any]) -> timedelta:
    """For how long it makes sense to deliver it."""
    if message.kind == BACKCHANNEL_LOGOUT:
        return LOGOUT_WORTH
    if message.kind == SIGNAL:
        return SIGNAL_WORTH
    return CODE_WORTH if payload.get("code") else NOTICE_WORTH

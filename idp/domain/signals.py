"""Security events (RFC 8417): what follows from what, and what the token says (SSF 1.0 §4, CAEP 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

HANDLER_REVOKED: Final = "handler_revoked"
HANDLER_EXPIRED: Final = "handler_expired"
CAEP: Final = "https://schemas.openid.net/secevent/caep/event-type/"
SESSION_REVOKED: Final = CAEP + "session-revoked"
TOKEN_CLAIMS_CHANGE: Final = CAEP + "token-claims-change"
VERIFICATION: Final = "https://schemas.openid.net/secevent/ssf/event-type/verification"
EVENTS_SUPPORTED: Final = (SESSION_REVOKED, TOKEN_CLAIMS_CHANGE)

# Why something ended: who began it (CAEP 1.0 §2 ``initiating_entity``), and the words for the receiver's log.
_REASONS: Final[Mapping[str, tuple[str, str, str]]] = {
    "logout": ("user", "The person signed out", "本人退出登录"),
    "remote": ("user", "The person ended the session from elsewhere", "本人远程退出登录"),
    "password_changed": ("user", "The person changed the password", "本人修改了密码"),
    "password_reset": ("user", "The password was set anew", "重设了密码"),
    "phone_changed": ("user", "The account got another phone", "更换了手机号"),
    "consent_withdrawn": ("user", "The person withdrew the consent", "本人撤回了授权同意"),
    "account_deleted": ("user", "The person had the account deleted", "本人申请删除账号"),
    "dormant": ("policy", "The account was put to sleep after a long silence", "账号长期未使用，已休眠"),
    "frozen": ("admin", "An administrator froze the account", "平台冻结了账号"),
    HANDLER_REVOKED: ("admin", "The enterprise revoked the handler authorisation", "企业撤销了经办人授权"),
    HANDLER_EXPIRED: ("policy", "The handler authorisation's validity is over", "经办人授权有效期已过"),
    "expired": ("policy", "The session reached its longest lifetime", "登录会话到期"),
    "code_reused": ("system", "An authorization code was used twice", "授权码被重复使用"),
    "refresh_token_reused": ("system", "A refresh token was used twice", "刷新令牌被重复使用"),
}
_OTHERWISE: Final = ("system", "The session or authorization has ended", "会话或授权已终止")


@dataclass(frozen=True, slots=True)
class Ended:
    """What has ended at a client, told as far as the client knew of it.

    A browser session as a whole when there is no enterprise; else what acted for that enterprise in it.
    ``as_handler``: the client was told the ``handler_scope`` that it rested on.
    """

    account_id: str
    sid: str | None
    enterprise_credit_code: str | None = None
    as_handler: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One member of ``events``: the event type's URI and what it says."""

    type: str
    body: Mapping[str, Any]


def ended_session(row: Mapping[str, Any]) -> Ended:
    """A session in which a client took part; ``row`` has ``account_id`` and ``sid``."""
    return Ended(row["account_id"], row["sid"])


def ended_authorization(row: Mapping[str, Any]) -> Ended:
    """An authorization from its row; what its scopes kept from the client stays kept (SSF 1.0 §10)."""
    scopes = row["scope"].split()
    return Ended(
        row["account_id"],
        row["sid"],
        row["enterprise_credit_code"] if "enterprise" in scopes else None,
        row["handler_authorization_id"] is not None and "handler" in scopes,
    )


def events_after(ended: Ended, reason: str, at: datetime) -> tuple[Event, ...]:
    """What follows from an end. Every end revokes the session; that of a handler authorisation also leaves
    ``handler_scope`` empty in every token that rested on it (CAEP 1.0 §3.1, §3.2).
    """
    about = _about(reason, at)
    revoked = Event(SESSION_REVOKED, about)
    if reason not in {HANDLER_REVOKED, HANDLER_EXPIRED} or not ended.as_handler:
        return (revoked,)
    return (Event(TOKEN_CLAIMS_CHANGE, {**about, "claims": {"handler_scope": []}}), revoked)


def _about(reason: str, at: datetime) -> dict[str, Any]:
    """What every event says: when (NumericDate), by whom, and why, in words without personal data."""
    initiator, english, chinese = _REASONS.get(reason, _OTHERWISE)
    return {
        "event_timestamp": int(at.timestamp()),
        "initiating_entity": initiator,
        "reason_admin": {"en": english, "zh-CN": chinese},
    }


def verification(state: str | None) -> Event:
    """The proof that a stream works (SSF 1.0 §8.1.4.1)."""
    return Event(VERIFICATION, {} if state is None else {"state": state})


def subject_of(issuer: str, sub: str, ended: Ended) -> dict[str, Any]:
    """The ``sub_id`` of what has ended (SSF 1.0 §3, RFC 9493 §3.2.4): person, session, and as ``tenant``
    the enterprise acted for; simple when the person is all there is.
    """
    user = {"format": "iss_sub", "iss": issuer, "sub": sub}
    parts = {"session": ended.sid, "tenant": ended.enterprise_credit_code}
    known = {name: opaque(value) for name, value in parts.items() if value is not None}
    return {"format": "complex", "user": user, **known} if known else user


def opaque(identifier: str) -> dict[str, str]:
    """An ``opaque`` subject identifier (RFC 9493 §3.2.6)."""
    return {"format": "opaque", "id": identifier}


@dataclass(frozen=True, slots=True)
class Envelope:
    """For whom a token about an event is: ``aud`` is the receiver's client_id, ``txn`` names the cause."""

    iss: str
    aud: str
    jti: str
    txn: str


def event_token_claims(
    envelope: Envelope, sub_id: Mapping[str, Any], event: Event, at: datetime
) -> dict[str, Any]:
    """The claims of a security event token: neither ``sub`` nor ``exp`` (SSF 1.0 §4.1).

    ``iat`` is when it came to be, so that every attempt to deliver it says the same.
    """
    return {
        "iss": envelope.iss,
        "aud": envelope.aud,
        "iat": int(at.timestamp()),
        "jti": envelope.jti,
        "txn": envelope.txn,
        "sub_id": dict(sub_id),
        "events": {event.type: dict(event.body)},
    }

"""What the audit trail records: the events, where a request came from, and what a seal covers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

LONGEST_ADDRESS: Final = 64
LONGEST_USER_AGENT: Final = 300
LONGEST_REQUEST_ID: Final = 64

FIRST_LINK: Final = "0" * 64  # what stands for "the previous seal" at the first entry


class AuditEvent(StrEnum):
    """Everything worth a line: ``area:action``."""

    ACCOUNT_REGISTER = "account:register"
    SMS_SEND = "sms:send"
    LOGIN_SUCCESS = "login:success"
    LOGIN_FAILURE = "login:failure"
    LOGIN_LOCKED = "login:locked"
    LOGIN_STEP_UP = "login:step_up"
    LOGOUT = "login:logout"
    DEVICE_NEW = "device:new"
    DEVICE_REMOVE = "device:remove"
    FACTOR_ADD = "factor:add"
    FACTOR_REMOVE = "factor:remove"
    FACTOR_RESET = "factor:reset"
    RECOVERY_CODES_RENEW = "factor:recovery_codes"
    RECOVERY_CODE_USE = "factor:recovery_code_use"
    UPSTREAM_LOGIN = "upstream:login"
    UPSTREAM_LINK = "upstream:link"
    PASSWORD_CHANGE = "account:password_change"
    PASSWORD_RESET = "account:password_reset"
    PHONE_CHANGE = "account:phone_change"
    PHONE_CHANGE_APPLY = "phone_change:apply"
    PHONE_CHANGE_WITHDRAW = "phone_change:withdraw"
    PHONE_CHANGE_APPROVE = "phone_change:approve"
    PHONE_CHANGE_REJECT = "phone_change:reject"
    ACCOUNT_FIND = "account:find"
    PASSWORD_TEMPORARY = "account:password_temporary"
    ACCOUNT_FREEZE = "account:freeze"
    ACCOUNT_UNFREEZE = "account:unfreeze"
    ACCOUNT_DELETION_REQUEST = "account:deletion_request"
    ACCOUNT_DELETION_CANCEL = "account:deletion_cancel"
    ACCOUNT_DELETE = "account:delete"
    ACCOUNT_DORMANCY_REMINDER = "account:dormancy_reminder"
    ACCOUNT_SLEEP = "account:sleep"
    ACCOUNT_WAKE = "account:wake"
    ACCOUNT_EXPORT = "account:export"
    REAL_NAME_SUBMIT = "real_name:submit"
    REAL_NAME_APPROVE = "real_name:approve"
    REAL_NAME_REJECT = "real_name:reject"
    UPLOAD_VIEW = "upload:view"
    UPLOAD_DELETE = "upload:delete"
    HANDLER_APPLY = "handler:apply"
    HANDLER_WITHDRAW = "handler:withdraw"
    HANDLER_APPROVE = "handler:approve"
    HANDLER_REFUSE = "handler:refuse"
    HANDLER_REVOKE = "handler:revoke"
    HANDLER_CHANGE = "handler:change"
    HANDLER_EXPIRE = "handler:expire"
    HANDLER_RENEWAL_APPLY = "handler:renewal_apply"
    HANDLER_RENEWAL_WITHDRAW = "handler:renewal_withdraw"
    HANDLER_RENEWAL_APPROVE = "handler:renewal_approve"
    HANDLER_RENEWAL_REFUSE = "handler:renewal_refuse"
    HANDLER_SUSPEND = "handler:suspend"
    HANDLER_CONFIRM = "handler:confirm"
    HANDLER_INVITE = "handler:invite"
    HANDLER_INVITATION_ACCEPT = "handler:invitation_accept"
    HANDLER_INVITATION_DECLINE = "handler:invitation_decline"
    HANDLER_INVITATION_CANCEL = "handler:invitation_cancel"
    HANDLER_ESCALATE = "handler:escalate"
    HANDLER_ESCALATION_WITHDRAW = "handler:escalation_withdraw"
    HANDLER_ESCALATION_APPROVE = "handler:escalation_approve"
    HANDLER_ESCALATION_REJECT = "handler:escalation_reject"
    ENTERPRISE_CLOSE = "enterprise:close"
    ENTERPRISE_REOPEN = "enterprise:reopen"
    ENTERPRISE_REPRESENTATIVE = "enterprise:representative"
    ENTERPRISE_SWITCH = "enterprise:switch"
    CONSENT_GRANT = "consent:grant"
    CONSENT_WITHDRAW = "consent:withdraw"
    AGREEMENT_ACCEPT = "agreement:accept"
    AGREEMENT_WITHDRAW = "agreement:withdraw"
    AUTHORIZATION_ISSUE = "authorization:issue"
    AUTHORIZATION_REVOKE = "authorization:revoke"
    TOKEN_REUSE = "token:reuse"
    CLIENT_REGISTER = "client:register"
    CLIENT_UPDATE = "client:update"
    CLIENT_DISABLE = "client:disable"
    CLIENT_DELETE = "client:delete"
    CLIENT_SECRET_ROTATE = "client:secret_rotate"
    INITIAL_ACCESS_TOKEN_ISSUE = "client:initial_access_token"
    KEY_ROTATE = "key:rotate"
    KEY_RETIRE = "key:retire"
    DELIVERY_RETRY = "delivery:retry"
    DELIVERY_DISCARD = "delivery:discard"
    SIGNAL_STREAM_CREATE = "signal_stream:create"
    SIGNAL_STREAM_UPDATE = "signal_stream:update"
    SIGNAL_STREAM_DELETE = "signal_stream:delete"
    ROLE_GRANT = "role:grant"
    ROLE_WITHDRAW = "role:withdraw"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, cut and cleaned to what a row of the trail can hold.

    Headers are a stranger's text: control characters (PostgreSQL takes no NUL), lone surrogates become ``?``.
    """

    address: str
    user_agent: str
    request_id: str

    def __post_init__(self) -> None:
        for name, length in (
            ("address", LONGEST_ADDRESS),
            ("user_agent", LONGEST_USER_AGENT),
            ("request_id", LONGEST_REQUEST_ID),
        ):
            object.__setattr__(self, name, _printable(getattr(self, name)[:length]))


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def internal_origin(part: str) -> Origin:
    """The origin of what the program does by itself or by an operator's command: ``worker``, ``cli``."""
    return Origin(address="", user_agent=part, request_id="")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the trail as everyone but the database sees it."""

    id: int
    occurred_at: datetime
    event: str
    account_id: str | None
    enterprise_id: str | None
    client_id: str | None
    object_id: str | None
    result: str
    address: str
    request_id: str
    detail: Mapping[str, object]


def sealed_form(previous_seal: str, seal_number: int, entry: Entry) -> bytes:
    """The octets under a seal: the previous seal, the place in the chain, and every field, as canonical JSON.

    Times are UTC with microseconds, so that both databases give back what was sealed.
    """
    return json.dumps(
        {
            "previous": previous_seal,
            "number": seal_number,
            "id": entry.id,
            "occurred_at": entry.occurred_at.isoformat(timespec="microseconds"),
            "event": entry.event,
            "account_id": entry.account_id,
            "enterprise_id": entry.enterprise_id,
            "client_id": entry.client_id,
            "object_id": entry.object_id,
            "result": entry.result,
            "address": entry.address,
            "request_id": entry.request_id,
            "detail": entry.detail,
        },
        ensure_ascii=True,
        sort_keys=True,
        separators=(",", ":"),
    ).encode("ascii")

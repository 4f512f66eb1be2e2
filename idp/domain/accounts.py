"""Rules of accounts: limits, login names, what the sign-in box understands, masking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.domain.identifiers import canonical, document_key, find_credit_code, id_number_check, unhyphenated

# --- limits -------------------------------------------------------------------------------------------------

FAILURES_TO_LOCK: Final = 5
FAILURE_WINDOW: Final = timedelta(minutes=15)
LOCK_TTL: Final = timedelta(minutes=15)
ADDRESS_FAILURES_TO_SLOW: Final = 50
ADDRESS_PACE: Final = timedelta(seconds=5)  # a slowed address may try once in this time

SMS_CODE_TTL: Final = timedelta(minutes=5)
SMS_CODE_TRIES: Final = 5
SMS_RESEND_AFTER: Final = timedelta(seconds=60)
SMS_RESEND_SLACK: Final = timedelta(seconds=1)
SMS_PER_DAY: Final = 10
SMS_DAY: Final = timedelta(days=1)
SMS_PER_ADDRESS: Final = 100
SMS_ADDRESS_WINDOW: Final = timedelta(hours=1)

LOGIN_IDLE_TTL: Final = timedelta(minutes=30)
LOGIN_TTL: Final = timedelta(hours=8)
LOGIN_SEEN_EVERY: Final = timedelta(minutes=1)

REGISTRATIONS_PER_ADDRESS: Final = 20
REGISTRATION_WINDOW: Final = timedelta(hours=1)


def minutes_left(until: datetime, now: datetime) -> int:
    """Whole minutes from ``now`` until then, rounded up, at least one: what a page may promise."""
    return max(1, -((until - now) // -timedelta(minutes=1)))


def seconds_left(span: timedelta) -> int:
    """A span in whole seconds, rounded up, at least one."""
    return max(1, -(span // -timedelta(seconds=1)))


def is_awake(last_seen_at: datetime, expires_at: datetime, now: datetime) -> bool:
    """Whether a login is neither idle for 30 minutes nor 8 hours old."""
    return now < expires_at and now - last_seen_at < LOGIN_IDLE_TTL


# --- names and codes ----------------------------------------------------------------------------------------

LONGEST_EMAIL: Final = 254
_LOGIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{5,15}", re.ASCII)
_SMS_CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)


def login_name_problem(login_name: str) -> str | None:
    """6–16 letters, digits and underscores, a letter first: so it can never look like a 15-digit number."""
    if not login_name:
        return "required"
    return None if _LOGIN_NAME.fullmatch(login_name) else "login_name_invalid"


def find_sms_code(text: str) -> str | None:
    """Six digits, however they were typed (full-width, with spaces or a hyphen)."""
    code = unhyphenated(text)
    return code if _SMS_CODE.fullmatch(code) else None


# --- the box of the sign-in page ----------------------------------------------------------------------------

LONGEST_IDENTIFIER: Final = 64
_ID_NUMBER: Final = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_ID_NUMBER_TYPES: Final = ("id_card", "foreigner_residence", "hmt_residence")  # documents with such a number


@dataclass(frozen=True, slots=True)
class Identifier:
    """What was typed at 登录名/统一社会信用代码/身份证号, and all that it can be: mostly one thing, or none.

    A few all-digit credit codes also have the form of an ID number; both are then looked up.
    """

    value: str
    login_name_index: str | None
    enterprise_credit_code: str | None
    document_keys: tuple[str, ...]


def read_identifier(text: str) -> Identifier:
    """Decide by form and check character; full-width characters, lower case, spaces and, in numbers, hyphens
    are understood.
    """
    value = canonical(text[: LONGEST_IDENTIFIER * 2])[:LONGEST_IDENTIFIER]
    return Identifier(
        value,
        login_name_index=value.lower() if _LOGIN_NAME.fullmatch(value) else None,
        enterprise_credit_code=find_credit_code(value),
        document_keys=_document_keys(unhyphenated(value)),
    )


def _document_keys(value: str) -> tuple[str, ...]:
    if not _ID_NUMBER.fullmatch(value) or id_number_check(value[:17]) != value[17]:
        return ()
    return tuple(document_key(document_type, value) for document_type in _ID_NUMBER_TYPES)


# --- masking (desensitisation rules of the government platforms) --------------------------------------------


def mask_phone(phone: str) -> str:
    """``137****9050``."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else "*" * len(phone)


def mask_login_name(login_name: str) -> str:
    """``de******er``: enough for its owner."""
    return login_name[:2] + "*" * (len(login_name) - 4) + login_name[-2:]


def mask_email(email: str) -> str:
    """``con***@163.com``; a name of fewer than three characters is shown whole."""
    name, _, host = email.rpartition("@")
    return f"{name[:3]}***@{host}"


def mask_name(name: str) -> str:
    """The first character hidden: ``*大友``."""
    return "*" + name[1:]


def mask_document(number: str) -> str:
    """First and last character of an 18-character number, first and last third of any other."""
    shown = 1 if len(number) == 18 else len(number) // 3
    return number[:shown] + "*" * (len(number) - 2 * shown) + (number[-shown:] if shown else "")


def document_tail(number: str) -> str:
    """The last four, as a reviewer sees it: ``********0037``."""
    return "********" + number[-4:] if len(number) > 4 else "********"


def mask_identifier(value: str) -> str:
    """What the trail keeps of an identifier that is no account's: it may be an ID number, or a password."""
    return "".join(c if c.isprintable() else "?" for c in value[:2]) + "***"

"""Rules of accounts: limits, names and passwords, what the sign-in box understands, masking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.domain.identifiers import canonical, document_key, find_credit_code, id_number_check

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

FORMER_PASSWORDS: Final = 5


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


# --- names and passwords ------------------------------------------------------------------------------------

LONGEST_EMAIL: Final = 254
_LOGIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{5,15}", re.ASCII)
_PASSWORD: Final = re.compile(r"[!-~]*", re.ASCII)
_SMS_CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)

# Well-known passwords that keep the rules of composition, without case.
_COMMON = """
password1! password@1 password@123 p@ssw0rd1 p@ssw0rd123 p@ssword1 passw0rd! admin@123 admin@1234
admin123! admin@888 root@1234 test@1234 abcd@1234 abc@12345 abcd1234! abc12345! abc123!@# a12345678!
aa123456! aa@123456 qwer@1234 qwer1234! qwe123!@# qwerty123! qwerty@123 1qaz@wsx3edc 1qaz2wsx!
q1w2e3r4! huawei@123 woaini@1314 woaini1314! welcome@1 welcome1! welcome@123 changeme1! iloveyou1!
"""
_COMMON_PASSWORDS: Final = frozenset(_COMMON.split())


def login_name_problem(login_name: str) -> str | None:
    """6–16 letters, digits and underscores, a letter first: so it can never look like a 15-digit number."""
    if not login_name:
        return "required"
    return None if _LOGIN_NAME.fullmatch(login_name) else "login_name_invalid"


def password_problem(password: str, login_name: str, phone: str) -> str | None:
    """9–16 visible ASCII characters: letters, digits and others together, without login name and phone."""
    if not password:
        return "required"
    if not _PASSWORD.fullmatch(password):
        return "password_characters"
    if not 9 <= len(password) <= 16:
        return "password_length"
    return _composition_problem(password) or _guessable_problem(password.lower(), login_name.lower(), phone)


def _composition_problem(password: str) -> str | None:
    kinds = (str.isalpha, str.isdigit, lambda c: not str.isalnum(c))
    complete = all(any(is_kind(c) for c in password) for is_kind in kinds)
    return None if complete else "password_composition"


def _guessable_problem(password: str, login_name: str, phone: str) -> str | None:
    if login_name and login_name in password:
        return "password_contains_login_name"
    if phone and phone in password:
        return "password_contains_phone"
    return "password_common" if password in _COMMON_PASSWORDS else None


def confirmation_problem(password: str, confirmation: str) -> str | None:
    """The same again."""
    if not confirmation:
        return "required"
    return None if confirmation == password else "passwords_differ"


def find_sms_code(text: str) -> str | None:
    """Six digits, however they were typed (full-width, with spaces)."""
    code = canonical(text)
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
    """Decide by form and check character; full-width characters, lower case and spaces are understood."""
    value = canonical(text[: LONGEST_IDENTIFIER * 2])[:LONGEST_IDENTIFIER]
    return Identifier(
        value,
        login_name_index=value.lower() if _LOGIN_NAME.fullmatch(value) else None,
        enterprise_credit_code=find_credit_code(value),
        document_keys=_document_keys(value),
    )


def _document_keys(value: str) -> tuple[str, ...]:
    if not _ID_NUMBER.fullmatch(value) or id_number_check(value[:17]) != value[17]:
        return ()
    return tuple(document_key(document_type, value) for document_type in _ID_NUMBER_TYPES)


# --- masking (desensitisation rules of the government platforms) --------------------------------------------


def mask_phone(phone: str) -> str:
    """``137****9050``."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else "*" * len(phone)


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

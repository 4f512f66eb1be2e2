"""账号找回: a forgotten login name, told to the phone that its account is bound to.

Whether there is such an account is told to whoever holds that phone, and to nobody else: until then the same
answers and the same work for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from idp import sms
from idp.crypto import constant_time_equal
from idp.domain import accounts as account_rules
from idp.domain import recovery as rules
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.domain.recovery import Sought
from idp.services import attempts, audit, outbox, recovery, sms_codes
from idp.services.attempts import Attempt
from idp.services.platform import Platform
from idp.services.sms_codes import Destination
from idp.storage import accounts as rows
from idp.storage import enterprises as enterprise_rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction

PURPOSE: Final = "find_account"


@dataclass(frozen=True, slots=True)
class Found:
    """What the page shows: login name and phone, masked. The login name itself went to the phone."""

    login_name: str
    phone: str


@dataclass(frozen=True, slots=True)
class _Meant:
    """The account that is looked for, if there is one; ``subject`` is counted and locked."""

    account: Account | None
    subject: str
    destination: Destination


def send_code(platform: Platform, sought: Sought, origin: Origin) -> Refusal | None:
    """Send a code to the phone of the account that is meant. None also when there is no such account."""
    return recovery.begin(platform, _look_up(platform, sought).destination, PURPOSE, origin)


def find(platform: Platform, sought: Sought, sms_code: str, origin: Origin) -> Found | Refusal:
    """Use the code up and tell the login name: ``search_wrong`` for anything wrong.

    Also ``login_locked`` (minutes), ``address_slowed`` (seconds), ``service_unavailable``.
    """
    meant = _look_up(platform, sought)
    account_id = meant.account.id if meant.account else None
    who = Attempt(meant.subject, account_id, origin, AuditEvent.ACCOUNT_FIND, "search_wrong")
    shown = attempts.attempt(platform, who, lambda: _proven(platform, meant, sms_code))
    return shown if isinstance(shown, Refusal) else _tell(platform, shown, origin)


def _look_up(platform: Platform, sought: Sought) -> _Meant:
    """One statement, whatever it finds."""
    fields = platform.keyring.fields
    with reading() as session:
        match sought.way:
            case rules.PHONE:
                account = rows.find_by_phone(session, fields.index(sought.value, "accounts.phone"))
            case rules.NATURAL_PERSON:
                account = rows.find_by_document(session, fields.index(sought.value, "accounts.document"))
            case _:
                account = enterprise_rows.find_legal_account(session, sought.value)
    subject = "find:" + fields.index(f"{sought.way}:{sought.value}:{sought.real_name}", "find.subject")
    if account is None or not _is_named(platform, account, sought.real_name):
        return _Meant(None, subject, Destination(None, subject))
    phone = fields.decrypt(account.phone_encrypted, "accounts.phone")
    return _Meant(account, subject, Destination(phone, subject, account.id))


def _is_named(platform: Platform, account: Account, real_name: str) -> bool:
    if not real_name:
        return True
    sealed = account.real_name_encrypted
    name = platform.keyring.fields.decrypt(sealed, "accounts.real_name") if sealed else ""
    return constant_time_equal(name, real_name)


def _proven(platform: Platform, meant: _Meant, sms_code: str) -> Account | None:
    tries = sms_codes.try_code(platform, meant.destination, PURPOSE, sms_code)
    if isinstance(tries, Refusal) or meant.account is None:
        return None
    redeemed = sms_codes.redeem_code(platform, meant.destination, PURPOSE, sms_code)
    return meant.account if redeemed else None


def _tell(platform: Platform, account: Account, origin: Origin) -> Found:
    phone = platform.keyring.fields.decrypt(account.phone_encrypted, "accounts.phone")
    text = sms.text("account_found", login_name=account.login_name)
    with transaction() as session:
        outbox.enqueue_sms(session, platform, phone, "account_found", text)
        audit.record(session, AuditEvent.ACCOUNT_FIND, origin, account_id=account.id)
    return Found(account_rules.mask_login_name(account.login_name), account_rules.mask_phone(phone))

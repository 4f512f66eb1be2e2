"""手机号修改 by whoever still has the old phone: a code to the old number, a code to the new one.

Whose the new number is already is told only to whoever has it in hand.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, sms
from idp.domain import accounts as rules
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.domain.identifiers import find_mobile
from idp.domain.phone_changes import PENDING, WITHDRAWN
from idp.ephemeral import EphemeralUnavailable
from idp.services import audit, authentication, outbox, sms_codes
from idp.services.platform import Platform
from idp.services.sms_codes import Destination
from idp.storage import accounts as rows
from idp.storage import phone_changes as application_rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.phone_changes import PhoneChange

PURPOSE: Final = "bind_phone"
PHONE_CONTEXT: Final = "phone_changes.phone"


def send_code(platform: Platform, phone: str, origin: Origin) -> Refusal | None:
    """Send a code to a new number, whoever has it: ``phone_invalid``, and as ``sms_codes.send_code``."""
    number = find_mobile(phone)
    if number is None:
        return Refusal.of("phone_invalid", "phone")
    return sms_codes.send_code(platform, Destination.of_phone(number), PURPOSE, origin)


def check_number(
    platform: Platform, phone: str, sms_code: str, account_id: str | None = None
) -> str | Refusal:
    """The new number in canonical form, if its code is right and no account has it.

    ``phone_invalid``, ``sms_code_wrong``, ``sms_code_expired``, ``service_unavailable``; only with the right
    code ``phone_taken``, or ``phone_unchanged`` if ``account_id`` has it. The code can still be used once.
    """
    number = find_mobile(phone)
    if number is None:
        return Refusal.of("phone_invalid", "phone")
    try:
        refusal = sms_codes.examine_code(platform, Destination.of_phone(number), PURPOSE, sms_code)
    except EphemeralUnavailable:
        return Refusal.of("service_unavailable")
    return refusal or refuse_taken(platform, number, account_id) or number


def refuse_taken(platform: Platform, number: str, account_id: str | None = None) -> Refusal | None:
    """``phone_taken`` if an account is bound to the number; ``phone_unchanged`` if it is ``account_id``."""
    with reading() as session:
        holder = rows.find_by_phone(session, _index(platform, number))
    if holder is None:
        return None
    return Refusal.of("phone_unchanged" if holder.id == account_id else "phone_taken", "phone")


def redeem(platform: Platform, number: str, sms_code: str) -> Refusal | None:
    """Use the code of a checked number up: ``sms_code_expired`` if somebody was quicker."""
    try:
        redeemed = sms_codes.redeem_code(platform, Destination.of_phone(number), PURPOSE, sms_code)
    except EphemeralUnavailable:
        return Refusal.of("service_unavailable")
    return None if redeemed else Refusal.of("sms_code_expired", "sms_code")


def change(
    platform: Platform, account_id: str, number: str, sms_code: str, origin: Origin, kept_sid: str
) -> Refusal | None:
    """Bind an account whose holder has shown the old number to a checked new one; other logins end."""
    refusal = redeem(platform, number, sms_code)
    if refusal is not None:
        return refusal
    try:
        with transaction() as session:
            bind(session, platform, account_id, number, origin, kept_sid=kept_sid)
            withdraw_application(session, platform, account_id, origin)
    except IntegrityError:
        return Refusal.of("phone_taken", "phone")  # another account was quicker
    return None


def bind(
    session: Session,
    platform: Platform,
    account_id: str,
    number: str,
    origin: Origin,
    *,
    kept_sid: str | None = None,
) -> None:
    """Give the account its new phone: logins but one end, both numbers are told.

    Raises IntegrityError, at once, when another account has the number.
    """
    account = session.get_one(Account, account_id, with_for_update=True)
    fields, former = platform.keyring.fields, phone_of(platform, account)
    account.phone_encrypted = fields.encrypt(number, "accounts.phone")
    account.phone_index = _index(platform, number)
    account.updated_at = clock.now()
    session.flush()
    authentication.mark_for_renewal(session, account_id)
    authentication.end_other_logins(session, platform, account_id, kept_sid, origin, "phone_changed")
    detail = {"former": rules.mask_phone(former), "phone": rules.mask_phone(number)}
    audit.record(session, AuditEvent.PHONE_CHANGE, origin, account_id=account_id, detail=detail)
    tell(session, platform, former, "phone_changed", account, phone=rules.mask_phone(number))
    tell(session, platform, number, "phone_bound", account)


def withdraw_application(session: Session, platform: Platform, account_id: str, origin: Origin) -> bool:
    """Whoever holds the old phone has not lost it: nothing comes of an application that waits, if there is
    one; its phone is told.
    """
    found = application_rows.find_pending(session, account_id)
    row = application_rows.lock(session, found.id) if found else None
    if row is None or row.status != PENDING:
        return False
    row.status, row.decided_at = WITHDRAWN, clock.now()
    event = AuditEvent.PHONE_CHANGE_WITHDRAW
    audit.record(session, event, origin, account_id=account_id, object_id=row.id)
    account = session.get_one(Account, account_id)
    tell(session, platform, new_number_of(platform, row), "phone_change_rejected", account)
    return True


def new_number_of(platform: Platform, row: PhoneChange) -> str:
    """The number that is applied for."""
    return platform.keyring.fields.decrypt(row.phone_encrypted, PHONE_CONTEXT)


def tell(
    session: Session, platform: Platform, number: str, purpose: str, account: Account, **values: str
) -> None:
    """A message about an account to one phone or another."""
    text = sms.text(purpose, login_name=account.login_name, **values)
    outbox.enqueue_sms(session, platform, number, purpose, text)


def phone_of(platform: Platform, account: Account) -> str:
    """The number an account is bound to."""
    return platform.keyring.fields.decrypt(account.phone_encrypted, "accounts.phone")


def _index(platform: Platform, number: str) -> str:
    return platform.keyring.fields.index(number, "accounts.phone")

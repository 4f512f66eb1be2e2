"""忘记密码: the code to the bound phone, for a verified account its identity as well, then a new password.

Whoever is named, known or not, meets the same work and the same answers until the code has been proved.
Failures are counted apart from those of the sign-in, so that five forgotten passwords don't lock the way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sqlalchemy.orm import Session

from idp import clock
from idp.crypto import constant_time_equal
from idp.domain import account_life
from idp.domain import accounts as account_rules
from idp.domain import recovery as rules
from idp.domain import throttling as limits
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.domain.identifiers import unhyphenated
from idp.ephemeral import EphemeralUnavailable
from idp.services import (
    attempts,
    authentication,
    login_limits,
    passwords,
    phone_changes,
    revocation,
    sms_codes,
    throttling,
)
from idp.services.attempts import Attempt
from idp.services.authentication import Named
from idp.services.platform import Platform
from idp.services.sms_codes import Destination
from idp.storage import enterprises as enterprise_rows
from idp.storage import logins as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction

PURPOSE: Final = "reset_password"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose phone has answered; ``second_proof`` is the field that is asked for besides, or None."""

    account_id: str
    second_proof: str | None


def send_code(platform: Platform, identifier: str, origin: Origin) -> Refusal | None:
    """Send a code to the bound phone of whoever is named. None also when nobody is.

    Refuses as ``sms_codes.send_code``, and with ``recovery_limit``.
    """
    named = authentication.look_up(platform, identifier)
    if not named.identifier.value:
        return Refusal.of("required", "identifier")
    return begin(platform, named.destination, PURPOSE, origin)


def begin(platform: Platform, destination: Destination, purpose: str, origin: Origin) -> Refusal | None:
    """Send the code that a recovery begins with, so and so often for one name and one address."""
    subject, address = destination.subject, origin.address
    try:
        refusal = (
            throttling.admit(platform, limits.RECOVERIES_OF_ADDRESS, address)
            or throttling.admit(platform, limits.RECOVERIES_OF_PAIR, subject, address)
            or throttling.admit(platform, limits.RECOVERIES_OF_ACCOUNT, subject)
        )
    except EphemeralUnavailable:
        return Refusal.of("service_unavailable")
    return refusal or sms_codes.send_code(platform, destination, purpose, origin)


def prove_phone(platform: Platform, identifier: str, sms_code: str, origin: Origin) -> Holder | Refusal:
    """Use the code up: ``recovery_wrong`` for anything wrong.

    Also ``login_locked`` (minutes), ``address_slowed`` (seconds), ``service_unavailable``; ``account_frozen``
    is said only to whoever had the code.
    """
    named = authentication.look_up(platform, identifier)
    account_id = named.holder.account_id if named.holder else None
    detail = {"identifier": account_rules.mask_identifier(named.identifier.value)}
    who = _attempt(named.subject, account_id, origin, "recovery_wrong", detail)
    shown = attempts.attempt(platform, who, lambda: _redeemed(platform, named, sms_code))
    return shown if isinstance(shown, Refusal) else _proven(shown, who)


def _attempt(
    subject: str,
    account_id: str | None,
    origin: Origin,
    wrong: str,
    detail: Mapping[str, object] = MappingProxyType({}),
) -> Attempt:
    event = AuditEvent.PASSWORD_RESET
    return Attempt(f"recovery:{subject}", account_id, origin, event, wrong, detail=detail)


def _redeemed(platform: Platform, named: Named, sms_code: str) -> rows.Holder | None:
    tries = sms_codes.try_code(platform, named.destination, PURPOSE, sms_code)
    if isinstance(tries, Refusal) or named.holder is None:
        return None
    redeemed = sms_codes.redeem_code(platform, named.destination, PURPOSE, sms_code)
    return named.holder if redeemed else None


def _proven(holder: rows.Holder, who: Attempt) -> Holder | Refusal:
    if account_life.sign_in_refusal(holder.status) == "account_frozen":  # who sleeps is woken afterwards
        return attempts.refuse(who, Refusal.of("account_frozen"))
    with reading() as session:
        subject_type = session.get_one(Account, holder.account_id).subject_type
    return Holder(holder.account_id, rules.second_proof(subject_type))


def check_identity(platform: Platform, account_id: str, typed: str, origin: Origin) -> Refusal | None:
    """The second proof: the verified document's number, or the enterprise's credit code.

    ``required`` and ``proof_wrong`` at its field, ``login_locked`` after five wrong ones,
    ``service_unavailable``. An account that nobody has verified has none to give.
    """
    with reading() as session:
        field, expected = _expected(session, platform, account_id)
    if field is None:
        return None
    if not typed.strip():
        return Refusal.of("required", field)
    who = _attempt(account_id, account_id, origin, "proof_wrong")
    number = unhyphenated(typed)
    shown = attempts.attempt(platform, who, lambda: constant_time_equal(number, expected) or None)
    return _at_field(shown, field) if isinstance(shown, Refusal) else None


def _at_field(refusal: Refusal, field: str) -> Refusal:
    return Refusal.of("proof_wrong", field) if refusal.code == "proof_wrong" else refusal


def _expected(session: Session, platform: Platform, account_id: str) -> tuple[str | None, str]:
    account = session.get_one(Account, account_id)
    field = rules.second_proof(account.subject_type)
    enterprise = enterprise_rows.find_of_legal_account(session, account_id)
    if enterprise is not None:
        return field, enterprise.enterprise_credit_code
    sealed = account.document_number_encrypted
    return field, platform.keyring.fields.decrypt(sealed, "accounts.document_number") if sealed else ""


def reset(platform: Platform, account_id: str, new: str, origin: Origin) -> None:
    """Give the account a password that ``passwords.check_new`` let pass. Every login and all that the account
    has granted end, since nobody knows who had the old one, and so does an application for another phone; the
    sign-in is open again if it was locked.
    """
    password_hash = platform.passwords.hash(new)
    with transaction() as session:
        passwords.put(session, platform, account_id, password_hash, origin, AuditEvent.PASSWORD_RESET)
        revocation.revoke_for_account(session, platform, account_id, "password_reset", clock.now())
        phone_changes.withdraw_application(session, platform, account_id, origin)
    login_limits.unlock(platform, account_id)

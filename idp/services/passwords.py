"""Passwords: changing one's own, replacing a forgotten or worn-out one, handing out a temporary one."""

from __future__ import annotations

import secrets
import string
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from idp import clock, sms
from idp.domain import passwords as rules
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Problem, Refusal
from idp.ephemeral import EphemeralUnavailable
from idp.services import audit, authentication, login_limits, outbox
from idp.services.known_passwords import is_well_known
from idp.services.platform import Platform
from idp.storage import accounts as rows
from idp.storage import enterprises as enterprise_rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction

TEMPORARY_LENGTH: Final = 14
_SPECIALS: Final = "#%+=?@"
_READABLE: Final = "".join(set(string.ascii_letters + string.digits) - set("0O1lI"))


def change_password(
    platform: Platform,
    account_id: str,
    old: str,
    new: str,
    confirm: str,
    origin: Origin,
    *,
    kept_sid: str | None = None,
) -> Refusal | None:
    """Give the account a new password, none of its last five; every login but ``kept_sid`` ends.

    Wrong old passwords count like failed sign-ins. ``password_wrong``, ``password_reused``, ``login_locked``,
    ``service_unavailable``, and the codes of the rules of composition.
    """
    missing = () if old else (Problem("required", "old_password"),)
    problems = missing + _problems(platform, account_id, new, confirm)
    if problems:
        return Refusal(problems)
    try:
        refusal = _check_old_password(platform, account_id, old, origin)
    except EphemeralUnavailable:
        return Refusal.of("service_unavailable")
    if refusal is None:
        refusal = _refuse_former(platform, account_id, new)
    if refusal is None:
        store(platform, account_id, new, origin, AuditEvent.PASSWORD_CHANGE, kept_sid=kept_sid)
    return refusal


def check_new(platform: Platform, account_id: str, new: str, confirm: str) -> Refusal | None:
    """Whether a password may become the account's next: it keeps the rules and is none of the last five."""
    problems = _problems(platform, account_id, new, confirm)
    return Refusal(problems) if problems else _refuse_former(platform, account_id, new)


def _problems(platform: Platform, account_id: str, new: str, confirm: str) -> tuple[Problem, ...]:
    found = [
        ("password", rules.password_problem(new, _owner(platform, account_id), is_well_known)),
        ("confirm_password", rules.confirmation_problem(new, confirm)),
    ]
    return tuple(Problem(code, field) for field, code in found if code is not None)


def _owner(platform: Platform, account_id: str) -> rules.Owner:
    """What the account's password may not be made of."""
    fields = platform.keyring.fields
    with reading() as session:
        account = session.get_one(Account, account_id)
        enterprise = enterprise_rows.find_of_legal_account(session, account_id)
    further = [fields.decrypt(account.email_encrypted, "accounts.email")]
    if account.document_number_encrypted:
        further.append(fields.decrypt(account.document_number_encrypted, "accounts.document_number"))
    if enterprise:
        further += [enterprise.enterprise_credit_code, enterprise.enterprise_name]
    phone = fields.decrypt(account.phone_encrypted, "accounts.phone")
    return rules.Owner(account.login_name, phone, tuple(further))


def _check_old_password(platform: Platform, account_id: str, old: str, origin: Origin) -> Refusal | None:
    attempt = login_limits.admit(platform, account_id, origin)
    if isinstance(attempt, Refusal):
        return attempt
    with reading() as session:
        account = rows.find_account(session, account_id)
    if account is None or not platform.passwords.verify(account.password_hash, old):
        return _wrong_old_password(platform, account_id, attempt, origin)
    login_limits.forget_failures(platform, account_id)
    return None


def _wrong_old_password(platform: Platform, account_id: str, attempt: int, origin: Origin) -> Refusal:
    locked = login_limits.record_failure(platform, account_id, attempt, origin)
    refusal = locked or Refusal.of("password_wrong", "old_password")
    with transaction() as session:
        audit.record(session, AuditEvent.PASSWORD_CHANGE, origin, account_id=account_id, result=refusal.code)
    return refusal


def _refuse_former(platform: Platform, account_id: str, new: str) -> Refusal | None:
    with reading() as session:
        account = rows.find_account(session, account_id)
        former = rows.list_former_passwords(session, account_id, rules.FORMER_PASSWORDS - 1)
    present = [account.password_hash] if account else []
    used = any(platform.passwords.verify(password_hash, new) for password_hash in present + former)
    return Refusal.of("password_reused", "password") if used else None


def store(
    platform: Platform,
    account_id: str,
    new: str,
    origin: Origin,
    event: AuditEvent,
    *,
    kept_sid: str | None = None,
) -> None:
    """Replace the password by one that ``check_new`` let pass: other logins end, the person is told."""
    password_hash = platform.passwords.hash(new)
    with transaction() as session:
        put(session, platform, account_id, password_hash, origin, event, kept_sid=kept_sid)


def put(
    session: Session,
    platform: Platform,
    account_id: str,
    password_hash: str,
    origin: Origin,
    event: AuditEvent,
    *,
    kept_sid: str | None = None,
) -> None:
    """The same in the caller's transaction, with a hash that was made before it: hashing takes its time."""
    account = _replace(session, account_id, password_hash)
    authentication.mark_for_renewal(session, account_id)
    reason = "password_changed" if event is AuditEvent.PASSWORD_CHANGE else "password_reset"
    authentication.end_other_logins(session, platform, account_id, kept_sid, origin, reason)
    audit.record(session, event, origin, account_id=account_id)
    _tell(session, platform, account, reason)


def _replace(
    session: Session, account_id: str, password_hash: str, temporary_until: datetime | None = None
) -> Account:
    """The former hash joins the history, unless it was a temporary one's, which nobody chose."""
    account, now = session.get_one(Account, account_id, with_for_update=True), clock.now()
    if account.temporary_password_until is None:
        rows.insert_former_password(session, account_id, account.password_hash, now)
    account.password_hash = password_hash
    account.temporary_password_until = temporary_until
    account.password_changed_at = account.updated_at = now
    return account


def _tell(session: Session, platform: Platform, account: Account, purpose: str) -> None:
    phone = platform.keyring.fields.decrypt(account.phone_encrypted, "accounts.phone")
    outbox.enqueue_sms(session, platform, phone, purpose, sms.text(purpose, login_name=account.login_name))


def give_temporary(platform: Platform, account_id: str, origin: Origin) -> str:
    """An operator's way in for somebody: a random password that opens one sign-in within 24 hours, at which a
    new one has to be chosen. Every login of the account ends; LookupError when there is no such account.
    """
    new = _temporary_password()
    password_hash = platform.passwords.hash(new)
    with transaction() as session:
        if rows.find_account(session, account_id) is None:
            raise LookupError(account_id)
        account = _replace(session, account_id, password_hash, clock.now() + rules.TEMPORARY_TTL)
        authentication.end_other_logins(session, platform, account_id, None, origin, "password_reset")
        audit.record(session, AuditEvent.PASSWORD_TEMPORARY, origin, object_id=account_id)
        _tell(session, platform, account, "password_temporary")
    return new


def _temporary_password() -> str:
    """Letters, digits and specials that can be read out over a telephone."""
    while True:
        chosen = [secrets.choice(_READABLE) for _ in range(TEMPORARY_LENGTH - 1)]
        chosen.insert(1 + secrets.randbelow(TEMPORARY_LENGTH - 2), secrets.choice(_SPECIALS))
        password = "".join(chosen)
        if rules.password_problem(password, rules.Owner(), is_well_known) is None:
            return password

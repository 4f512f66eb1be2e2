"""Whom another platform's word leads to here: the account with the same verified document, and no other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock, sms
from idp.domain import account_life, identifiers
from idp.domain import upstream as rules
from idp.domain.assurance import TWO_FACTORS, Shown
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.domain.upstream import Assertion, Person
from idp.services import attempts, audit, outbox, sms_codes
from idp.services.attempts import Attempt
from idp.services.authentication import Authenticated
from idp.services.identities import DOCUMENT_INDEX
from idp.services.platform import Platform
from idp.services.sms_codes import Destination
from idp.storage import upstream as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction

PURPOSE: Final = "upstream_login"
SUBJECT_INDEX: Final = "upstream_identities.subject"


@dataclass(frozen=True, slots=True)
class Recognised:
    """The account here that an assertion leads to; ``level`` None: it takes a code to the bound phone too."""

    account_id: str
    issuer: str
    subject_index: str
    level: str | None
    amr: tuple[str, ...]
    auth_time: int


def recognise(platform: Platform, assertion: Assertion, origin: Origin) -> Recognised | Refusal:
    """Find the account and weigh the sign-in; nothing is changed yet.

    ``upstream_identity_unknown`` (``kind``: person or enterprise), ``upstream_identity_changed``,
    ``upstream_name_differs``, ``upstream_too_weak``, ``account_frozen``: each in the audit trail.
    """
    subject_index = platform.keyring.fields.index(f"{assertion.issuer} {assertion.subject}", SUBJECT_INDEX)
    with reading() as session:
        account = _find(session, platform, assertion)
        linked = rows.find_linked(session, assertion.issuer, subject_index)
    level = rules.level_of(assertion.acr, f"urn:gsp:acr:{platform.settings.upstream_highest_level}")
    refusal = _refusal(platform, assertion, account, linked, level)
    if refusal is not None or account is None:
        refusal = refusal or Refusal.of("upstream_identity_unknown")
        record_refusal(refusal, origin, account.id if account else linked)
        return refusal
    return Recognised(account.id, assertion.issuer, subject_index, level, assertion.amr, assertion.auth_time)


def _find(session: Session, platform: Platform, assertion: Assertion) -> Account | None:
    identity = assertion.identity
    if isinstance(identity, Person):
        key = identifiers.document_key(identity.document_type, identity.document_number)
        return rows.find_of_document(session, platform.keyring.fields.index(key, DOCUMENT_INDEX))
    return rows.find_of_enterprise(session, identity.enterprise_credit_code)


def _refusal(
    platform: Platform, assertion: Assertion, account: Account | None, linked: str | None, level: str | None
) -> Refusal | None:
    """Who was linked once must still be whom the document names; then the account's state, and strength."""
    if linked is not None and (account is None or account.id != linked):
        return Refusal.of("upstream_identity_changed")
    if account is None:
        kind = "person" if isinstance(assertion.identity, Person) else "enterprise"
        return Refusal.of("upstream_identity_unknown", kind=kind)
    if not _is_named(platform, assertion, account):
        return Refusal.of("upstream_name_differs")
    if _is_shut_out(account):
        return Refusal.of("account_frozen")
    if level is None and not rules.is_completed_by_sms(assertion.amr):
        return Refusal.of("upstream_too_weak")
    return None


def _is_named(platform: Platform, assertion: Assertion, account: Account) -> bool:
    """A document is name and number together; an enterprise may have been renamed."""
    if not isinstance(assertion.identity, Person):
        return True
    sealed = account.real_name_encrypted
    ours = platform.keyring.fields.decrypt(sealed, "accounts.real_name") if sealed else ""
    return rules.is_same_name(assertion.identity.real_name, ours)


def _is_shut_out(account: Account) -> bool:
    """One that sleeps or is leaving is not: it can be woken by who has shown enough."""
    refused = account_life.sign_in_refusal(account.status)
    return refused is not None and refused not in account_life.REVIVABLE


def complete(platform: Platform, recognised: Recognised, origin: Origin) -> Authenticated | Refusal:
    """Link on the first time, telling the account's phone; what the login then rests on.

    ``upstream_identity_changed``, ``account_frozen`` when that has come in between; ``upstream_too_weak``
    where a code was needed; ``account_dormant`` and ``account_leaving`` (authenticated: it may be woken, see
    services.revival).
    """
    if recognised.level is None:
        return Refusal.of("upstream_too_weak")
    try:
        done = _completed(platform, recognised, recognised.level, origin)
    except IntegrityError:  # another window of the same person was quicker
        done = _completed(platform, recognised, recognised.level, origin)
    if isinstance(done, Refusal):
        record_refusal(done, origin, recognised.account_id)
    return done


def _completed(
    platform: Platform, recognised: Recognised, level: str, origin: Origin
) -> Authenticated | Refusal:
    shown = Authenticated(recognised.account_id, level, recognised.amr, recognised.auth_time)
    with transaction() as session:
        account = session.get_one(Account, recognised.account_id)
        if _is_shut_out(account):
            return Refusal.of("account_frozen")
        linked = rows.find_linked(session, recognised.issuer, recognised.subject_index)
        if linked not in {None, account.id}:
            return Refusal.of("upstream_identity_changed")
        if linked is None:
            _link(session, platform, recognised, account, origin)
        refused = account_life.sign_in_refusal(account.status)
        if refused is not None:
            return Refusal.of(refused, authenticated=shown)
        detail = {"issuer": recognised.issuer, "acr": level, "amr": list(recognised.amr)}
        audit.record(session, AuditEvent.UPSTREAM_LOGIN, origin, account_id=account.id, detail=detail)
    return shown


def _link(
    session: Session, platform: Platform, recognised: Recognised, account: Account, origin: Origin
) -> None:
    rows.insert_link(session, recognised.issuer, recognised.subject_index, account.id, clock.now())
    detail = {"issuer": recognised.issuer}
    audit.record(session, AuditEvent.UPSTREAM_LINK, origin, account_id=account.id, detail=detail)
    name = platform.settings.upstream_name
    text = sms.text("upstream_linked", login_name=account.login_name, upstream_name=name)
    outbox.enqueue_sms(session, platform, _phone(platform, account), "upstream_linked", text)


def record_refusal(refusal: Refusal, origin: Origin, account_id: str | None = None) -> None:
    """A sign-in there that led to none here, with the reason that is kept for the trail alone."""
    reason = refusal.problems[0].detail.get("reason")
    detail = {"reason": reason} if reason else {}
    with transaction() as session:
        audit.record(
            session,
            AuditEvent.UPSTREAM_LOGIN,
            origin,
            account_id=account_id,
            result=refusal.code,
            detail=detail,
        )


# --- the second factor, where the other platform asked for one only -----------------------------------------


def send_code(platform: Platform, recognised: Recognised, origin: Origin) -> Refusal | None:
    """A code to the phone that is bound to the account; what ``sms_codes.send_code`` refuses."""
    account_id = recognised.account_id
    destination = Destination(bound_phone(platform, account_id), account_id, account_id)
    return sms_codes.send_code(platform, destination, PURPOSE, origin)


def confirm(
    platform: Platform, recognised: Recognised, sms_code: str, origin: Origin
) -> Recognised | Refusal:
    """With a right code the sign-in has two factors. A wrong one counts like a failed sign-in.

    ``sms_code_wrong`` (or used, or too old), ``login_locked``, ``address_slowed``, ``service_unavailable``.
    """
    account_id = recognised.account_id
    who = Attempt(account_id, account_id, origin, AuditEvent.UPSTREAM_LOGIN, "sms_code_wrong")
    shown = attempts.attempt(platform, who, lambda: _shown(platform, recognised, sms_code))
    if isinstance(shown, Refusal):
        return shown
    return replace(recognised, level=shown.acr, amr=shown.amr)


def _shown(platform: Platform, recognised: Recognised, sms_code: str) -> Shown | None:
    phone = bound_phone(platform, recognised.account_id)
    if sms_codes.check_code(platform, phone, PURPOSE, sms_code) is not None:
        return None
    return Shown(TWO_FACTORS, rules.with_sms(recognised.amr))


def bound_phone(platform: Platform, account_id: str) -> str:
    """The phone that a code goes to, in the clear."""
    with reading() as session:
        return _phone(platform, session.get_one(Account, account_id))


def _phone(platform: Platform, account: Account) -> str:
    return platform.keyring.fields.decrypt(account.phone_encrypted, "accounts.phone")

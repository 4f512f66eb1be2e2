"""更换手机号 when the old phone is lost: what somebody applies for with a new phone in hand.

Password, name and document are looked at together and answered together: whoever has only some of them learns
nothing, and wrong ones count like failed sign-ins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock
from idp.crypto import FieldCipher, constant_time_equal, random_id
from idp.domain import account_life
from idp.domain import accounts as account_rules
from idp.domain import passwords as password_rules
from idp.domain import phone_changes as rules
from idp.domain import throttling as limits
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Problem, Refusal
from idp.domain.phone_changes import Application
from idp.ephemeral import EphemeralUnavailable
from idp.services import agreements, attempts, audit, authentication, phone_changes, scans, throttling
from idp.services.attempts import Attempt
from idp.services.authentication import Named
from idp.services.platform import Platform
from idp.services.scans import CheckedScan, Scan
from idp.storage import enterprises as enterprise_rows
from idp.storage import phone_changes as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.phone_changes import PhoneChange

FORM_CONTEXT: Final = "phone_changes.form"
SCAN_CONTEXT: Final = "phone_changes.scan"


@dataclass(frozen=True, slots=True)
class PendingApplication:
    """What the holder of an account sees of an application; ``phone`` is the new number, masked."""

    phone: str
    applied_at: datetime


def apply(
    platform: Platform,
    fields: Mapping[str, str],
    scan: Scan,
    password: str,
    number: str,
    origin: Origin,
    *,
    consented: bool = False,
) -> Refusal | None:
    """Queue an application for a reviewer; ``number`` is the new phone, which has answered.

    ``consented`` tells that the page asked for the separate consent for identity documents: it is recorded.
    ``details_wrong`` if any of identifier, password, name and document is; ``login_locked``,
    ``address_slowed``, ``account_frozen``, ``phone_taken``, ``application_pending``, ``upload_limit``,
    ``service_unavailable``, and the codes of the fields and of the scan.
    """
    checked = _refuse_too_many(platform, scan, origin) or _check(fields, scan, password)
    if isinstance(checked, Refusal):
        return checked
    application, document = checked
    named = authentication.look_up(platform, application.identifier)
    who = _attempt(named, origin)
    shown = attempts.attempt(platform, who, lambda: _shown(platform, named, application, password))
    if isinstance(shown, Refusal):
        return shown
    if account_life.sign_in_refusal(shown.status) == "account_frozen":
        return attempts.refuse(who, Refusal.of("account_frozen"))
    refusal = _queue(platform, shown.id, application, document, number, origin)
    if refusal is None and consented:
        agreements.consent_to_identity(shown.id, origin)
    return refusal


def _refuse_too_many(platform: Platform, scan: Scan, origin: Origin) -> Refusal | None:
    address, size = origin.address, len(scan.content)
    try:
        return throttling.admit(platform, limits.UPLOADS_OF_ADDRESS, address) or throttling.admit(
            platform, limits.UPLOADED_BYTES_OF_ADDRESS, address, amount=size
        )
    except EphemeralUnavailable:
        return Refusal.of("service_unavailable")


def _check(fields: Mapping[str, str], scan: Scan, password: str) -> tuple[Application, CheckedScan] | Refusal:
    application, document = rules.read_application(fields), scans.check(scan)
    problems = list(application.problems) if isinstance(application, Refusal) else []
    if not password:
        problems.append(Problem("required", "password"))
    if isinstance(document, Problem):
        problems.append(document)
    if problems or isinstance(application, Refusal) or isinstance(document, Problem):
        return Refusal(tuple(problems))
    return application, document


def _attempt(named: Named, origin: Origin) -> Attempt:
    account_id = named.holder.account_id if named.holder else None
    detail = {"identifier": account_rules.mask_identifier(named.identifier.value)}
    event = AuditEvent.PHONE_CHANGE_APPLY
    return Attempt(named.subject, account_id, origin, event, "details_wrong", detail=detail)


def _shown(platform: Platform, named: Named, application: Application, password: str) -> Account | None:
    """The account, if all of it is right; the same work for known and unknown ones."""
    fits = authentication.password_is_right(platform, named.password_hash, password)
    account_id = named.holder.account_id if named.holder else ""
    with reading() as session:
        account = session.get(Account, account_id)
        proved = _proved_identity(session, platform, account, account_id)
    given = f"{application.real_name}\n{application.document_number}"
    same = constant_time_equal(given, proved or "")
    if account is None or password_rules.is_spent(account.temporary_password_until, clock.now()):
        return None
    return account if fits and same and proved else None


def _proved_identity(
    session: Session, platform: Platform, account: Account | None, account_id: str
) -> str | None:
    """Name and number of whom 实名认证 has proved: the person, or the enterprise's legal representative."""
    fields = platform.keyring.fields
    enterprise = enterprise_rows.find_of_legal_account(session, account_id)
    if enterprise is not None:
        name = fields.decrypt(enterprise.representative_name_encrypted, "enterprises.representative_name")
        number = enterprise.representative_document_number_encrypted
        return f"{name}\n{fields.decrypt(number, 'enterprises.representative_document_number')}"
    if account is None or not (account.real_name_encrypted and account.document_number_encrypted):
        return None
    name = fields.decrypt(account.real_name_encrypted, "accounts.real_name")
    return f"{name}\n{fields.decrypt(account.document_number_encrypted, 'accounts.document_number')}"


def _queue(
    platform: Platform,
    account_id: str,
    application: Application,
    document: CheckedScan,
    number: str,
    origin: Origin,
) -> Refusal | None:
    taken = phone_changes.refuse_taken(platform, number)
    if taken is not None:
        return taken
    row = row_of(platform.keyring.fields, account_id, application, document, number)
    try:
        with transaction() as session:
            session.add(row)
            session.flush()
            _record(session, platform, row, origin)
    except IntegrityError:
        return Refusal.of("application_pending")
    return None


def row_of(
    fields: FieldCipher, account_id: str, application: Application, document: CheckedScan, number: str
) -> PhoneChange:
    """The row of an application that waits."""
    form = json.dumps(asdict(application), ensure_ascii=False)
    return PhoneChange(
        id=random_id(),
        account_id=account_id,
        phone_encrypted=fields.encrypt(number, phone_changes.PHONE_CONTEXT),
        form_encrypted=fields.encrypt(form, FORM_CONTEXT),
        scan_content_type=document.content_type,
        scan_size=len(document.content),
        scan_encrypted=fields.encrypt_bytes(document.content, SCAN_CONTEXT),
        status=rules.PENDING,
        applied_at=clock.now(),
    )


def _record(session: Session, platform: Platform, row: PhoneChange, origin: Origin) -> None:
    """Both phones are told: the old one may be in its owner's hand after all."""
    account = session.get_one(Account, row.account_id)
    number = phone_changes.new_number_of(platform, row)
    audit.record(
        session,
        AuditEvent.PHONE_CHANGE_APPLY,
        origin,
        account_id=account.id,
        object_id=row.id,
        detail={"phone": account_rules.mask_phone(number)},
    )
    former = phone_changes.phone_of(platform, account)
    phone_changes.tell(
        session, platform, former, "phone_change_applied", account, phone=account_rules.mask_phone(number)
    )
    phone_changes.tell(session, platform, number, "phone_change_received", account)


def find_pending(platform: Platform, account_id: str) -> PendingApplication | None:
    """The application for this account that waits, as its holder sees it."""
    with reading() as session:
        row = rows.find_pending(session, account_id)
    if row is None:
        return None
    return PendingApplication(
        account_rules.mask_phone(phone_changes.new_number_of(platform, row)), row.applied_at
    )


def withdraw(platform: Platform, account_id: str, origin: Origin) -> Refusal | None:
    """The holder objects, or has found the phone again: nothing comes of it. ``application_decided``."""
    with transaction() as session:
        withdrawn = phone_changes.withdraw_application(session, platform, account_id, origin)
    return None if withdrawn else Refusal.of("application_decided")

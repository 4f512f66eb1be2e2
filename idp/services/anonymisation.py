"""What remains of a deleted account: a pseudonym, so that the trail and an enterprise's records keep their
meaning. Everything that tells of the person goes, in the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from idp import crypto
from idp.crypto import FieldCipher
from idp.domain.account_life import Status
from idp.domain.audit import AuditEvent, Origin
from idp.domain.handlers import OPEN
from idp.services import account_notices, audit, handler_steps, revocation, scan_retention
from idp.services import handler_notices as notices
from idp.services.handler_steps import SYSTEM
from idp.services.platform import Platform
from idp.services.registration import RETIRED_NAME
from idp.storage import account_life, enterprises, erasure, handler_escalations, handlers
from idp.storage.accounts import Account
from idp.storage.handlers import HandlerAuthorization

_BLANK_OF_ENTERPRISE = ("representative_name", "representative_document_number", "address")


def anonymise(session: Session, platform: Platform, account: Account, now: datetime, origin: Origin) -> None:
    """Tell the person and the enterprises once more, then forget the person."""
    account_id, cipher = account.id, platform.keyring.fields
    account_notices.tell(session, platform, account, "deletion_done")
    account_life.retire_login_name(session, cipher.index(account.login_name_index, RETIRED_NAME))
    session.flush()
    end_as_handler(session, platform, account, erasure.DELETED, now, origin)
    _end_as_enterprise(session, platform, account, now, origin)
    revocation.revoke_for_account(session, platform, account_id, erasure.DELETED, now)
    erasure.forget_reasons(session, account_id)
    scan_retention.delete_of_account(session, account_id, origin)
    erasure.erase_rows(session, account_id, account.phone_index)
    erasure.blank_account(session, account_id, _pseudonym(cipher, account_id, now))
    session.expire_all()
    audit.record(session, AuditEvent.ACCOUNT_DELETE, origin, object_id=account_id)


def end_as_handler(
    session: Session, platform: Platform, account: Account, reason: str, now: datetime, origin: Origin
) -> None:
    """End what a person applied for or holds; the enterprises hear of it while there is a name to tell."""
    for authorization, applicant, enterprise in handlers.list_of_account(session, account.id):
        if authorization.status in OPEN and enterprise.status != "vacant":
            notices.tell_enterprise(session, platform, "handler_gone", applicant, enterprise)
    pending, held = erasure.end_handler_rows(session, now, reason, account_id=account.id)
    _record_ended(session, platform, AuditEvent.HANDLER_WITHDRAW, pending, now, origin)
    _record_ended(session, platform, AuditEvent.HANDLER_REVOKE, held, now, origin)


def _end_as_enterprise(
    session: Session, platform: Platform, account: Account, now: datetime, origin: Origin
) -> None:
    """Its enterprise is free for another legal-person account, which begins without handlers."""
    enterprise = enterprises.find_of_legal_account(session, account.id)
    if enterprise is None:
        return
    enterprise_id = enterprise.id
    for told in handlers.list_of_enterprise(session, enterprise_id):
        if told[0].status in OPEN:
            purpose = "handler_refused" if told[0].status == "pending" else "handler_revoked"
            notices.tell_applicant(session, platform, purpose, told)
    pending, held = erasure.end_handler_rows(session, now, erasure.DELETED, enterprise_id=enterprise_id)
    _record_ended(session, platform, AuditEvent.HANDLER_REFUSE, pending, now, origin)
    _record_ended(session, platform, AuditEvent.HANDLER_REVOKE, held, now, origin)
    erasure.vacate_enterprise(session, enterprise_id, _blank_enterprise(platform.keyring.fields), now)


def _record_ended(
    session: Session, platform: Platform, event: AuditEvent, ended: list[str], now: datetime, origin: Origin
) -> None:
    for authorization_id in ended:
        revocation.revoke_for_handler(session, platform, authorization_id, "handler_revoked", now)
        handler_escalations.end_pending(session, authorization_id, now)
        authorization = session.get_one(HandlerAuthorization, authorization_id)
        handler_steps.record(
            session, event, origin, SYSTEM, authorization, reason_code=authorization.reason_code
        )


def _blank_enterprise(cipher: FieldCipher) -> dict[str, str]:
    return {f"{name}_encrypted": cipher.encrypt("", f"enterprises.{name}") for name in _BLANK_OF_ENTERPRISE}


def _pseudonym(cipher: FieldCipher, account_id: str, now: datetime) -> dict[str, object]:
    """Values for every column that tells of the person. The name begins as no login name can."""
    name = "~" + crypto.random_id()[:15]
    return {
        "login_name": name,
        "login_name_index": name,
        "password_hash": "deleted",
        "email_encrypted": cipher.encrypt("", "accounts.email"),
        "phone_encrypted": cipher.encrypt("", "accounts.phone"),
        "phone_index": f"deleted:{account_id}",
        "status": Status.DELETED.value,
        "platform_role": None,
        **erasure.NO_IDENTITY,
        "updated_at": now,
    }

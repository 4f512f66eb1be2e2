"""Who is told of a step of a handler authorisation: the audit trail, and by SMS the other side."""

from __future__ import annotations

from sqlalchemy.orm import Session

from idp import sms
from idp.domain import accounts
from idp.domain.audit import AuditEvent, Origin
from idp.services import audit, outbox
from idp.services.platform import Platform
from idp.storage.accounts import Account
from idp.storage.enterprises import Enterprise
from idp.storage.handlers import HandlerAuthorization, Told


def record(
    session: Session,
    event: AuditEvent,
    origin: Origin,
    account_id: str,
    authorization: HandlerAuthorization,
) -> None:
    """A line of the audit trail; ``account_id`` is who did it."""
    audit.record(
        session,
        event,
        origin,
        account_id=account_id,
        enterprise_id=authorization.enterprise_id,
        object_id=authorization.id,
        detail={"applicant": authorization.account_id, "matters": authorization.matters},
    )


def tell_enterprise(
    session: Session, platform: Platform, purpose: str, applicant: Account, enterprise: Enterprise
) -> None:
    """A message to the legal-person account; it names the applicant with the first character hidden."""
    legal_account = session.get_one(Account, enterprise.legal_account_id)
    sealed = applicant.real_name_encrypted
    name = platform.keyring.fields.decrypt(sealed, "accounts.real_name") if sealed else applicant.login_name
    text = sms.text(
        purpose, applicant_name=accounts.mask_name(name), enterprise_name=enterprise.enterprise_name
    )
    outbox.enqueue_sms(session, platform, _phone(platform, legal_account), purpose, text)


def tell_applicant(session: Session, platform: Platform, purpose: str, told: Told) -> None:
    """A message to the person."""
    _, applicant, enterprise = told
    text = sms.text(purpose, enterprise_name=enterprise.enterprise_name)
    outbox.enqueue_sms(session, platform, _phone(platform, applicant), purpose, text)


def _phone(platform: Platform, account: Account) -> str:
    return platform.keyring.fields.decrypt(account.phone_encrypted, "accounts.phone")

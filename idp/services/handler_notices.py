"""Who is told of a step of a handler authorisation by SMS: the other side."""

from __future__ import annotations

from sqlalchemy.orm import Session

from idp import sms
from idp.domain import accounts
from idp.services import outbox
from idp.services.platform import Platform
from idp.storage.accounts import Account
from idp.storage.enterprises import Enterprise
from idp.storage.handlers import Told


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
    tell(session, platform, legal_account, purpose, text)


def tell_applicant(session: Session, platform: Platform, purpose: str, told: Told) -> None:
    """A message to the person."""
    _, applicant, enterprise = told
    text = sms.text(purpose, enterprise_name=enterprise.enterprise_name)
    tell(session, platform, applicant, purpose, text)


def tell(session: Session, platform: Platform, account: Account, purpose: str, text: str) -> None:
    """A message to an account's phone; nothing to one that has been deleted."""
    if account.status != "deleted":
        phone = platform.keyring.fields.decrypt(account.phone_encrypted, "accounts.phone")
        outbox.enqueue_sms(session, platform, phone, purpose, text)

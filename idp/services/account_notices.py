"""Telling the holder of an account, by SMS, what becomes of it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from idp import sms
from idp.services import outbox
from idp.services.platform import Platform
from idp.storage.accounts import Account


def tell(session: Session, platform: Platform, account: Account, purpose: str, **values: str) -> None:
    """A message to the bound phone, in the caller's transaction."""
    phone = platform.keyring.fields.decrypt(account.phone_encrypted, "accounts.phone")
    text = sms.text(purpose, login_name=account.login_name, **values)
    outbox.enqueue_sms(session, platform, phone, purpose, text)

"""Taking back the consent for identity documents: the verified identity goes, the account stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from idp import clock
from idp.domain.agreements import IDENTITY
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.services import account_notices, anonymisation, audit, authentication, revocation
from idp.services.platform import Platform
from idp.storage import account_life, erasure
from idp.storage import agreements as rows
from idp.storage.accounts import Account
from idp.storage.database import transaction

REASON = "identity_withdrawn"


def withdraw(platform: Platform, account_id: str, origin: Origin) -> Refusal | None:
    """Delete name, document, address, submissions and scans; end what rests on them, and tell of it.

    ``identity_of_enterprise`` for a legal-person account: without an identity it is nothing, and its deletion
    is the way. Whoever calls has made sure of who acts (step-up).
    """
    now = clock.now()
    with transaction() as session:
        account = account_life.lock_account(session, account_id)
        if account is None or account.subject_type == "legal_person":
            return Refusal.of("identity_of_enterprise")
        _forget(session, platform, account, now, origin)
        rows.withdraw(session, account_id, IDENTITY, now)
        audit.record(
            session,
            AuditEvent.AGREEMENT_WITHDRAW,
            origin,
            account_id=account_id,
            detail={"document": IDENTITY},
        )
        account_notices.tell(session, platform, account, "identity_withdrawn")
    return None


def _forget(session: Session, platform: Platform, account: Account, now: datetime, origin: Origin) -> None:
    """Enterprises hear of it while there is still a name to tell them."""
    anonymisation.end_as_handler(session, platform, account, REASON, now, origin)
    revocation.revoke_for_account(session, platform, account.id, "consent_withdrawn", now)
    authentication.mark_for_renewal(session, account.id)
    erasure.erase_identity_rows(session, account.id)
    erasure.blank_account(session, account.id, {**erasure.NO_IDENTITY, "updated_at": now})
    session.expire_all()

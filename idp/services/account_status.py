"""冻结 and 解冻: an administrator shuts an account out, with all that rests on it, and lets it in again."""

from __future__ import annotations

from sqlalchemy.orm import Session

from idp import clock
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.services import audit, authentication, authorizations
from idp.services.platform import Platform
from idp.storage import accounts as rows
from idp.storage.database import transaction

ACTIVE = "active"
FROZEN = "frozen"


def freeze(platform: Platform, account_id: str, origin: Origin, actor: str | None = None) -> Refusal | None:
    """Shut an account out: its logins and all that it has granted end, and the clients are told. Doing it
    twice changes nothing, and nothing comes back when the account is let in again.

    ``not_found``; ``not_permitted`` of one's own account. ``actor`` is the administrator's account, None for
    an operator's command.
    """
    if actor == account_id:
        return Refusal.of("not_permitted")
    with transaction() as session:
        refusal = _change(session, account_id, ACTIVE, FROZEN, origin, actor)
        if refusal is None:
            authentication.end_other_logins(session, platform, account_id, None, origin, FROZEN)
            authorizations.revoke_for_account(session, platform, account_id, FROZEN, clock.now())
    return refusal


def unfreeze(account_id: str, origin: Origin, actor: str | None = None) -> Refusal | None:
    """Let a frozen account in again; it has to sign in anew. ``not_found``."""
    with transaction() as session:
        return _change(session, account_id, FROZEN, ACTIVE, origin, actor)


def _change(
    session: Session, account_id: str, before: str, after: str, origin: Origin, actor: str | None
) -> Refusal | None:
    account = rows.find_account(session, account_id)
    if account is None or account.status not in {before, after}:
        return Refusal.of("not_found")
    if account.status == before:
        rows.update_account(session, account_id, {"status": after, "updated_at": clock.now()})
        event = AuditEvent.ACCOUNT_FREEZE if after == FROZEN else AuditEvent.ACCOUNT_UNFREEZE
        audit.record(session, event, origin, account_id=actor, object_id=account_id)
    return None

"""冻结 and 解冻: an administrator shuts an account out, with all that rests on it, and lets it in again."""

from __future__ import annotations

from sqlalchemy.orm import Session

from idp import clock
from idp.domain.account_life import Status
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.services import account_notices, audit, authentication, revocation
from idp.services.platform import Platform
from idp.storage import account_life as rows
from idp.storage.accounts import Account
from idp.storage.database import transaction

FROZEN = Status.FROZEN.value
_MAY_BE_FROZEN = frozenset({"active", "dormant"})


def freeze(
    platform: Platform, account_id: str, origin: Origin, actor: str | None = None, reason: str = ""
) -> Refusal | None:
    """Shut an account out: its logins and all that it has granted end, the clients and the person are told.
    Doing it twice changes nothing, and nothing comes back when the account is let in again.

    ``not_found``; ``not_permitted`` of one's own account; ``account_not_active`` of one that is leaving.
    ``actor`` is the administrator's account, None for an operator's command; ``reason`` is for the trail.
    """
    if actor == account_id:
        return Refusal.of("not_permitted")
    with transaction() as session:
        account = rows.lock_account(session, account_id)
        refusal = _refusal(account, _MAY_BE_FROZEN | {FROZEN})
        if refusal or account is None or account.status == FROZEN:
            return refusal
        _change(session, platform, account, FROZEN, origin, actor, reason)
        authentication.end_other_logins(session, platform, account_id, None, origin, FROZEN)
        revocation.revoke_for_account(session, platform, account_id, FROZEN, clock.now())
    return None


def unfreeze(
    platform: Platform, account_id: str, origin: Origin, actor: str | None = None, reason: str = ""
) -> Refusal | None:
    """Let a frozen account in again; it has to sign in anew. ``not_found``, ``account_not_active``."""
    with transaction() as session:
        account = rows.lock_account(session, account_id)
        refusal = _refusal(account, frozenset({"active", FROZEN}))
        if refusal is None and account is not None and account.status == FROZEN:
            _change(session, platform, account, "active", origin, actor, reason)
    return refusal


def _refusal(account: Account | None, fitting: frozenset[str]) -> Refusal | None:
    if account is None or account.status == "deleted":
        return Refusal.of("not_found")
    return None if account.status in fitting else Refusal.of("account_not_active")


def _change(
    session: Session,
    platform: Platform,
    account: Account,
    after: str,
    origin: Origin,
    actor: str | None,
    reason: str,
) -> None:
    frozen = after == FROZEN
    account.status, account.updated_at = after, clock.now()
    if not frozen:  # the silence counts from now: the person has just been told
        account.last_sign_in_at, account.dormancy_reminded_at = clock.now(), None
    session.flush()
    event = AuditEvent.ACCOUNT_FREEZE if frozen else AuditEvent.ACCOUNT_UNFREEZE
    detail = {"reason": reason} if reason else None
    audit.record(session, event, origin, account_id=actor, object_id=account.id, detail=detail)
    account_notices.tell(session, platform, account, "account_frozen" if frozen else "account_unfrozen")

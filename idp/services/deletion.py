"""删除账号: asked for by its holder, shut out at once, done for good by the worker after a pause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp import clock
from idp.domain import account_life as rules
from idp.domain import dates
from idp.domain.account_life import Status, Ties
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Problem, Refusal
from idp.domain.identifiers import canonical
from idp.services import account_notices, anonymisation, audit, authentication, revocation
from idp.services.platform import Platform
from idp.storage import account_life as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction

REASON = "account_deleted"


@dataclass(frozen=True, slots=True)
class DeletionView:
    """Whether the account can be deleted now: codes of what stands in the way, and when it would be done."""

    obstacles: tuple[str, ...]
    done_at: datetime


def look(account_id: str) -> DeletionView:
    """What deleting this account would meet."""
    now = clock.now()
    with reading() as session:
        account = session.get_one(Account, account_id)
        return DeletionView(rules.obstacles(_ties(session, account, now)), rules.deletion_at(now))


def _ties(session: Session, account: Account, now: datetime) -> Ties:
    administrator = account.platform_role == "administrator"
    in_force, pending = rows.count_handlers(session, account.id, now)
    return Ties(
        last_administrator=administrator and not rows.has_other_administrator(session, account.id),
        handlers_in_force=in_force,
        applications_to_decide=pending,
    )


def request(platform: Platform, account_id: str, login_name: str, origin: Origin) -> Refusal | None:
    """Shut the account out and have it deleted after the pause; its clients and its phone are told.

    ``login_name_differs`` when the name typed is not the account's; the codes of the obstacles. Whoever
    calls has made sure of who acts (step-up).
    """
    now = clock.now()
    with transaction() as session:
        if session.get_one(Account, account_id).platform_role is not None:
            rows.lock_administrators(session)
        account = rows.lock_account(session, account_id)
        if account is None or account.status != Status.ACTIVE:
            return Refusal.of("account_not_active")
        refusal = _refusal(session, account, login_name, now)
        if refusal is not None:
            return refusal
        _leave(session, platform, account, now)
        authentication.end_other_logins(session, platform, account_id, None, origin, REASON)
        revocation.revoke_for_account(session, platform, account_id, REASON, now)
        audit.record(session, AuditEvent.ACCOUNT_DELETION_REQUEST, origin, account_id=account_id)
    return None


def _refusal(session: Session, account: Account, login_name: str, now: datetime) -> Refusal | None:
    if canonical(login_name).lower() != account.login_name_index:
        return Refusal.of("login_name_differs" if login_name.strip() else "required", "login_name")
    found = rules.obstacles(_ties(session, account, now))
    return Refusal(tuple(Problem(code) for code in found)) if found else None


def _leave(session: Session, platform: Platform, account: Account, now: datetime) -> None:
    account.status, account.deletion_requested_at = Status.LEAVING.value, now
    account.updated_at = now
    session.flush()
    day = dates.china_date(rules.deletion_at(now)).isoformat()
    account_notices.tell(session, platform, account, "deletion_requested", day=day)


def finish_due(platform: Platform, now: datetime, origin: Origin, limit: int = 20) -> int:
    """Anonymise accounts whose pause is over, up to ``limit``; how many. Any number of workers may do so."""
    due = now - rules.DELETION_PAUSE
    with reading() as session:
        waiting = rows.list_leaving(session, due, limit)
    return sum(_finish(platform, account_id, due, now, origin) for account_id in waiting)


def _finish(platform: Platform, account_id: str, due: datetime, now: datetime, origin: Origin) -> bool:
    """All of one account or nothing; False when it came back, or another worker has done it."""
    with transaction() as session:
        account = rows.lock_account(session, account_id)
        requested_at = account.deletion_requested_at if account else None
        if account is None or account.status != Status.LEAVING or requested_at is None or requested_at > due:
            return False
        anonymisation.anonymise(session, platform, account, now, origin)
    return True

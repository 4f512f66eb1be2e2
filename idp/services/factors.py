"""The strong factors of an account: what it has, who may change them, and being told of each change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp import sms
from idp.domain import assurance
from idp.domain.assurance import Shown
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.services import audit, authentication, outbox
from idp.services.authentication import LoginView
from idp.services.platform import Platform
from idp.storage import factors as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey as its owner sees it."""

    id: str
    name: str
    synced: bool
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class FactorsView:
    """What an account has; ``totp_since`` None: no one-time password."""

    totp_since: datetime | None
    totp_used_at: datetime | None
    passkeys: tuple[PasskeyView, ...]
    recovery_codes_left: int

    @property
    def any(self) -> bool:
        """Whether the account can sign in strongly."""
        return self.totp_since is not None or bool(self.passkeys)


def overview(account_id: str) -> FactorsView:
    """What the account has."""
    with reading() as session:
        totp = rows.find_totp(session, account_id)
        return FactorsView(
            totp_since=totp.created_at if totp else None,
            totp_used_at=totp.last_used_at if totp else None,
            passkeys=tuple(_view(row) for row in rows.list_passkeys(session, account_id)),
            recovery_codes_left=rows.count_recovery_codes(session, account_id),
        )


def _view(row: rows.Passkey) -> PasskeyView:
    return PasskeyView(row.id, row.name, row.synced, row.created_at, row.last_used_at)


def has_factor(account_id: str) -> bool:
    """Whether the account can sign in strongly."""
    with reading() as session:
        return rows.has_factor(session, account_id)


def may_change(login: LoginView) -> bool:
    """Whether this login may add or remove factors; that it is recent the page sees to."""
    with reading() as session:
        return refusal_to_change(session, login) is None


def refusal_to_change(session: Session, login: LoginView) -> Refusal | None:
    """The same within a transaction: ``stronger_sign_in_needed``."""
    has_one = rows.has_factor(session, login.account_id)
    if assurance.may_change_factors(Shown(login.acr, login.amr), has_factor=has_one):
        return None
    return Refusal.of("stronger_sign_in_needed")


def forget_idle_recovery_codes(session: Session, account_id: str) -> None:
    """Recovery codes stand in for a factor: with the last one they go."""
    if not rows.has_factor(session, account_id):
        rows.replace_recovery_codes(session, account_id, ())


def record(
    session: Session,
    platform: Platform,
    event: AuditEvent,
    account_id: str,
    origin: Origin,
    *,
    told_as: str,
    factor: str = "recovery_code",
    object_id: str | None = None,
) -> None:
    """A line of the audit trail, and an SMS to the account: whoever didn't do it learns of it at once."""
    detail = {"factor": factor}
    audit.record(session, event, origin, account_id=account_id, object_id=object_id, detail=detail)
    tell(session, platform, account_id, told_as)


def tell(session: Session, platform: Platform, account_id: str, purpose: str) -> None:
    """The SMS alone."""
    account = session.get_one(Account, account_id)
    phone = platform.keyring.fields.decrypt(account.phone_encrypted, "accounts.phone")
    outbox.enqueue_sms(session, platform, phone, purpose, sms.text(purpose, login_name=account.login_name))


def reset(platform: Platform, account_id: str, origin: Origin) -> int | Refusal:
    """Take every factor away, for an operator who has made sure by other means who asks; how many there were.

    Every login ends. ``not_found`` when there is no such account, or it has none.
    """
    with transaction() as session:
        account = session.get(Account, account_id)
        removed = rows.delete_all(session, account_id) if account else 0
        if not removed:
            return Refusal.of("not_found")
        authentication.end_other_logins(session, platform, account_id, None, origin, "factors_reset")
        detail = {"removed": removed}
        audit.record(session, AuditEvent.FACTOR_RESET, origin, object_id=account_id, detail=detail)
        tell(session, platform, account_id, "factors_reset")
    return removed

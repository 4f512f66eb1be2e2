"""恢复码: ten codes on paper, each of which stands in once for a lost factor."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy.orm import Session

from idp.domain import factors as rules
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.services import audit, factors
from idp.services.authentication import LoginView
from idp.services.platform import Platform
from idp.storage import factors as rows
from idp.storage.database import reading, transaction


@dataclass(frozen=True, slots=True)
class UsableRecoveryCode:
    """A right code, by its index."""

    account_id: str
    index: str


def renew(platform: Platform, login: LoginView, origin: Origin) -> tuple[str, ...] | Refusal:
    """Ten new codes, which are told this once, in place of all former ones.

    ``factor_required`` without a factor to stand in for, ``stronger_sign_in_needed``.
    """
    account_id = login.account_id
    with transaction() as session:
        if not rows.has_factor(session, account_id):
            return Refusal.of("factor_required")
        refusal = factors.refusal_to_change(session, login)
        if refusal is not None:
            return refusal
        factors.tell(session, platform, account_id, "recovery_codes_renewed")
        return write(session, platform, account_id, origin)


def write(session: Session, platform: Platform, account_id: str, origin: Origin) -> tuple[str, ...]:
    """New codes in the caller's transaction: also with the first factor, whose set-up tells of itself."""
    codes = tuple(_code() for _ in range(rules.RECOVERY_CODES))
    rows.replace_recovery_codes(session, account_id, [_index(platform, account_id, code) for code in codes])
    audit.record(session, AuditEvent.RECOVERY_CODES_RENEW, origin, account_id=account_id)
    return tuple(rules.grouped(code) for code in codes)


def examine(platform: Platform, account_id: str, typed: str) -> UsableRecoveryCode | None:
    """Whether this is an unused code of the account's; it isn't used up yet."""
    index = _index(platform, account_id, rules.find_recovery_code(typed) or "")
    with reading() as session:
        found = rows.has_recovery_code(session, account_id, index)
    return UsableRecoveryCode(account_id, index) if found else None


def redeem(session: Session, platform: Platform, code: UsableRecoveryCode, origin: Origin) -> bool:
    """Use a code up in the caller's transaction, and tell the account: of several at once one succeeds."""
    if not rows.use_recovery_code(session, code.account_id, code.index):
        return False
    event = AuditEvent.RECOVERY_CODE_USE
    factors.record(session, platform, event, code.account_id, origin, told_as="recovery_code_used")
    return True


def _code() -> str:
    return "".join(secrets.choice(rules.RECOVERY_ALPHABET) for _ in range(rules.RECOVERY_LENGTH))


def _index(platform: Platform, account_id: str, code: str) -> str:
    """Random enough for a plain hash; the key keeps a copy of the database from being searched at all."""
    return platform.keyring.fields.index(f"{account_id}:{code}", "recovery_codes.code")

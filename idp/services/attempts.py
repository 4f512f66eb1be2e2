"""One try to show who one is: counted before anything is looked at, audited, answered alike if wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.ephemeral import EphemeralUnavailable
from idp.services import audit, login_limits
from idp.services.platform import Platform
from idp.storage.database import transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries what: ``subject`` is counted and locked, ``wrong`` is the code for anything wrong."""

    subject: str
    account_id: str | None
    origin: Origin
    event: AuditEvent = AuditEvent.LOGIN_FAILURE
    wrong: str = "credentials_wrong"
    object_id: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


def attempt(platform: Platform, who: Attempt, check: Callable[[], T | None]) -> T | Refusal:
    """What ``check`` finds shown, or why not: ``who.wrong`` if it finds nothing.

    Also ``login_locked`` (minutes), ``address_slowed`` (seconds), ``service_unavailable``. Failures of every
    way in are counted together.
    """
    try:
        number = login_limits.admit(platform, who.subject, who.origin)
        if isinstance(number, Refusal):
            return refuse(who, number)
        shown = check()
        if shown is None:
            return _fail(platform, who, number)
        login_limits.forget_failures(platform, who.subject)
    except EphemeralUnavailable:
        return Refusal.of("service_unavailable")
    return shown


def refuse(who: Attempt, refusal: Refusal) -> Refusal:
    """Refuse for another reason than wrong factors; the trail has it."""
    _record(who, who.event, refusal.code)
    return refusal


def _fail(platform: Platform, who: Attempt, number: int) -> Refusal:
    locked = login_limits.record_failure(platform, who.subject, number, who.origin)
    _record(who, who.event, who.wrong)
    if locked is not None:
        _record(who, AuditEvent.LOGIN_LOCKED, "login_locked")
    return locked or Refusal.of(who.wrong)


def _record(who: Attempt, event: AuditEvent, result: str) -> None:
    with transaction() as session:
        audit.record(
            session,
            event,
            who.origin,
            account_id=who.account_id,
            object_id=who.object_id,
            result=result,
            detail=who.detail,
        )

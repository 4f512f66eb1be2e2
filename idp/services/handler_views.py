"""What applicants and enterprises see of handler authorisations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp import clock
from idp.crypto import FieldCipher
from idp.domain import accounts, handler_renewals
from idp.domain.handlers import Standing, Status, status_at
from idp.services.platform import Platform
from idp.storage import handler_events
from idp.storage import handlers as rows
from idp.storage.database import reading
from idp.storage.handler_events import HandlerEvent
from idp.storage.handlers import Told

PAGE_SIZE: Final = 20


@dataclass(frozen=True, slots=True)
class HandlerView:
    """An authorisation with the names of both sides; ``status`` is what counts now (``expired`` computed).

    ``document_tail`` shows the last four characters of the applicant's document number.
    """

    id: str
    account_id: str
    applicant_login_name: str
    applicant_name: str
    document_tail: str
    enterprise_id: str
    enterprise_credit_code: str
    enterprise_name: str
    representative_name: str
    matters: tuple[str, ...]
    status: str
    applied_at: datetime
    decided_at: datetime | None
    valid_from: datetime | None
    valid_until: datetime | None
    revoked_at: datetime | None
    reason: str | None
    reason_code: str | None
    route: str
    suspended_at: datetime | None
    reviewed_at: datetime | None
    ends_soon: bool


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of the history; ``login_name`` of who took it, None for the platform's and the system's."""

    event: str
    side: str
    login_name: str | None
    occurred_at: datetime
    matters: tuple[str, ...]
    valid_until: datetime | None
    reason_code: str | None
    reason: str | None


def find_own(platform: Platform, viewer_id: str, authorization_id: str) -> HandlerView | None:
    """An authorisation for one of its two sides: the person, or the enterprise's legal-person account."""
    with reading() as session:
        found = rows.find(session, authorization_id)
    if found is None or viewer_id not in {found[0].account_id, found[2].legal_account_id}:
        return None
    return view(platform, found, clock.now())


def history(authorization_id: str) -> list[StepView]:
    """Every step of an authorisation, oldest first; whether its reader may see it has been looked at."""
    with reading() as session:
        found = handler_events.list_of_authorization(session, authorization_id)
    return [_step(event, login_name) for event, login_name in found]


def _step(event: HandlerEvent, login_name: str | None) -> StepView:
    return StepView(
        event=event.event,
        side=event.side,
        login_name=login_name if event.side in {"handler", "enterprise"} else None,
        occurred_at=event.occurred_at,
        matters=tuple(event.matters),
        valid_until=event.valid_until,
        reason_code=event.reason_code,
        reason=event.reason,
    )


def list_group(
    platform: Platform, enterprise_id: str, group: str, *, search: str = "", page: int = 1
) -> list[HandlerView]:
    """A page of one group (pending, approved, suspended, past) of an enterprise's, newest first, whose login
    name holds ``search``.
    """
    with reading() as session:
        found = rows.list_group(
            session,
            enterprise_id,
            group,
            clock.now(),
            login_name_part=search,
            offset=(page - 1) * PAGE_SIZE,
            limit=PAGE_SIZE,
        )
    return _views(platform, found)


def count_groups(enterprise_id: str) -> dict[str, int]:
    """How many each group has; a group without any is not there."""
    with reading() as session:
        return rows.count_groups(session, enterprise_id, clock.now())


def list_of_account(platform: Platform, account_id: str) -> list[HandlerView]:
    """What a person applied for, newest first."""
    with reading() as session:
        found = rows.list_of_account(session, account_id)
    return _views(platform, found)


def list_of_enterprise(platform: Platform, enterprise_id: str) -> list[HandlerView]:
    """Who applied to an enterprise, newest first."""
    with reading() as session:
        found = rows.list_of_enterprise(session, enterprise_id)
    return _views(platform, found)


def view(platform: Platform, told: Told, now: datetime) -> HandlerView:
    """The view of one authorisation with its applicant and enterprise."""
    authorization, applicant, enterprise = told
    cipher = platform.keyring.fields
    standing = Standing(Status(authorization.status), authorization.valid_until)
    number = _opened(cipher, applicant.document_number_encrypted, "accounts.document_number")
    return HandlerView(
        id=authorization.id,
        account_id=authorization.account_id,
        applicant_login_name=applicant.login_name,
        applicant_name=_opened(cipher, applicant.real_name_encrypted, "accounts.real_name"),
        document_tail=accounts.document_tail(number),
        enterprise_id=enterprise.id,
        enterprise_credit_code=enterprise.enterprise_credit_code,
        enterprise_name=enterprise.enterprise_name,
        representative_name=_opened(
            cipher, enterprise.representative_name_encrypted, "enterprises.representative_name"
        ),
        matters=tuple(authorization.matters),
        status=status_at(standing, now).value,
        applied_at=authorization.applied_at,
        decided_at=authorization.decided_at,
        valid_from=authorization.valid_from,
        valid_until=authorization.valid_until,
        revoked_at=authorization.revoked_at,
        reason=authorization.reason,
        reason_code=authorization.reason_code,
        route=authorization.route,
        suspended_at=authorization.suspended_at,
        reviewed_at=authorization.reviewed_at,
        ends_soon=handler_renewals.ends_soon(standing, now),
    )


def _opened(cipher: FieldCipher, sealed: str | None, context: str) -> str:
    """A field decrypted; nothing for an account whose personal data are gone."""
    return cipher.decrypt(sealed, context) if sealed else ""


def _views(platform: Platform, found: Iterable[Told]) -> list[HandlerView]:
    now = clock.now()
    return [view(platform, told, now) for told in found]

"""Invitations of handlers: offered by the enterprise, accepted or declined by the person, then in force.

An invitation is addressed to a phone and a name. Whether anybody has them is looked at when somebody comes to
accept, so that offering says nothing about who is registered, by its answer or by its time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from idp import clock, crypto, sms
from idp.crypto import FieldCipher
from idp.domain import accounts as account_rules
from idp.domain import handler_invitations as rules
from idp.domain import handlers, throttling
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.domain.handler_invitations import Invitation, Status
from idp.domain.handlers import Applicant
from idp.services import audit, authentication, handler_decisions, handler_steps, outbox
from idp.services import handler_notices as notices
from idp.services.handler_steps import SYSTEM, Actor
from idp.services.handler_views import HandlerView, view
from idp.services.platform import Platform
from idp.services.throttling import admit
from idp.storage import handler_invitations as rows
from idp.storage import handlers as handler_rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.enterprises import Enterprise
from idp.storage.handler_invitations import HandlerInvitation
from idp.storage.handlers import HandlerAuthorization

PAGE_SIZE: Final = 20
PHONE: Final = "handler_invitations.phone"
NAME: Final = "handler_invitations.real_name"


@dataclass(frozen=True, slots=True)
class InvitationForm:
    """An invitation as typed."""

    phone: str
    real_name: str
    matters: tuple[str, ...]
    valid_until: str | None


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation; to the person with the enterprise, to the enterprise with the person as it typed it."""

    id: str
    enterprise_name: str
    enterprise_credit_code: str
    phone: str
    real_name: str
    matters: tuple[str, ...]
    valid_until: datetime | None
    status: str
    invited_at: datetime
    expires_at: datetime
    decided_at: datetime | None


def invite(
    platform: Platform, actor_account_id: str, enterprise_id: str, form: InvitationForm, origin: Origin
) -> str | Refusal:
    """Offer a person an authorisation, and tell the phone; the invitation's id."""
    now = clock.now()
    offer = rules.read(form.phone, form.real_name, form.matters, form.valid_until, now)
    if isinstance(offer, Refusal):
        return offer
    refusal = admit(platform, throttling.INVITATIONS_OF_ACCOUNT, actor_account_id) or admit(
        platform, throttling.INVITATIONS_OF_PHONE, offer.phone
    )
    if refusal:
        return refusal
    with transaction() as session:
        enterprise = handler_rows.lock_enterprise(session, enterprise_id)
        if enterprise is None or enterprise.legal_account_id != actor_account_id:
            return Refusal.of("not_found")
        return _offer(session, platform, enterprise, offer, origin, now)


def _offer(
    session: Session,
    platform: Platform,
    enterprise: Enterprise,
    offer: Invitation,
    origin: Origin,
    now: datetime,
) -> str | Refusal:
    cipher = platform.keyring.fields
    phone_index = cipher.index(offer.phone, "accounts.phone")
    refusal = rules.refuse_offer(
        rows.count_waiting(session, enterprise, now),
        rows.is_waiting(session, enterprise, phone_index, now),
    )
    if enterprise.status != "active" or refusal:
        return refusal or Refusal.of("enterprise_closed")
    invitation = HandlerInvitation(
        id=crypto.random_id(),
        enterprise_id=enterprise.id,
        phone_encrypted=cipher.encrypt(offer.phone, PHONE),
        phone_index=phone_index,
        real_name_encrypted=cipher.encrypt(offer.real_name, NAME),
        matters=list(offer.terms.matters),
        valid_until=offer.terms.valid_until,
        status=Status.PENDING.value,
        invited_at=now,
        invited_by=enterprise.legal_account_id,
        expires_at=now + rules.TTL,
    )
    session.add(invitation)
    _record(session, AuditEvent.HANDLER_INVITE, origin, enterprise.legal_account_id, invitation)
    text = sms.text("handler_invited", enterprise_name=enterprise.enterprise_name)
    outbox.enqueue_sms(session, platform, offer.phone, "handler_invited", text)
    return invitation.id


def list_of_enterprise(platform: Platform, enterprise_id: str, page: int = 1) -> list[InvitationView]:
    """What an enterprise offered, newest first; the phone masked."""
    with reading() as session:
        enterprise = session.get_one(Enterprise, enterprise_id)
        found = rows.list_of_enterprise(session, enterprise, (page - 1) * PAGE_SIZE, PAGE_SIZE)
    return [_view(platform.keyring.fields, one, enterprise, clock.now()) for one in found]


def list_of_account(platform: Platform, account_id: str) -> list[InvitationView]:
    """What waits for a verified person."""
    cipher = platform.keyring.fields
    with reading() as session:
        account = session.get_one(Account, account_id)
        found = rows.list_to_phone(session, account.phone_index, clock.now())
    return [_view(cipher, *one, clock.now()) for one in found if _is_for(cipher, one[0], account)]


def accept(platform: Platform, account_id: str, invitation_id: str, origin: Origin) -> HandlerView | Refusal:
    """The person accepts: in force at once, on the enterprise's terms; the enterprise is told by SMS."""
    now = clock.now()
    with transaction() as session:
        seen = rows.find(session, invitation_id)
        enterprise = handler_rows.lock_enterprise(session, seen.enterprise_id) if seen else None
        account = handler_rows.lock_account(session, account_id)
        invitation = _lock_own(session, platform, account, invitation_id, now)
        if enterprise is None or account is None or isinstance(invitation, Refusal):
            return invitation if isinstance(invitation, Refusal) else Refusal.of("not_found")
        return _accept(session, platform, invitation, account, enterprise, origin, now)


def decline(platform: Platform, account_id: str, invitation_id: str, origin: Origin) -> Refusal | None:
    """The person declines; the enterprise is told by SMS."""
    now = clock.now()
    with transaction() as session:
        account = session.get(Account, account_id)
        invitation = _lock_own(session, platform, account, invitation_id, now)
        if account is None or isinstance(invitation, Refusal):
            return invitation if isinstance(invitation, Refusal) else Refusal.of("not_found")
        invitation.status, invitation.decided_at = Status.DECLINED.value, now
        _record(session, AuditEvent.HANDLER_INVITATION_DECLINE, origin, account_id, invitation)
        enterprise = session.get_one(Enterprise, invitation.enterprise_id)
        notices.tell_enterprise(session, platform, "handler_invitation_declined", account, enterprise)
    return None


def cancel(
    platform: Platform, actor_account_id: str, enterprise_id: str, invitation_id: str, origin: Origin
) -> Refusal | None:
    """The enterprise takes an invitation back that waits."""
    del platform
    now = clock.now()
    with transaction() as session:
        invitation = rows.lock(session, invitation_id)
        if invitation is None or invitation.enterprise_id != enterprise_id:
            return Refusal.of("not_found")
        if rules.status_at(invitation.status, invitation.expires_at, now) is not Status.PENDING:
            return Refusal.of("invitation_not_pending")
        invitation.status, invitation.decided_at = Status.CANCELLED.value, now
        _record(session, AuditEvent.HANDLER_INVITATION_CANCEL, origin, actor_account_id, invitation)
    return None


def _accept(
    session: Session,
    platform: Platform,
    invitation: HandlerInvitation,
    account: Account,
    enterprise: Enterprise,
    origin: Origin,
    now: datetime,
) -> HandlerView | Refusal:
    authorization = _authorization(invitation, account, now)
    refusal = _refuse(session, invitation, account, enterprise, now) or _make_room(
        session, account, enterprise, origin, now
    )
    refusal = refusal or handler_decisions.refuse_another(session, authorization, now)
    if refusal:
        session.rollback()
        return refusal
    session.add(authorization)
    session.flush()
    invitation.status, invitation.decided_at = Status.ACCEPTED.value, now
    invitation.handler_authorization_id = authorization.id
    authentication.mark_for_renewal(session, account.id)
    actor = Actor("handler", account.id)
    handler_steps.record(session, AuditEvent.HANDLER_INVITATION_ACCEPT, origin, actor, authorization)
    notices.tell_enterprise(session, platform, "handler_invitation_accepted", account, enterprise)
    return view(platform, (authorization, account, enterprise), now)


def _refuse(
    session: Session, invitation: HandlerInvitation, account: Account, enterprise: Enterprise, now: datetime
) -> Refusal | None:
    if enterprise.status != "active":
        return Refusal.of("enterprise_closed")
    over = invitation.valid_until is not None and invitation.valid_until <= now
    if over or invitation.invited_by != enterprise.legal_account_id:
        return Refusal.of("invitation_not_pending")
    return handlers.refuse_person(Applicant(account.subject_type, account.verification_status))


def _make_room(
    session: Session, account: Account, enterprise: Enterprise, origin: Origin, now: datetime
) -> Refusal | None:
    """An application of the person's own that waits is taken back, what has expired is put away."""
    current = handler_rows.lock_open(session, account.id, enterprise.id)
    if current is None:
        return None
    standing = handler_steps.standing_of(current)
    status = handlers.status_at(standing, now)
    if status in handlers.HELD:
        held = status is handlers.Status.APPROVED
        return Refusal.of("already_handler" if held else "handler_suspended")
    if status is handlers.Status.PENDING:
        after, event, actor = (
            handlers.withdraw(standing, now),
            AuditEvent.HANDLER_WITHDRAW,
            Actor("handler", account.id),
        )
    else:
        after, event, actor = (
            replace(standing, status=handlers.Status.EXPIRED),
            AuditEvent.HANDLER_EXPIRE,
            SYSTEM,
        )
    if isinstance(after, Refusal):
        return after
    handler_steps.write(current, after)
    handler_steps.record(session, event, origin, actor, current)
    session.flush()
    return None


def _authorization(invitation: HandlerInvitation, account: Account, now: datetime) -> HandlerAuthorization:
    return HandlerAuthorization(
        id=crypto.random_id(),
        account_id=account.id,
        enterprise_id=invitation.enterprise_id,
        matters=list(invitation.matters),
        status=handlers.Status.APPROVED.value,
        route="invitation",
        applied_at=invitation.invited_at,
        valid_from=now,
        valid_until=invitation.valid_until,
        decided_at=now,
        decided_by=invitation.invited_by,
    )


def _lock_own(
    session: Session, platform: Platform, account: Account | None, invitation_id: str, now: datetime
) -> HandlerInvitation | Refusal:
    """An invitation that waits, locked, for the person it is addressed to; else ``not_found``."""
    invitation = rows.lock(session, invitation_id)
    if account is None or invitation is None or not _is_for(platform.keyring.fields, invitation, account):
        return Refusal.of("not_found")
    if rules.status_at(invitation.status, invitation.expires_at, now) is not Status.PENDING:
        return Refusal.of("invitation_not_pending")
    return invitation


def _is_for(cipher: FieldCipher, invitation: HandlerInvitation, account: Account) -> bool:
    """Whether the account has the phone, and its verified holder the name."""
    if invitation.phone_index != account.phone_index or account.real_name_encrypted is None:
        return False
    wanted = cipher.decrypt(invitation.real_name_encrypted, NAME)
    return wanted == cipher.decrypt(account.real_name_encrypted, "accounts.real_name")


def _view(
    cipher: FieldCipher, invitation: HandlerInvitation, enterprise: Enterprise, now: datetime
) -> InvitationView:
    return InvitationView(
        id=invitation.id,
        enterprise_name=enterprise.enterprise_name,
        enterprise_credit_code=enterprise.enterprise_credit_code,
        phone=account_rules.mask_phone(cipher.decrypt(invitation.phone_encrypted, PHONE)),
        real_name=cipher.decrypt(invitation.real_name_encrypted, NAME),
        matters=tuple(invitation.matters),
        valid_until=invitation.valid_until,
        status=rules.status_at(invitation.status, invitation.expires_at, now).value,
        invited_at=invitation.invited_at,
        expires_at=invitation.expires_at,
        decided_at=invitation.decided_at,
    )


def _record(
    session: Session, event: AuditEvent, origin: Origin, account_id: str, invitation: HandlerInvitation
) -> None:
    """Neither phone nor name stands in the trail."""
    audit.record(
        session,
        event,
        origin,
        account_id=account_id,
        enterprise_id=invitation.enterprise_id,
        object_id=invitation.id,
        detail={"matters": invitation.matters},
    )

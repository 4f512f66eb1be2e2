"""What an account says about itself and what may be changed: profile, default enterprise, roles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock
from idp.crypto import FieldCipher
from idp.domain import accounts as rules
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.domain.identifiers import unhyphenated
from idp.services import audit, authentication, clients, handlers
from idp.services.platform import Platform
from idp.storage import accounts as rows
from idp.storage import enterprises as enterprise_rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.enterprises import Enterprise

PAGE_SIZE = 50
PLATFORM_ROLES = frozenset({"administrator"})


@dataclass(frozen=True, slots=True)
class EnterpriseView:
    """The enterprise that a legal-person account is."""

    id: str
    enterprise_credit_code: str
    enterprise_name: str
    organization_type: str
    legal_person_type: str
    representative_name: str
    address: str
    status: str


@dataclass(frozen=True, slots=True)
class Profile:
    """An account in the clear: pages mask it with the functions of domain.accounts."""

    account_id: str
    login_name: str
    email: str
    phone: str
    status: str
    platform_role: str | None
    subject_type: str | None
    verification_status: str
    verified_at: datetime | None
    real_name: str | None
    document_type: str | None
    document_number: str | None
    address: str | None
    enterprise: EnterpriseView | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """A line of the list of accounts, masked."""

    account_id: str
    login_name: str
    phone: str
    real_name: str
    status: str
    platform_role: str | None
    subject_type: str | None
    verification_status: str
    created_at: datetime


def get_profile(platform: Platform, account_id: str) -> Profile:
    """The account; LookupError when there is none."""
    profile = find_profile(platform, account_id)
    if profile is None:
        raise LookupError(account_id)
    return profile


def find_profile(platform: Platform, account_id: str) -> Profile | None:
    """The account, or None."""
    with reading() as session:
        account = rows.find_account(session, account_id)
        if account is None:
            return None
        enterprise = enterprise_rows.find_of_legal_account(session, account_id)
    return _profile(platform.keyring.fields, account, enterprise)


def _profile(cipher: FieldCipher, account: Account, enterprise: Enterprise | None) -> Profile:
    return Profile(
        account_id=account.id,
        login_name=account.login_name,
        email=cipher.decrypt(account.email_encrypted, "accounts.email"),
        phone=cipher.decrypt(account.phone_encrypted, "accounts.phone"),
        status=account.status,
        platform_role=account.platform_role,
        subject_type=account.subject_type,
        verification_status=account.verification_status,
        verified_at=account.verified_at,
        real_name=_opened(cipher, account.real_name_encrypted, "accounts.real_name"),
        document_type=account.document_type,
        document_number=_opened(cipher, account.document_number_encrypted, "accounts.document_number"),
        address=_opened(cipher, account.address_encrypted, "accounts.address"),
        enterprise=_enterprise(cipher, enterprise) if enterprise else None,
        created_at=account.created_at,
    )


def _enterprise(cipher: FieldCipher, enterprise: Enterprise) -> EnterpriseView:
    return EnterpriseView(
        id=enterprise.id,
        enterprise_credit_code=enterprise.enterprise_credit_code,
        enterprise_name=enterprise.enterprise_name,
        organization_type=enterprise.organization_type,
        legal_person_type=enterprise.legal_person_type,
        representative_name=cipher.decrypt(
            enterprise.representative_name_encrypted, "enterprises.representative_name"
        ),
        address=cipher.decrypt(enterprise.address_encrypted, "enterprises.address"),
        status=enterprise.status,
    )


def _opened(cipher: FieldCipher, sealed: str | None, context: str) -> str | None:
    return cipher.decrypt(sealed, context) if sealed else None


def find_account_id(platform: Platform, login_name: str) -> str | None:
    """The id of the account with a login name."""
    with reading() as session:
        return rows.find_account_id(session, login_name)


def list_accounts(platform: Platform, search: str = "", page: int = 1) -> list[AccountSummary]:
    """A page of fifty accounts whose login name holds ``search``, by login name."""
    with reading() as session:
        found = rows.list_accounts(session, search, (page - 1) * PAGE_SIZE, PAGE_SIZE)
    return [_summary(platform.keyring.fields, account) for account in found]


def count_accounts(platform: Platform, search: str = "") -> int:
    """How many accounts ``list_accounts`` lists on all its pages."""
    with reading() as session:
        return rows.count_accounts(session, search)


def _summary(cipher: FieldCipher, account: Account) -> AccountSummary:
    name = _opened(cipher, account.real_name_encrypted, "accounts.real_name")
    return AccountSummary(
        account_id=account.id,
        login_name=account.login_name,
        phone=rules.mask_phone(cipher.decrypt(account.phone_encrypted, "accounts.phone")),
        real_name=rules.mask_name(name) if name else "",
        status=account.status,
        platform_role=account.platform_role,
        subject_type=account.subject_type,
        verification_status=account.verification_status,
        created_at=account.created_at,
    )


def set_default_enterprise(
    platform: Platform, account_id: str, enterprise_credit_code: str, origin: Origin
) -> Refusal | None:
    """切换企业: keep the account's choice (empty: itself); ``cannot_act`` where it can't act for that one."""
    code = unhyphenated(enterprise_credit_code)
    candidates = handlers.acting_candidates(platform, account_id, clock.now()) if code else []
    chosen = next((c.enterprise_id for c in candidates if c.enterprise_credit_code == code), None)
    if code and chosen is None:
        return Refusal.of("cannot_act", "enterprise")
    with transaction() as session:
        rows.update_account(session, account_id, {"default_enterprise_id": chosen})
        audit.record(
            session, AuditEvent.ENTERPRISE_SWITCH, origin, account_id=account_id, enterprise_id=chosen
        )
    return None


def list_roles(platform: Platform, account_id: str) -> list[tuple[str, str]]:
    """(client_id, role) that the account has been given."""
    del platform
    with reading() as session:
        return rows.list_roles(session, account_id)


def set_role(
    platform: Platform,
    account_id: str,
    client_id: str,
    role: str,
    granted: bool,
    origin: Origin,
    actor: str | None = None,
) -> Refusal | None:
    """Give or take a role of a client; doing it twice changes nothing. ``not_found``, ``role_invalid``.

    ``actor`` is the administrator's account, None for an operator's command.
    """
    registration = clients.find_registration(platform, client_id)
    if registration is None or (granted and role not in registration.metadata.get("roles", ())):
        return Refusal.of("role_invalid", "role")
    try:
        with transaction() as session:
            if rows.find_account(session, account_id) is None:
                return Refusal.of("not_found")
            change = rows.insert_role if granted else rows.delete_role
            if change(session, account_id, client_id, role):
                authentication.mark_for_renewal(session, account_id)
                _record_role(session, account_id, client_id, role, granted, origin, actor)
    except IntegrityError:
        return None  # another administrator has just given it
    return None


def _record_role(
    session: Session,
    account_id: str,
    client_id: str | None,
    role: str,
    granted: bool,
    origin: Origin,
    actor: str | None,
) -> None:
    event = AuditEvent.ROLE_GRANT if granted else AuditEvent.ROLE_WITHDRAW
    audit.record(
        session,
        event,
        origin,
        account_id=actor,
        client_id=client_id,
        object_id=account_id,
        detail={"role": role},
    )


def set_platform_role(
    platform: Platform, account_id: str, role: str, granted: bool, origin: Origin, actor: str | None = None
) -> Refusal | None:
    """Make an account an administrator of the platform, or no longer."""
    del platform
    if role not in PLATFORM_ROLES:
        return Refusal.of("role_invalid", "role")
    with transaction() as session:
        account = rows.find_account(session, account_id)
        if account is None:
            return Refusal.of("not_found")
        if (account.platform_role == role) != granted:
            account.platform_role = role if granted else None
            authentication.mark_for_renewal(session, account_id)
            _record_role(session, account_id, None, role, granted, origin, actor)
    return None

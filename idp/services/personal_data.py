"""What the platform holds about one person, for that person (PIPL 45): everything, and nobody else's.

Other people appear in a person's rows: who decided, an enterprise's legal representative, an administrator's
address. They are left out here, and the file says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from idp import clock
from idp.domain.accounts import mask_phone
from idp.domain.audit import AuditEvent, Entry, Origin
from idp.domain.errors import Refusal
from idp.domain.throttling import EXPORTS_OF_ACCOUNT
from idp.ephemeral import EphemeralUnavailable
from idp.services import (
    accounts,
    agreements,
    applications,
    audit,
    consents,
    handler_views,
    known_devices,
    phone_changes,
    throttling,
)
from idp.services.accounts import Profile
from idp.services.platform import Platform
from idp.storage import accounts as account_rows
from idp.storage import audit as audit_rows
from idp.storage import factors
from idp.storage import personal_data as rows
from idp.storage import phone_changes as phone_change_rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction

FORM: Final = 1  # of the file; counted up when a program that reads it would have to change
MOST_LINES: Final = 10_000
_OWN_ENDS: Final = frozenset({"logout", "remote", "replaced", "password_changed"})
_OF_THE_REPRESENTATIVE: Final = "representative_"

Section = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class PersonalData:
    """The sections of the file: ``account`` is one object, the others are lists of objects."""

    account: Mapping[str, Any]
    sections: Mapping[str, Section]
    taken_at: datetime

    def as_json(self) -> dict[str, Any]:
        """The whole file."""
        head = {
            "form": FORM,
            "taken_at": self.taken_at.isoformat(),
            "left_out": ["data of other persons", "scans' content", "passwords and secrets"],
        }
        return {**head, "account": dict(self.account), **self.sections}


def look(platform: Platform, account_id: str) -> PersonalData:
    """All of it, as the page sums it up."""
    profile = accounts.get_profile(platform, account_id)
    with reading() as session:
        account = _account(session, profile)
        sections = {name: read(platform, session, account_id) for name, read in _SECTIONS.items()}
    return PersonalData(account, sections, clock.now())


def export(platform: Platform, account_id: str, origin: Origin) -> PersonalData | Refusal:
    """All of it, to be taken away; ``export_limit`` after a few a day, ``service_unavailable``.

    Whoever calls has made sure of who asks (step-up). It stands in the trail before it leaves.
    """
    try:
        refusal = throttling.admit(platform, EXPORTS_OF_ACCOUNT, account_id)
    except EphemeralUnavailable:
        return Refusal.of("service_unavailable")
    if refusal is not None:
        return refusal
    with transaction() as session:
        audit.record(session, AuditEvent.ACCOUNT_EXPORT, origin, account_id=account_id)
    return look(platform, account_id)


def _account(session: Session, profile: Profile) -> dict[str, Any]:
    account = session.get_one(Account, profile.account_id)
    enterprise = profile.enterprise
    return {
        "account_id": profile.account_id,
        "login_name": profile.login_name,
        "email": profile.email,
        "phone": profile.phone,
        "status": profile.status,
        "subject_type": profile.subject_type,
        "verification_status": profile.verification_status,
        "verified_at": _moment(profile.verified_at),
        "real_name": profile.real_name,
        "document_type": profile.document_type,
        "document_number": profile.document_number,
        "address": profile.address,
        "platform_role": profile.platform_role,
        "registered_at": _moment(profile.created_at),
        "last_sign_in_at": _moment(account.last_sign_in_at),
        "password_changed_at": _moment(account.password_changed_at),
        "enterprise": enterprise
        and {
            "enterprise_name": enterprise.enterprise_name,
            "enterprise_credit_code": enterprise.enterprise_credit_code,
            "organization_type": enterprise.organization_type,
            "address": enterprise.address,
        },
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _applications(platform: Platform, session: Session, account_id: str) -> Section:
    cipher, scans = platform.keyring.fields, rows.list_scans(session, account_id)
    return [
        {
            "subject_type": application.subject_type,
            "manual": application.manual,
            "status": application.status,
            "reason": application.reason,
            "submitted_at": _moment(application.submitted_at),
            "decided_at": _moment(application.decided_at),
            "fields": _own_fields(applications.form_of(cipher, application)),
            "scans": [
                {"purpose": scan.purpose, "content_type": scan.content_type, "size": scan.size}
                for scan in scans
                if scan.application_id == application.id
            ],
        }
        for application in rows.list_applications(session, account_id)
    ]


def _own_fields(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in fields.items() if not name.startswith(_OF_THE_REPRESENTATIVE)}


def _handler_authorizations(platform: Platform, _session: Session, account_id: str) -> Section:
    return [
        {
            "enterprise_name": view.enterprise_name,
            "enterprise_credit_code": view.enterprise_credit_code,
            "matters": list(view.matters),
            "status": view.status,
            "applied_at": _moment(view.applied_at),
            "valid_from": _moment(view.valid_from),
            "valid_until": _moment(view.valid_until),
            "revoked_at": _moment(view.revoked_at),
            "reason": view.reason,
        }
        for view in handler_views.list_of_account(platform, account_id)
    ]


def _escalations(_platform: Platform, session: Session, account_id: str) -> Section:
    return [
        {"ground": one.ground, "status": one.status, "submitted_at": _moment(one.submitted_at)}
        for one in rows.list_escalations(session, account_id)
    ]


def _phone_changes(platform: Platform, session: Session, account_id: str) -> Section:
    """The number masked: it may be that of a stranger who tried to get the account."""
    return [
        {
            "phone": mask_phone(phone_changes.new_number_of(platform, one)),
            "status": one.status,
            "applied_at": _moment(one.applied_at),
            "decided_at": _moment(one.decided_at),
        }
        for one in phone_change_rows.list_of_account(session, account_id)
    ]


def _consents(_platform: Platform, _session: Session, account_id: str) -> Section:
    return [
        {
            "client": view.client_name,
            "scopes": list(view.scopes),
            "enterprise": view.enterprise_name,
            "granted_at": _moment(view.granted_at),
        }
        for view in consents.list_of_account(account_id)
    ]


def _agreements(_platform: Platform, _session: Session, account_id: str) -> Section:
    return [
        {
            "document": one.document,
            "version": one.version,
            "accepted_at": _moment(one.accepted_at),
            "withdrawn_at": _moment(one.withdrawn_at),
        }
        for one in agreements.list_of_account(account_id)
    ]


def _logins(_platform: Platform, session: Session, account_id: str) -> Section:
    return [
        {
            "created_at": _moment(login.created_at),
            "last_seen_at": _moment(login.last_seen_at),
            "ended_at": _moment(login.ended_at),
            "address": login.address,
            "user_agent": login.user_agent,
            "factors": login.amr,
        }
        for login in rows.list_logins(session, account_id)
    ]


def _devices(_platform: Platform, _session: Session, account_id: str) -> Section:
    return [
        {
            "user_agent": device.user_agent,
            "first_seen_at": _moment(device.first_seen_at),
            "last_seen_at": _moment(device.last_seen_at),
        }
        for device in known_devices.list_of_account(account_id, None)
    ]


def _factors(_platform: Platform, session: Session, account_id: str) -> Section:
    totp = factors.find_totp(session, account_id)
    found: Section = [{"kind": "totp", "added_at": _moment(totp.created_at)}] if totp else []
    return found + [
        {"kind": "passkey", "name": passkey.name, "added_at": _moment(passkey.created_at)}
        for passkey in factors.list_passkeys(session, account_id)
    ]


def _links(_platform: Platform, session: Session, account_id: str) -> Section:
    found = rows.list_links(session, account_id)
    return [{"issuer": link.issuer, "linked_at": _moment(link.linked_at)} for link in found]


def _roles(_platform: Platform, session: Session, account_id: str) -> Section:
    found = account_rows.list_roles(session, account_id)
    return [{"client_id": client_id, "role": role} for client_id, role in found]


def _trail(_platform: Platform, session: Session, account_id: str) -> Section:
    entries = audit_rows.list_about(session, account_id, MOST_LINES)
    return [_line(entry, own=_is_own(entry, account_id)) for entry in entries]


def _is_own(entry: Entry, account_id: str) -> bool:
    """Whether the person did it. A login may be ended by others, from where they are."""
    ended_by_others = entry.event == AuditEvent.LOGOUT and entry.detail.get("reason") not in _OWN_ENDS
    return entry.account_id == account_id and not ended_by_others


def _line(entry: Entry, *, own: bool) -> dict[str, Any]:
    """Of what somebody else did to the account, neither who nor from where."""
    line: dict[str, Any] = {
        "at": _moment(entry.occurred_at),
        "event": entry.event,
        "result": entry.result,
        "by_yourself": own,
    }
    where = {"address": entry.address, "user_agent": entry.detail.get("user_agent")}
    return {**line, **where} if own else line


_SECTIONS: Final = {
    "real_name_applications": _applications,
    "handler_authorizations": _handler_authorizations,
    "handler_escalations": _escalations,
    "phone_changes": _phone_changes,
    "consents": _consents,
    "agreements": _agreements,
    "logins": _logins,
    "devices": _devices,
    "factors": _factors,
    "linked_accounts": _links,
    "roles": _roles,
    "trail": _trail,
}

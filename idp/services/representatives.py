"""法定代表人变更: an enterprise says who represents it now, and the registers confirm it.

It takes effect as any change of hands (enterprise_status): the account signs in anew, which the former
representative may no longer be able to, and its handlers are suspended until it confirms them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Session

from idp import clock
from idp.domain import dates, submissions, throttling
from idp.domain.audit import Origin
from idp.domain.errors import Problem, Refusal
from idp.domain.submissions import LegalPerson
from idp.services import enterprise_status
from idp.services.handler_steps import Actor
from idp.services.platform import Platform
from idp.services.throttling import admit
from idp.storage import handlers as rows
from idp.storage.database import reading, transaction
from idp.storage.enterprises import Enterprise

FIELDS: Final = (
    "representative_name",
    "representative_document_type",
    "representative_document_number",
)


def change(
    platform: Platform, actor_account_id: str, enterprise_id: str, typed: Mapping[str, str], origin: Origin
) -> Refusal | None:
    """Write the new representative if the registers know the enterprise with that one.

    Otherwise nothing changes: ``representative_unknown`` when they don't, or can't tell. The registers are
    asked outside the transaction, and as seldom as at 实名认证.
    """
    with reading() as session:
        seen = session.get(Enterprise, enterprise_id)
    if seen is None or seen.legal_account_id != actor_account_id or seen.status != "active":
        return Refusal.of("enterprise_closed")
    former = enterprise_status.facts_of(platform.keyring.fields, seen)
    subject = _read(platform, seen, former, typed)
    if isinstance(subject, Refusal):
        return subject
    fields = submissions.fields_of(subject)
    if all(fields[name] == former[name] for name in FIELDS):
        return Refusal.of("representative_unchanged")
    refusal = admit(platform, throttling.REAL_NAME_OF_ACCOUNT, actor_account_id)
    if refusal or platform.registry.matches("legal_person", fields) is not True:
        return refusal or Refusal.of("representative_unknown")
    with transaction() as session:
        return _write(
            session, platform, enterprise_id, subject, Actor("enterprise", actor_account_id), origin
        )


def _read(
    platform: Platform, seen: Enterprise, former: Mapping[str, str], typed: Mapping[str, str]
) -> LegalPerson | Refusal:
    """The enterprise as it is known, with the new representative, or what is wrong with that one."""
    known = {
        **former,
        "organization_type": seen.organization_type,
        "legal_person_type": seen.legal_person_type,
        "address": platform.keyring.fields.decrypt(seen.address_encrypted, "enterprises.address"),
    }
    said = known | {name: typed.get(name, "") for name in FIELDS}
    allowed = platform.settings.allow_test_identities
    subject = submissions.read("legal_person", said, dates.china_date(clock.now()), allow_test=allowed)
    if isinstance(subject, LegalPerson):
        return subject
    problems = subject.problems if isinstance(subject, Refusal) else ()
    return Refusal(
        tuple(one for one in problems if one.field in FIELDS) or (Problem("representative_unknown"),)
    )


def _write(
    session: Session,
    platform: Platform,
    enterprise_id: str,
    subject: LegalPerson,
    actor: Actor,
    origin: Origin,
) -> Refusal | None:
    enterprise = rows.lock_enterprise(session, enterprise_id)
    if enterprise is None or enterprise.legal_account_id != actor.account_id or enterprise.status != "active":
        return Refusal.of("enterprise_closed")
    cipher = platform.keyring.fields
    for name in ("representative_name", "representative_document_number"):
        sealed = cipher.encrypt(getattr(subject, name), f"enterprises.{name}")
        setattr(enterprise, f"{name}_encrypted", sealed)
    enterprise.representative_document_type = subject.representative_document_type
    enterprise.updated_at = enterprise.registry_asked_at = clock.now()
    enterprise.registry_answer = "active"
    enterprise_status.change_hands(session, platform, enterprise, "representative_changed", origin, actor)
    return None

"""What a proven identity makes of an account: a verified natural person, or an enterprise's account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from idp import crypto
from idp.crypto import FieldCipher
from idp.domain import identifiers
from idp.domain.errors import Refusal
from idp.domain.submissions import LegalPerson, NaturalPerson, Subject
from idp.storage import enterprises as rows
from idp.storage import logins
from idp.storage.accounts import Account
from idp.storage.enterprises import Enterprise

DOCUMENT_INDEX = "accounts.document"


def document_index(cipher: FieldCipher, person: NaturalPerson) -> str:
    """The blind index that is unique among natural persons."""
    return cipher.index(
        identifiers.document_key(person.document_type, person.document_number), DOCUMENT_INDEX
    )


def refuse_taken(session: Session, cipher: FieldCipher, subject: Subject) -> Refusal | None:
    """A refusal if another account is this enterprise or this person already.

    The unique constraints decide when two come at once; this gives the reason.
    """
    if isinstance(subject, LegalPerson):
        taken = rows.is_enterprise_taken(session, subject.enterprise_credit_code)
        return Refusal.of("enterprise_taken", "enterprise_credit_code") if taken else None
    taken = rows.is_document_taken(session, document_index(cipher, subject))
    return Refusal.of("document_taken", "document_number") if taken else None


def give(
    session: Session, cipher: FieldCipher, account: Account, subject: Subject, now: datetime
) -> str | None:
    """Make the account what it has proved to be; returns the id of the enterprise that it now stands for.

    Raises IntegrityError, at once, when somebody else was quicker.
    """
    account.verification_status = "verified"
    account.verified_at = account.updated_at = now
    enterprise_id = None
    if isinstance(subject, LegalPerson):
        enterprise_id = _found(session, cipher, account, subject, now)
    else:
        _name(cipher, account, subject)
    logins.mark_for_renewal(session, account.id)
    session.flush()
    return enterprise_id


def _name(cipher: FieldCipher, account: Account, person: NaturalPerson) -> None:
    account.subject_type = "natural_person"
    account.real_name_encrypted = cipher.encrypt(person.real_name, "accounts.real_name")
    account.document_type = person.document_type
    account.document_number_encrypted = cipher.encrypt(person.document_number, "accounts.document_number")
    account.document_index = document_index(cipher, person)
    account.address_encrypted = cipher.encrypt(person.address, "accounts.address")


def _found(session: Session, cipher: FieldCipher, account: Account, legal: LegalPerson, now: datetime) -> str:
    enterprise = rows.take_vacant(session, legal.enterprise_credit_code) or Enterprise(
        id=crypto.random_id(), enterprise_credit_code=legal.enterprise_credit_code, created_at=now
    )
    enterprise.enterprise_name = legal.enterprise_name
    enterprise.organization_type = legal.organization_type
    enterprise.legal_person_type = legal.legal_person_type
    enterprise.representative_name_encrypted = cipher.encrypt(
        legal.representative_name, "enterprises.representative_name"
    )
    enterprise.representative_document_type = legal.representative_document_type
    enterprise.representative_document_number_encrypted = cipher.encrypt(
        legal.representative_document_number, "enterprises.representative_document_number"
    )
    enterprise.address_encrypted = cipher.encrypt(legal.address, "enterprises.address")
    enterprise.legal_account_id = account.id
    enterprise.status, enterprise.updated_at = "active", now
    enterprise.registry_answer = enterprise.registry_asked_at = None  # that was about other facts
    session.add(enterprise)
    account.subject_type = "legal_person"
    account.default_enterprise_id = enterprise.id
    return enterprise.id

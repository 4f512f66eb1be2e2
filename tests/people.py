"""Accounts, enterprises and authorisations to start a test from, as rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from sqlalchemy.orm import Session

from idp import crypto
from idp.crypto import FieldCipher
from idp.domain.agreements import AGREED
from idp.domain.audit import Origin
from idp.domain.submissions import LegalPerson, NaturalPerson
from idp.services.identities import give
from idp.storage.accounts import Account
from idp.storage.enterprises import Enterprise
from idp.storage.handlers import HandlerAuthorization

ORIGIN: Final = Origin("192.0.2.7", "test browser", "request-1")
LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)
_phones = count(19900000001)

CAR_MAKER: Final = LegalPerson(
    "limited_company",
    "91990101MADEM00117",
    "示例新能源汽车有限公司",
    "enterprise",
    "赵示例",
    "id_card",
    "990101196207040017",
    "示例市演示区样板路1号",
)
BATTERY_MAKER: Final = LegalPerson(
    "limited_company",
    "91990101MADEM002XY",
    "样板动力电池有限公司",
    "enterprise",
    "钱示例",
    "id_card",
    "99010120000229002X",
    "示例市演示区样板路2号",
)
LI: Final = NaturalPerson(
    "李示例", "id_card", "990101199001010027", "示例市演示区样板路3号", LONG_AGO.date(), None
)
WANG: Final = NaturalPerson(
    "王示例", "id_card", "990101199508080024", "示例市演示区样板路4号", LONG_AGO.date(), None
)


def add_account(session: Session, cipher: FieldCipher, login_name: str, **columns: Any) -> Account:
    """An unverified account with a phone of its own."""
    phone = str(next(_phones))
    values: dict[str, Any] = {
        "id": crypto.random_id(),
        "login_name": login_name,
        "login_name_index": login_name.lower(),
        "password_hash": "none",
        "password_changed_at": LONG_AGO,
        "email_encrypted": cipher.encrypt(f"{login_name}@example.test", "accounts.email"),
        "phone_encrypted": cipher.encrypt(phone, "accounts.phone"),
        "phone_index": cipher.index(phone, "accounts.phone"),
        "agreed_versions": AGREED,
        "created_at": LONG_AGO,
        "updated_at": LONG_AGO,
        **columns,
    }
    account = Account(**values)
    session.add(account)
    session.flush()
    return account


def add_person(session: Session, cipher: FieldCipher, login_name: str, person: NaturalPerson = LI) -> Account:
    """A verified natural person."""
    account = add_account(session, cipher, login_name)
    give(session, cipher, account, person, LONG_AGO)
    return account


def add_enterprise(
    session: Session, cipher: FieldCipher, login_name: str, legal_person: LegalPerson = CAR_MAKER
) -> Enterprise:
    """An enterprise with its legal-person account."""
    account = add_account(session, cipher, login_name)
    enterprise_id = give(session, cipher, account, legal_person, LONG_AGO)
    return session.get_one(Enterprise, enterprise_id)


def add_authorization(
    session: Session, account: Account, enterprise: Enterprise, **columns: Any
) -> HandlerAuthorization:
    """An approved authorisation without an end."""
    values: dict[str, Any] = {
        "id": crypto.random_id(),
        "account_id": account.id,
        "enterprise_id": enterprise.id,
        "matters": ["nev-accident-report"],
        "status": "approved",
        "applied_at": LONG_AGO,
        "valid_from": LONG_AGO + timedelta(hours=1),
        "decided_at": LONG_AGO + timedelta(hours=1),
        **columns,
    }
    authorization = HandlerAuthorization(**values)
    session.add(authorization)
    session.flush()
    return authorization

"""Accounts and codes for tests of use cases; every number belongs to nobody."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from idp import clock
from idp.crypto import PasswordHasher, random_id
from idp.domain.audit import Entry, Origin
from idp.domain.submissions import LegalPerson, NaturalPerson, Subject
from idp.ephemeral import Ephemeral, EphemeralUnavailable, Hit
from idp.services import audit, authentication, identities, outbox, registration
from idp.services.authentication import Authenticated, LoginView
from idp.services.platform import Platform
from idp.services.registration import AccountView, RegistrationForm
from idp.storage.accounts import Account
from idp.storage.database import transaction

ORIGIN = Origin("192.0.2.7", "test browser", "request-1")
PASSWORD = "Demo#2026pass"
PHONE = "19900000001"
OTHER_PHONE = "19900000002"


@cache
def password_hash() -> str:
    """Hashing is slow on purpose; the tests' password is hashed once."""
    return PasswordHasher(max_parallel=1).hash(PASSWORD)


def account(platform: Platform, login_name: str = "alice_1", phone: str = PHONE) -> str:
    """An account with PASSWORD; its id."""
    view = AccountView(random_id(), login_name, phone, f"{login_name}@example.com")
    outcome = registration.create_account(platform, view, password_hash(), ORIGIN)
    assert isinstance(outcome, AccountView)
    return outcome.account_id


def form(platform: Platform, **changes: Any) -> RegistrationForm:
    """A registration form that is right, with the latest code sent, or changed."""
    sent = outbox.list_recent_sms(platform, 1)
    values: dict[str, Any] = {
        "login_name": "alice_1",
        "password": PASSWORD,
        "confirm_password": PASSWORD,
        "email": "alice@example.com",
        "phone": PHONE,
        "sms_code": sent[0].code if sent else "",
        "agree": True,
    }
    return RegistrationForm(**values | changes)


def send_code(platform: Platform, identifier: str = "alice_1") -> str:
    """The code that the account gets for its sign-in."""
    assert authentication.send_login_code(platform, identifier, ORIGIN) is None
    code = outbox.list_recent_sms(platform, 1)[0].code
    assert code is not None
    return code


def signed_in(account_id: str) -> Authenticated:
    """Both factors were right just now."""
    return authentication.by_password_and_sms(account_id)


def open_login(platform: Platform, account_id: str) -> tuple[str, LoginView]:
    """A new browser's login."""
    return authentication.open_login(platform, signed_in(account_id), ORIGIN, replaces=None)


def give_identity(platform: Platform, account_id: str, subject: Subject) -> None:
    """As 实名认证 does when it is through."""
    with transaction() as session:
        found = session.get_one(Account, account_id)
        identities.give(session, platform.keyring.fields, found, subject, clock.now())


def person(document_number: str = "990101199001010019") -> NaturalPerson:
    """A natural person of region 99."""
    today = clock.now().date()
    return NaturalPerson(
        real_name="李测试",
        document_type="id_card",
        document_number=document_number,
        address="示例市示例路1号",
        valid_from=today,
        valid_until=today + timedelta(days=365),
    )


def enterprise(credit_code: str = "91990101MADEM0046R") -> LegalPerson:
    """An enterprise of region 99."""
    return LegalPerson(
        organization_type="limited_company",
        enterprise_credit_code=credit_code,
        enterprise_name="测试汽车有限公司",
        legal_person_type="enterprise",
        representative_name="王测试",
        representative_document_type="id_card",
        representative_document_number="990101198506150012",
        address="示例市示例路1号",
    )


def events(platform: Platform, event: str | None = None) -> list[Entry]:
    """The trail, oldest first."""
    return audit.list_entries(platform, event)[::-1]


class WatchedStore:
    """Passes every verb on and notes its name, and the use its key begins with."""

    def __init__(self, store: Ephemeral) -> None:
        self._store = store
        self.verbs: list[str] = []

    def _note(self, verb: str, key: str) -> None:
        self.verbs.append(f"{verb} {':'.join(key.split(':')[:2])}")

    def put(self, key: str, value: bytes, ttl: timedelta) -> None:
        self._note("put", key)
        self._store.put(key, value, ttl)

    def get(self, key: str) -> bytes | None:
        self._note("get", key)
        return self._store.get(key)

    def take(self, key: str) -> bytes | None:
        self._note("take", key)
        return self._store.take(key)

    def claim(self, key: str, ttl: timedelta) -> bool:
        self._note("claim", key)
        return self._store.claim(key, ttl)

    def hit(self, key: str, window: timedelta, amount: int = 1) -> Hit:
        self._note("hit", key)
        return self._store.hit(key, window, amount)

    def drop(self, key: str) -> None:
        self._note("drop", key)
        self._store.drop(key)


class LostStore:
    """A short-lived store that doesn't answer."""

    def put(self, key: str, value: bytes, ttl: timedelta) -> None:
        raise EphemeralUnavailable

    def get(self, key: str) -> bytes | None:
        raise EphemeralUnavailable

    def take(self, key: str) -> bytes | None:
        raise EphemeralUnavailable

    def claim(self, key: str, ttl: timedelta) -> bool:
        raise EphemeralUnavailable

    def hit(self, key: str, window: timedelta, amount: int = 1) -> Hit:
        raise EphemeralUnavailable

    def drop(self, key: str) -> None:
        raise EphemeralUnavailable


class CountingHasher(PasswordHasher):
    """Counts how often a password is looked at."""

    def __init__(self) -> None:
        super().__init__(max_parallel=2)
        self.verified = 0

    def verify(self, password_hash: str | None, password: str) -> bool:
        self.verified += 1
        return super().verify(password_hash, password)

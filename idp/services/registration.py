"""用户注册: an account from a login name, a password, an e-mail address and a phone that answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError

from idp import clock
from idp.crypto import random_id
from idp.domain import accounts as rules
from idp.domain import passwords
from idp.domain.agreements import AGREED
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Problem, Refusal
from idp.domain.identifiers import find_mobile
from idp.domain.throttling import REGISTRATIONS_OF_ADDRESS
from idp.ephemeral import EphemeralUnavailable
from idp.services import agreements, audit, sms_codes, throttling
from idp.services.known_passwords import is_well_known
from idp.services.platform import Platform
from idp.services.sms_codes import Destination
from idp.storage import account_life
from idp.storage import accounts as rows
from idp.storage.database import reading, transaction

PURPOSE = "register"
RETIRED_NAME = "retired_login_names.name"  # the context of the blind index of login names once used


@dataclass(frozen=True, slots=True)
class RegistrationForm:
    """What was typed, as it was typed."""

    login_name: str
    password: str
    confirm_password: str
    email: str
    phone: str
    sms_code: str
    agree: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """The account that has just been made."""

    account_id: str
    login_name: str
    phone: str
    email: str


def send_registration_code(platform: Platform, phone: str, origin: Origin) -> Refusal | None:
    """Send a code to the phone, also when an account has it: only its holder learns that, with the code."""
    number = find_mobile(phone)
    if number is None:
        return Refusal.of("phone_invalid" if phone.strip() else "required", "phone")
    return sms_codes.send_code(platform, Destination.of_phone(number), PURPOSE, origin)


def register(platform: Platform, form: RegistrationForm, origin: Origin) -> AccountView | Refusal:
    """Make the account, or say everything that is wrong with the form.

    The code is used up only when all the rest is right, and only with a right code one learns what is taken.
    Of two who register the same name or phone at once the database lets one through; the other hears
    ``login_name_taken`` or ``phone_taken``.
    """
    try:
        return _register(platform, form, origin)
    except EphemeralUnavailable:
        return Refusal.of("service_unavailable")


def _register(platform: Platform, form: RegistrationForm, origin: Origin) -> AccountView | Refusal:
    email, phone = _find_email(platform, form.email), find_mobile(form.phone)
    problems = [*_problems_of_fields(form, email, phone), *_problems_of_code(platform, form, phone)]
    if problems or email is None or phone is None:
        return Refusal(tuple(problems))
    spent = throttling.admit(platform, REGISTRATIONS_OF_ADDRESS, origin.address)
    if spent:
        return spent
    taken = _taken(platform, form.login_name, phone)
    if taken is not None:
        return taken
    password_hash = platform.passwords.hash(form.password)
    if not sms_codes.redeem_code(platform, Destination.of_phone(phone), PURPOSE, form.sms_code):
        return Refusal.of("sms_code_expired", "sms_code")
    return create_account(
        platform, AccountView(random_id(), form.login_name.strip(), phone, email), password_hash, origin
    )


def _problems_of_fields(form: RegistrationForm, email: str | None, phone: str | None) -> list[Problem]:
    login_name = form.login_name.strip()
    owner = passwords.Owner(login_name, phone or "", (form.email[: rules.LONGEST_EMAIL],))
    found = [
        ("login_name", rules.login_name_problem(login_name)),
        (
            "password",
            passwords.password_problem(form.password, owner, is_well_known),
        ),
        ("confirm_password", passwords.confirmation_problem(form.password, form.confirm_password)),
        ("email", None if email else _missing_or("email_invalid", form.email)),
        ("phone", None if phone else _missing_or("phone_invalid", form.phone)),
        ("agree", None if form.agree else "required"),
    ]
    return [Problem(code, field) for field, code in found if code is not None]


def _missing_or(code: str, text: str) -> str:
    return code if text.strip() else "required"


def _problems_of_code(platform: Platform, form: RegistrationForm, phone: str | None) -> tuple[Problem, ...]:
    if not form.sms_code.strip():
        return (Problem("required", "sms_code"),)
    if phone is None:
        return ()
    refusal = sms_codes.examine_code(platform, Destination.of_phone(phone), PURPOSE, form.sms_code)
    return refusal.problems if refusal else ()


def _find_email(platform: Platform, text: str) -> str | None:
    """The normalised address, by syntax alone; internationalised ones too, ``.test`` in development."""
    if len(text) > rules.LONGEST_EMAIL:
        return None
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - tables only this form needs

    try:
        checked = validate_email(
            text.strip(), check_deliverability=False, test_environment=platform.settings.allow_test_identities
        )
    except EmailNotValidError:
        return None
    return checked.normalized


def _taken(platform: Platform, login_name: str, phone: str) -> Refusal | None:
    name = login_name.strip().lower()
    with reading() as session:
        taken = rows.find_taken(session, name, _phone_index(platform, phone))
        retired = platform.keyring.fields.index(name, RETIRED_NAME)
        if account_life.is_retired(session, retired):  # looked at second: a name never is in neither place
            taken |= {"login_name"}
    problems = tuple(Problem(f"{field}_taken", field) for field in ("login_name", "phone") if field in taken)
    return Refusal(problems) if problems else None


def _phone_index(platform: Platform, phone: str) -> str:
    return platform.keyring.fields.index(phone, "accounts.phone")


def create_account(
    platform: Platform, account: AccountView, password_hash: str, origin: Origin
) -> AccountView | Refusal:
    """Store an account whose values keep the rules, and record it; ``login_name_taken``, ``phone_taken``."""
    try:
        with transaction() as session:
            rows.insert_account(session, _columns(platform, account, password_hash))
            agreements.accept_at_registration(session, account.account_id)
            audit.record(
                session,
                AuditEvent.ACCOUNT_REGISTER,
                origin,
                account_id=account.account_id,
                detail={"phone": rules.mask_phone(account.phone), "agreed": AGREED},
            )
    except IntegrityError:
        taken = _taken(platform, account.login_name, account.phone)
        if taken is None:
            raise
        return taken
    return account


def _columns(platform: Platform, account: AccountView, password_hash: str) -> dict[str, Any]:
    fields, now = platform.keyring.fields, clock.now()
    return {
        "id": account.account_id,
        "login_name": account.login_name,
        "login_name_index": account.login_name.lower(),
        "password_hash": password_hash,
        "password_changed_at": now,
        "email_encrypted": fields.encrypt(account.email, "accounts.email"),
        "phone_encrypted": fields.encrypt(account.phone, "accounts.phone"),
        "phone_index": _phone_index(platform, account.phone),
        "status": "active",
        "verification_status": "unverified",
        "last_sign_in_at": now,
        "agreed_versions": AGREED,
        "created_at": now,
        "updated_at": now,
    }

"""通行密钥: registering a WebAuthn credential, and signing in by one (Web Authentication 3 §7).

Every challenge is kept for five minutes, for one purpose and one account, and taken once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import webauthn
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from idp import clock
from idp.crypto import random_id
from idp.domain import assurance
from idp.domain import factors as rules
from idp.domain.assurance import Shown
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.services import attempts, authentication, factors, recovery_codes, step_up
from idp.services.attempts import Attempt
from idp.services.authentication import Authenticated, LoginView
from idp.services.platform import Platform
from idp.storage import factors as rows
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.factors import Passkey

RP_NAME = "政务服务平台"
LONGEST_CREDENTIAL = 16_000
REGISTER, LOGIN, CONFIRM = "register", "login", "confirm"
ANYBODY = "anybody"

# What the library lets through of what its parsers meet in hostile input.
_HOSTILE = (WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Presented:
    """What a browser has answered; nothing of it is verified yet. Ids in base64url."""

    credential: dict[str, Any]
    challenge: str
    credential_id: str
    user_handle: str | None


def is_offered(platform: Platform) -> bool:
    """Whether browsers make passkeys for this installation: its issuer has a domain."""
    return rules.find_rp_id(platform.settings.issuer) is not None


# --- registering --------------------------------------------------------------------------------------------


def registration_options(platform: Platform, login: LoginView) -> dict[str, Any]:
    """What ``navigator.credentials.create()`` takes, as JSON."""
    with reading() as session:
        registered = rows.list_passkeys(session, login.account_id)
    options = webauthn.generate_registration_options(
        rp_id=_rp_id(platform),
        rp_name=RP_NAME,
        user_id=login.account_id.encode("ascii"),
        user_name=login.login_name,
        user_display_name=login.login_name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(registered),
    )
    _keep(platform, REGISTER, options.challenge, login.account_id)
    return options_to_json_dict(options)


def register(
    platform: Platform, login: LoginView, name: str, credential: str, origin: Origin
) -> tuple[str, ...] | Refusal:
    """Add a passkey under a name; as the account's first factor it comes with recovery codes, told this once.

    ``passkey_expired``, ``passkey_refused``, ``passkey_exists``, ``passkeys_too_many``,
    ``stronger_sign_in_needed``.
    """
    problem = rules.passkey_name_problem(name)
    if problem is not None:
        return Refusal.of(problem, "passkey_name")
    presented = _read(credential)
    if presented is None or not _take(platform, REGISTER, presented, login.account_id):
        return Refusal.of("passkey_expired")
    verified = _verified_registration(platform, presented)
    if verified is None:
        return Refusal.of("passkey_refused")
    try:
        return _insert(platform, login, name.strip(), verified, origin)
    except IntegrityError:
        return Refusal.of("passkey_exists")


def _verified_registration(platform: Platform, presented: Presented) -> VerifiedRegistration | None:
    try:
        return webauthn.verify_registration_response(
            credential=presented.credential,
            expected_challenge=base64url_to_bytes(presented.challenge),
            expected_rp_id=_rp_id(platform),
            expected_origin=platform.settings.issuer,
            require_user_verification=True,
        )
    except _HOSTILE:
        return None


def _insert(
    platform: Platform, login: LoginView, name: str, verified: VerifiedRegistration, origin: Origin
) -> tuple[str, ...] | Refusal:
    account_id, passkey_id = login.account_id, random_id()
    with transaction() as session:
        refusal = factors.refusal_to_change(session, login)
        if refusal is None and len(rows.list_passkeys(session, account_id)) >= rules.MOST_PASSKEYS:
            refusal = Refusal.of("passkeys_too_many", most=rules.MOST_PASSKEYS)
        if refusal is not None:
            return refusal
        is_first = not rows.has_factor(session, account_id)
        rows.insert_passkey(session, _row(passkey_id, account_id, name, verified))
        _record(session, platform, AuditEvent.FACTOR_ADD, login, origin, "passkey_added", passkey_id)
        return recovery_codes.write(session, platform, account_id, origin) if is_first else ()


def _record(
    session: Session,
    platform: Platform,
    event: AuditEvent,
    login: LoginView,
    origin: Origin,
    told_as: str,
    passkey_id: str,
) -> None:
    account_id = login.account_id
    factors.record(
        session, platform, event, account_id, origin, told_as=told_as, factor="passkey", object_id=passkey_id
    )


def _row(passkey_id: str, account_id: str, name: str, verified: VerifiedRegistration) -> dict[str, Any]:
    return {
        "id": passkey_id,
        "account_id": account_id,
        "credential_id": bytes_to_base64url(verified.credential_id),
        "public_key": bytes_to_base64url(verified.credential_public_key),
        "sign_count": verified.sign_count,
        "synced": _is_synced(verified),
        "name": name,
        "created_at": clock.now(),
        "last_used_at": None,
    }


def remove(platform: Platform, login: LoginView, passkey_id: str, origin: Origin) -> Refusal | None:
    """Remove a passkey: ``not_found``, ``stronger_sign_in_needed``."""
    with transaction() as session:
        refusal = factors.refusal_to_change(session, login)
        if refusal is not None:
            return refusal
        if rows.delete_passkey(session, login.account_id, passkey_id) is None:
            return Refusal.of("not_found")
        factors.forget_idle_recovery_codes(session, login.account_id)
        _record(session, platform, AuditEvent.FACTOR_REMOVE, login, origin, "passkey_removed", passkey_id)
    return None


# --- signing in, and showing it again -----------------------------------------------------------------------


def login_options(platform: Platform) -> dict[str, Any]:
    """What ``navigator.credentials.get()`` takes at the sign-in; it names no account."""
    return _request_options(platform, LOGIN, ANYBODY, [])


def confirmation_options(platform: Platform, login: LoginView) -> dict[str, Any]:
    """The same for whoever has this login."""
    with reading() as session:
        registered = rows.list_passkeys(session, login.account_id)
    return _request_options(platform, CONFIRM, login.account_id, registered)


def _request_options(
    platform: Platform, purpose: str, whose: str, registered: list[Passkey]
) -> dict[str, Any]:
    options = webauthn.generate_authentication_options(
        rp_id=_rp_id(platform),
        allow_credentials=_descriptors(registered),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    _keep(platform, purpose, options.challenge, whose)
    return options_to_json_dict(options)


def authenticate(platform: Platform, credential: str, origin: Origin) -> Authenticated | Refusal:
    """Sign in: ``passkey_expired`` for a challenge that is not ours or used, ``passkey_wrong`` for anything
    else; also ``login_locked``, ``address_slowed``, ``service_unavailable``, and those of
    ``authentication.let_in``.
    """
    presented = _read(credential)
    if presented is None or not _take(platform, LOGIN, presented, ANYBODY):
        return Refusal.of("passkey_expired")
    passkey, status = _find(presented)
    who = _attempt(platform, presented, passkey, origin)
    shown = attempts.attempt(platform, who, partial(_shown, platform, presented, passkey))
    if isinstance(shown, Refusal) or passkey is None:
        return shown if isinstance(shown, Refusal) else Refusal.of("passkey_wrong")
    return authentication.let_in(status, authentication.just_shown(passkey.account_id, shown), who)


def confirm(platform: Platform, login: LoginView, credential: str, origin: Origin) -> Authenticated | Refusal:
    """Show a passkey of this login's account again: answers as ``authenticate``."""
    presented = _read(credential)
    if presented is None or not _take(platform, CONFIRM, presented, login.account_id):
        return Refusal.of("passkey_expired")
    found, _ = _find(presented)
    passkey = found if found is not None and found.account_id == login.account_id else None
    who = step_up.attempt_of(login, origin, wrong="passkey_wrong")
    shown = attempts.attempt(platform, who, partial(_shown, platform, presented, passkey))
    return shown if isinstance(shown, Refusal) else authentication.just_shown(login.account_id, shown)


def _find(presented: Presented) -> tuple[Passkey | None, str | None]:
    """The passkey, and its account's status."""
    with reading() as session:
        passkey = rows.find_passkey(session, presented.credential_id)
        account = session.get(Account, passkey.account_id) if passkey else None
        return passkey, account.status if account else None


def _attempt(platform: Platform, presented: Presented, passkey: Passkey | None, origin: Origin) -> Attempt:
    """Failures of a known passkey are its account's; those of an unknown one its own."""
    account_id = passkey.account_id if passkey else None
    index = platform.keyring.fields.index(presented.credential_id, "login.subject")
    return Attempt(account_id or index, account_id, origin, wrong="passkey_wrong")


def _shown(platform: Platform, presented: Presented, passkey: Passkey | None) -> Shown | None:
    """Verified, with the counter moved on: of two uses of one counter one succeeds."""
    if passkey is None or not _is_holders(presented, passkey):
        return None
    verified = _verified_assertion(platform, presented, passkey)
    if verified is None or not rules.is_counter_fresh(passkey.sign_count, verified.new_sign_count):
        return None
    synced, now = _is_synced(verified), clock.now()
    with transaction() as session:
        used = rows.use_passkey(session, passkey.id, passkey.sign_count, verified.new_sign_count, synced, now)
    return assurance.passkey(synced=synced) if used else None


def _is_holders(presented: Presented, passkey: Passkey) -> bool:
    """The authenticator says whose credential it is, if it says so (§7.2, 6)."""
    whose = bytes_to_base64url(passkey.account_id.encode("ascii"))
    return presented.user_handle is None or presented.user_handle.rstrip("=") == whose


def _verified_assertion(
    platform: Platform, presented: Presented, passkey: Passkey
) -> VerifiedAuthentication | None:
    try:
        return webauthn.verify_authentication_response(
            credential=presented.credential,
            expected_challenge=base64url_to_bytes(presented.challenge),
            expected_rp_id=_rp_id(platform),
            expected_origin=platform.settings.issuer,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except _HOSTILE:
        return None


# --- challenges and what browsers answer --------------------------------------------------------------------


def _read(credential: str) -> Presented | None:
    """The answer's parts that say what to verify it against; None if it isn't one, or came from a frame of
    another site.
    """
    if len(credential) > LONGEST_CREDENTIAL:
        return None
    try:
        parsed = json.loads(credential)
        client_data = json.loads(base64url_to_bytes(parsed["response"]["clientDataJSON"]))
        challenge, credential_id = client_data["challenge"], parsed["id"]
        user_handle = parsed["response"].get("userHandle")
        framed = client_data.get("crossOrigin", False)
    except _HOSTILE:
        return None
    texts = (challenge, credential_id, user_handle or "")
    if framed is not False or not all(isinstance(text, str) for text in texts):
        return None
    return Presented(parsed, challenge, credential_id, user_handle)


def _keep(platform: Platform, purpose: str, challenge: bytes, whose: str) -> None:
    key = _challenge_key(purpose, bytes_to_base64url(challenge))
    platform.ephemeral.put(key, whose.encode("ascii"), rules.CHALLENGE_TTL)


def _take(platform: Platform, purpose: str, presented: Presented, whose: str) -> bool:
    """Whether we gave this challenge, for this purpose and account, and it is answered the first time."""
    return platform.ephemeral.take(_challenge_key(purpose, presented.challenge)) == whose.encode("ascii")


def _challenge_key(purpose: str, challenge: str) -> str:
    return f"passkey:{purpose}:{challenge}"


def _rp_id(platform: Platform) -> str:
    return rules.find_rp_id(platform.settings.issuer) or ""


def _descriptors(registered: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(row.credential_id)) for row in registered]


def _is_synced(verified: VerifiedRegistration | VerifiedAuthentication) -> bool:
    return verified.credential_device_type == CredentialDeviceType.MULTI_DEVICE

"""动态口令: setting it up, and checking a code, which counts once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp import clock
from idp.crypto import constant_time_equal
from idp.domain import factors as rules
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.services import factors, recovery_codes
from idp.services.authentication import LoginView
from idp.services.platform import Platform
from idp.storage import factors as rows
from idp.storage.database import reading, transaction

ISSUER = "政务服务平台"
CONTEXT = "totp_secrets.secret"
_NOBODYS = pyotp.random_base32()  # what is computed for whoever has no secret


@dataclass(frozen=True, slots=True)
class Setup:
    """What an authenticator app has to know; ``secret`` in base32."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class UsableCode:
    """A right code: of which secret, and of which time step."""

    account_id: str
    secret_encrypted: str
    step: int


def begin(platform: Platform, login: LoginView) -> Setup:
    """The secret that this login is setting up, the same for ten minutes."""
    key = _setup_key(login)
    sealed = platform.ephemeral.get(key)
    if sealed is not None:
        secret = platform.keyring.fields.decrypt(sealed.decode("ascii"), CONTEXT)
    else:
        secret = pyotp.random_base32()
        kept = platform.keyring.fields.encrypt(secret, CONTEXT)
        platform.ephemeral.put(key, kept.encode("ascii"), rules.SETUP_TTL)
    return Setup(secret, pyotp.TOTP(secret).provisioning_uri(name=login.login_name, issuer_name=ISSUER))


def confirm(platform: Platform, login: LoginView, typed: str, origin: Origin) -> tuple[str, ...] | Refusal:
    """Turn the one-time password on with a first code, which is used up by that.

    As the account's first factor it comes with recovery codes, which are told this once.

    ``totp_setup_expired``, ``totp_code_wrong``, ``totp_exists``, ``stronger_sign_in_needed``.
    """
    kept = platform.ephemeral.get(_setup_key(login))
    if kept is None:
        return Refusal.of("totp_setup_expired")
    sealed, now = kept.decode("ascii"), clock.now()
    step = _step(platform.keyring.fields.decrypt(sealed, CONTEXT), typed, now)
    if step is None:
        return Refusal.of("totp_code_wrong", "totp_code")
    outcome = _insert(platform, login, sealed, step, origin, now)
    if not isinstance(outcome, Refusal):
        platform.ephemeral.drop(_setup_key(login))
    return outcome


def _insert(
    platform: Platform, login: LoginView, sealed: str, step: int, origin: Origin, now: datetime
) -> tuple[str, ...] | Refusal:
    values = {
        "account_id": login.account_id,
        "secret_encrypted": sealed,
        "last_step": step,
        "created_at": now,
        "last_used_at": now,
    }
    try:
        with transaction() as session:
            refusal = factors.refusal_to_change(session, login)
            if refusal is not None:
                return refusal
            is_first = not rows.has_factor(session, login.account_id)
            rows.insert_totp(session, values)
            _record(session, platform, AuditEvent.FACTOR_ADD, login, origin, "totp_added")
            return recovery_codes.write(session, platform, login.account_id, origin) if is_first else ()
    except IntegrityError:
        return Refusal.of("totp_exists")


def _record(
    session: Session, platform: Platform, event: AuditEvent, login: LoginView, origin: Origin, told_as: str
) -> None:
    factors.record(session, platform, event, login.account_id, origin, told_as=told_as, factor="totp")


def remove(platform: Platform, login: LoginView, origin: Origin) -> Refusal | None:
    """Turn it off: ``not_found``, ``stronger_sign_in_needed``."""
    with transaction() as session:
        refusal = factors.refusal_to_change(session, login)
        if refusal is not None:
            return refusal
        if not rows.delete_totp(session, login.account_id):
            return Refusal.of("not_found")
        factors.forget_idle_recovery_codes(session, login.account_id)
        _record(session, platform, AuditEvent.FACTOR_REMOVE, login, origin, "totp_removed")
    return None


def examine(platform: Platform, account_id: str, typed: str) -> UsableCode | None:
    """Whether this is a code of the account's that hasn't been used, nor a later one; it isn't used up yet.

    Whoever has no secret, or doesn't exist (any other id), costs the same.
    """
    with reading() as session:
        totp = rows.find_totp(session, account_id)
    secret = platform.keyring.fields.decrypt(totp.secret_encrypted, CONTEXT) if totp else _NOBODYS
    step = _step(secret, typed, clock.now())
    if totp is None or step is None or step <= totp.last_step:
        return None
    return UsableCode(account_id, totp.secret_encrypted, step)


def redeem(session: Session, code: UsableCode) -> bool:
    """Use a code up in the caller's transaction: of several users at once one succeeds."""
    return rows.use_totp(session, code.account_id, code.secret_encrypted, code.step, clock.now())


def _step(secret: str, typed: str, now: datetime) -> int | None:
    """The latest time step whose code this is; every one is looked at."""
    generator, code = pyotp.TOTP(secret, interval=rules.TOTP_PERIOD), rules.find_totp_code(typed) or ""
    fitting = [
        step for step in rules.totp_steps(now) if constant_time_equal(generator.generate_otp(step), code)
    ]
    return max(fitting, default=None)


def _setup_key(login: LoginView) -> str:
    return f"totp:setup:{login.sid}"

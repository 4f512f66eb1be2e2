"""Showing both factors again before a sensitive act: the login goes on, under a new token.

Failures are counted with those of the sign-in: a stolen session gives no tries of its own.
"""

from __future__ import annotations

from functools import partial

from idp import clock
from idp.crypto import hash_token, random_token
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.services import attempts, audit, authentication, sms_codes
from idp.services.attempts import Attempt
from idp.services.authentication import Authenticated, LoginView
from idp.services.platform import Platform
from idp.services.sms_codes import Destination
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction
from idp.storage.logins import renew_login

PURPOSE = "step_up"


def send_code(platform: Platform, account_id: str, origin: Origin) -> Refusal | None:
    """Send a code to the account's own phone; refuses as ``sms_codes.send_code``."""
    _, destination = _holder(platform, account_id)
    return sms_codes.send_code(platform, destination, PURPOSE, origin)


def by_password_and_sms(
    platform: Platform, login: LoginView, password: str, sms_code: str, origin: Origin
) -> Authenticated | Refusal:
    """Check both once more: ``confirmation_wrong``, ``login_locked`` (minutes), ``address_slowed`` (seconds),
    ``service_unavailable``.
    """
    password_hash, destination = _holder(platform, login.account_id)
    check = partial(
        authentication.both_shown, platform, password_hash, destination, PURPOSE, password, sms_code
    )
    shown = attempts.attempt(platform, attempt_of(login, origin), check)
    return shown if isinstance(shown, Refusal) else authentication.just_shown(login.account_id, shown)


def attempt_of(login: LoginView, origin: Origin, wrong: str = "confirmation_wrong") -> Attempt:
    """A try of whoever has this login, counted with those of the sign-in."""
    return Attempt(
        login.account_id,
        login.account_id,
        origin,
        event=AuditEvent.LOGIN_STEP_UP,
        wrong=wrong,
        object_id=login.sid,
    )


def _holder(platform: Platform, account_id: str) -> tuple[str, Destination]:
    """The account's password hash, and its phone."""
    with reading() as session:
        account = session.get_one(Account, account_id)
        phone = platform.keyring.fields.decrypt(account.phone_encrypted, "accounts.phone")
        return account.password_hash, Destination(phone, account_id, account_id)


def renew(platform: Platform, authenticated: Authenticated, token: str, origin: Origin) -> str | None:
    """Give the login with this token what has just been shown, and a new token, which is returned.

    Its end stays where it was. None when the login has ended meanwhile.
    """
    renewed, account_id = random_token(), authenticated.account_id
    values = {
        "token_hash": hash_token(renewed),
        "auth_time": authenticated.auth_time,
        "acr": authenticated.acr,
        "amr": list(authenticated.amr),
        "last_seen_at": clock.now(),
        "renewal_due": None,
    }
    with transaction() as session:
        sid = renew_login(session, hash_token(token), account_id, values)
        if sid is None:
            return None
        audit.record(session, AuditEvent.LOGIN_STEP_UP, origin, account_id=account_id, object_id=sid)
    return renewed

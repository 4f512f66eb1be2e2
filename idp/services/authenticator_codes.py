"""What is typed in place of the SMS code: a one-time password, or a recovery code for whoever has lost it."""

from __future__ import annotations

from functools import partial

from idp.domain import assurance
from idp.domain.assurance import Shown
from idp.domain.audit import Origin
from idp.domain.errors import Refusal
from idp.domain.factors import find_totp_code
from idp.services import attempts, authentication, recovery_codes, step_up, totp
from idp.services.authentication import Authenticated, LoginView, Named
from idp.services.platform import Platform
from idp.storage.accounts import Account
from idp.storage.database import reading, transaction

NOBODY = ""  # the account id of whoever doesn't exist


def authenticate(
    platform: Platform, identifier: str, password: str, typed: str, origin: Origin
) -> Authenticated | Refusal:
    """Sign in by password and such a code; answers as ``authentication.authenticate`` does.

    An account without the factor is answered like one that doesn't exist.
    """
    named = authentication.look_up(platform, identifier)
    check = partial(_shown_by_named, platform, named, password, typed, origin)
    return authentication.enter(platform, named, password, check, origin)


def confirm(
    platform: Platform, login: LoginView, password: str, typed: str, origin: Origin, *, by_paper: bool = True
) -> Authenticated | Refusal:
    """Show both again within a login; answers as ``step_up.by_password_and_sms`` does.

    Without ``by_paper`` a recovery code is just wrong: it isn't used up where it would be of no use.
    """
    check = partial(_shown_again, platform, login.account_id, password, typed, origin, by_paper=by_paper)
    shown = attempts.attempt(platform, step_up.attempt_of(login, origin), check)
    return shown if isinstance(shown, Refusal) else authentication.just_shown(login.account_id, shown)


def _shown_by_named(
    platform: Platform, named: Named, password: str, typed: str, origin: Origin
) -> Shown | None:
    fits = authentication.password_is_right(platform, named.password_hash, password)
    return _shown(platform, named.holder.account_id if named.holder else NOBODY, typed, origin, use=fits)


def _shown_again(
    platform: Platform, account_id: str, password: str, typed: str, origin: Origin, *, by_paper: bool
) -> Shown | None:
    with reading() as session:
        password_hash = session.get_one(Account, account_id).password_hash
    fits = authentication.password_is_right(platform, password_hash, password)
    return _shown(platform, account_id, typed if by_paper or find_totp_code(typed) else "", origin, use=fits)


def _shown(platform: Platform, account_id: str, typed: str, origin: Origin, *, use: bool) -> Shown | None:
    """Both kinds are looked at, whatever the password says; a code is used up only for a right one."""
    by_app = totp.examine(platform, account_id, typed)
    by_paper = recovery_codes.examine(platform, account_id, typed)
    if not use:
        return None
    with transaction() as session:
        if by_app is not None and totp.redeem(session, by_app):
            return assurance.PASSWORD_AND_TOTP
        if by_paper is not None and recovery_codes.redeem(session, platform, by_paper, origin):
            return assurance.PASSWORD_AND_RECOVERY_CODE
    return None

"""Signing in: the code, the two factors, and the login that follows from them.

Whoever is named at the sign-in, known or not, meets the same work and the same answers: one lookup, one
Argon2id, one code looked at, the same counters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from idp import clock
from idp.crypto import hash_token, random_id, random_token
from idp.domain import account_life, assurance, passwords
from idp.domain import accounts as rules
from idp.domain.accounts import Identifier
from idp.domain.assurance import Shown
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.prepared import Driver
from idp.services import attempts, audit, revocation, sms_codes
from idp.services.attempts import Attempt
from idp.services.platform import Platform
from idp.services.sms_codes import Destination
from idp.storage import accounts as account_rows
from idp.storage import logins as rows
from idp.storage.database import reading, single_statements, transaction
from idp.storage.logins import Holder
from idp.storage.writing import writing

PURPOSE = "login"


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who has just shown what; ``auth_time`` in seconds since 1970.

    With ``password_due`` the password that was shown opens nothing but the choice of a new one.
    """

    account_id: str
    acr: str
    amr: tuple[str, ...]
    auth_time: int
    password_due: bool = False


@dataclass(frozen=True, slots=True)
class LoginView:
    """A login and what its account says now; the fields in the order of storage.logins."""

    sid: str
    account_id: str
    login_name: str
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    subject_type: str | None
    verification_status: str
    platform_role: str | None
    default_enterprise_id: str | None
    legal_enterprise_id: str | None  # the enterprise whose legal-person account this is
    address: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    renewal_due: bool | None
    agreed_versions: str | None


@dataclass(frozen=True, slots=True)
class Named:
    """What was typed and the account behind it, if there is one; ``subject`` is counted and locked."""

    identifier: Identifier
    holder: Holder | None
    subject: str
    destination: Destination

    @property
    def password_hash(self) -> str | None:
        """The hash to hold a password against; None where there is nobody."""
        return self.holder.password_hash if self.holder else None


def send_login_code(platform: Platform, identifier: str, origin: Origin) -> Refusal | None:
    """Send a code to the bound phone of whoever is named. None also when nobody is."""
    named = look_up(platform, identifier)
    if not named.identifier.value:
        return Refusal.of("required", "identifier")
    return sms_codes.send_code(platform, named.destination, PURPOSE, origin)


def authenticate(
    platform: Platform, identifier: str, password: str, sms_code: str, origin: Origin
) -> Authenticated | Refusal:
    """Check password and code together: ``credentials_wrong`` for anything wrong.

    Also ``login_locked`` (minutes), ``address_slowed`` (seconds), ``service_unavailable``. Only who had both
    factors right hears ``account_frozen``, or ``account_dormant`` and ``account_leaving`` (authenticated:
    it may be woken, see services.revival).
    """
    named = look_up(platform, identifier)
    check = partial(both_shown, platform, named.password_hash, named.destination, PURPOSE, password, sms_code)
    return enter(platform, named, password, check, origin)


def enter(
    platform: Platform, named: Named, password: str, check: Callable[[], Shown | None], origin: Origin
) -> Authenticated | Refusal:
    """Let in whoever is named, if ``check`` finds both factors shown; answers as ``authenticate`` does."""
    who = _attempt(named, origin)
    shown = attempts.attempt(platform, who, check)
    return shown if isinstance(shown, Refusal) else _admit(platform, named, password, shown, who)


def _attempt(named: Named, origin: Origin) -> Attempt:
    account_id = named.holder.account_id if named.holder else None
    detail = {"identifier": rules.mask_identifier(named.identifier.value)}
    return Attempt(named.subject, account_id, origin, detail=detail)


def look_up(platform: Platform, typed: str) -> Named:
    """Who is meant by what was typed; the same work whether there is such an account or not."""
    identifier, fields = rules.read_identifier(typed), platform.keyring.fields
    documents = [fields.index(key, "accounts.document") for key in identifier.document_keys]
    with single_statements() as driver:
        holder = rows.find_holder(
            driver, identifier.login_name_index, documents, identifier.enterprise_credit_code
        )
    if holder is None:
        nobody = Destination(None, identifier.value)
        return Named(identifier, None, fields.index(identifier.value, "login.subject"), nobody)
    phone = fields.decrypt(holder.phone_encrypted, "accounts.phone")
    destination = Destination(phone, identifier.value, holder.account_id)
    return Named(identifier, holder, holder.account_id, destination)


def both_shown(
    platform: Platform,
    password_hash: str | None,
    destination: Destination,
    purpose: str,
    password: str,
    sms_code: str,
) -> Shown | None:
    """Password and code at once: both are looked at whatever the first one says, and the code is used up only
    when both are right. Without a ``password_hash`` there is nobody, at the same cost.
    """
    password_fits = password_is_right(platform, password_hash, password)
    tries = sms_codes.try_code(platform, destination, purpose, sms_code)
    if isinstance(tries, Refusal):
        return None
    if not password_fits:
        platform.ephemeral.drop(tries)
        return None
    redeemed = sms_codes.redeem_code(platform, destination, purpose, sms_code)
    return assurance.PASSWORD_AND_SMS if redeemed else None


def password_is_right(platform: Platform, password_hash: str | None, password: str) -> bool:
    """Whether it is the password with this hash; without one, never, at the same cost."""
    return platform.passwords.verify(password_hash, password) and password_hash is not None


def _admit(
    platform: Platform, named: Named, password: str, shown: Shown, who: Attempt
) -> Authenticated | Refusal:
    holder = named.holder
    if holder is None or account_life.sign_in_refusal(holder.status) == "account_frozen":
        return attempts.refuse(who, Refusal.of("account_frozen"))
    admitted = _by_password(platform, holder, password, shown, who)
    return admitted if isinstance(admitted, Refusal) else let_in(holder.status, admitted, who)


def let_in(status: str | None, authenticated: Authenticated, who: Attempt) -> Authenticated | Refusal:
    """What was shown, if the account's status lets one in at once; else why not: ``account_frozen``, or
    ``account_dormant`` and ``account_leaving`` with what was shown, by which it may be woken.
    """
    refused = account_life.sign_in_refusal(status) if status else "account_frozen"
    if refused is None:
        return authenticated
    shown = authenticated if refused in account_life.REVIVABLE else None
    return attempts.refuse(who, Refusal.of(refused, authenticated=shown))


def _by_password(
    platform: Platform, holder: Holder, password: str, shown: Shown, who: Attempt
) -> Authenticated | Refusal:
    """What the password that was right is worth: it may be one for a single sign-in, or over age."""
    if holder.temporary_password_until is not None:
        return _admit_once(holder, shown, who)
    if platform.passwords.needs_rehash(holder.password_hash):
        renewed = platform.passwords.hash(password)
        with transaction() as session:
            account_rows.update_account(session, holder.account_id, {"password_hash": renewed})
    max_age = platform.settings.password_max_age_days
    due = passwords.is_over_age(holder.password_changed_at, clock.now(), max_age)
    return just_shown(holder.account_id, shown, password_due=due)


def just_shown(account_id: str, shown: Shown, *, password_due: bool = False) -> Authenticated:
    """This was shown at this moment."""
    return Authenticated(account_id, shown.acr, shown.amr, int(clock.now().timestamp()), password_due)


def _admit_once(holder: Holder, shown: Shown, who: Attempt) -> Authenticated | Refusal:
    """A temporary password was shown: it opens one sign-in, within its time."""
    with transaction() as session:
        in_time = not passwords.is_spent(holder.temporary_password_until, clock.now())
        first = in_time and account_rows.use_up_password(session, holder.account_id, holder.password_hash)
    if not first:
        return attempts.refuse(who, Refusal.of("credentials_wrong"))
    return just_shown(holder.account_id, shown, password_due=True)


def by_password_and_sms(account_id: str, *, password_due: bool = False) -> Authenticated:
    """Both factors were shown just now: at the sign-in, or by registering."""
    return just_shown(account_id, assurance.PASSWORD_AND_SMS, password_due=password_due)


def open_login(
    platform: Platform, authenticated: Authenticated, origin: Origin, *, replaces: str | None
) -> tuple[str, LoginView]:
    """The same as ``begin_login``, with the login read back."""
    token = begin_login(platform, authenticated, origin, replaces=replaces)
    login = find_login(platform, token)
    assert login is not None  # noqa: S101 - it has just been written
    return token, login


def begin_login(
    platform: Platform, authenticated: Authenticated, origin: Origin, *, replaces: str | None
) -> str:
    """Open a login in a browser; the token is for its cookie alone.

    ``replaces`` is the token the browser had. The same account goes on under its ``sid`` with a new token, so
    that clients' sessions last through a repeated sign-in; another account's login ends as by signing out.
    """
    token, now = random_token(), clock.now()
    values = _login_values(token, authenticated, origin, now)
    former = hash_token(replaces) if replaces else None
    if former is None:
        with writing() as statements:
            _insert_login(statements, authenticated, values, origin)
        return token
    with transaction() as session:
        sid = rows.renew_login(session, former, authenticated.account_id, values)
        if sid:
            _record_success(session, authenticated, sid, origin)
        else:
            _end_former(session, platform, former, origin, now)
            _insert_login(session, authenticated, values, origin)
    return token


def _insert_login(
    where: Session | Driver, authenticated: Authenticated, values: dict[str, object], origin: Origin
) -> None:
    sid = random_id()
    rows.insert_login(where, {"sid": sid, "account_id": authenticated.account_id, **values})
    _record_success(where, authenticated, sid, origin)


def _record_success(where: Session | Driver, authenticated: Authenticated, sid: str, origin: Origin) -> None:
    account_id = authenticated.account_id
    account_rows.mark_signed_in(where, account_id, clock.now())
    audit.record(where, AuditEvent.LOGIN_SUCCESS, origin, account_id=account_id, object_id=sid)


def _login_values(
    token: str, authenticated: Authenticated, origin: Origin, now: datetime
) -> dict[str, object]:
    return {
        "token_hash": hash_token(token),
        "auth_time": authenticated.auth_time,
        "acr": authenticated.acr,
        "amr": list(authenticated.amr),
        "address": origin.address,
        "user_agent": origin.user_agent,
        "created_at": now,
        "last_seen_at": now,
        "expires_at": now + rules.LOGIN_TTL,
        "renewal_due": None,
    }


def _end_former(session: Session, platform: Platform, former: str, origin: Origin, now: datetime) -> None:
    sid = rows.find_open_sid(session, former)
    if sid is not None:
        _end(session, platform, sid, origin, "replaced", now)


def renew_token(token: str) -> str | None:
    """Give the login with this token a new one, under the same ``sid``; None when it is over, or another
    request has just done so.
    """
    new = random_token()
    with transaction() as session:
        renewed = rows.replace_token(session, hash_token(token), hash_token(new))
    return new if renewed else None


def mark_for_renewal(session: Session, account_id: str) -> None:
    """After a change of what the account may do: no token from before it goes on."""
    rows.mark_for_renewal(session, account_id)


def find_login(platform: Platform, token: str) -> LoginView | None:
    """The login with this token, awake and of an active account: one statement, a second once a minute."""
    with single_statements() as driver:
        row = rows.find_login(driver, hash_token(token))
        if row is None:
            return None
        login, now = _view(row), clock.now()
        if not rules.is_awake(login.last_seen_at, login.expires_at, now):
            return None
        if now - login.last_seen_at >= rules.LOGIN_SEEN_EVERY:
            rows.mark_seen(driver, login.sid, now)
    return login


def _view(row: Sequence[Any]) -> LoginView:
    values = list(row)
    values[5] = tuple(values[5])
    return LoginView(*values)


def list_logins(platform: Platform, account_id: str) -> list[LoginView]:
    """The account's logins that are awake, the one seen last first."""
    with reading() as session:
        logins = [_view(row) for row in rows.list_logins(session, account_id)]
    now = clock.now()
    return [login for login in logins if rules.is_awake(login.last_seen_at, login.expires_at, now)]


def end_login(platform: Platform, sid: str, origin: Origin, reason: str) -> None:
    """End a login with all that rests on it, and tell the clients; nothing happens if it had ended."""
    with transaction() as session:
        _end(session, platform, sid, origin, reason, clock.now())


def end_other_logins(
    session: Session, platform: Platform, account_id: str, kept_sid: str | None, origin: Origin, reason: str
) -> None:
    """End an account's logins but one, in the caller's transaction: after a change of password."""
    for sid in rows.list_open_sids(session, account_id):
        if sid != kept_sid:
            _end(session, platform, sid, origin, reason, clock.now())


def end_expired_logins(platform: Platform, now: datetime, origin: Origin, limit: int = 100) -> int:
    """End logins that are eight hours old, up to ``limit``; for the worker."""
    with reading() as session:
        expired = rows.list_expired_sids(session, now, limit)
    for sid in expired:
        end_login(platform, sid, origin, "expired")
    return len(expired)


def _end(session: Session, platform: Platform, sid: str, origin: Origin, reason: str, now: datetime) -> None:
    account_id = rows.end_login(session, sid, now)
    if account_id is None:
        return
    revocation.end_session(session, platform, sid, reason, now)
    audit.record(
        session,
        AuditEvent.LOGOUT,
        origin,
        account_id=account_id,
        object_id=sid,
        detail={"reason": reason},
    )

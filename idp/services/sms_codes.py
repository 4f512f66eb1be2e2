"""Codes by text message: six digits, five minutes, five tries, once; and how often one may be asked for.

A code is kept in the short-lived store as a MAC, bound to phone and purpose. Where nobody is to learn whether
an account exists, a code for nobody is made, kept and counted alike and told to no one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from idp import sms
from idp.crypto import constant_time_equal, mac
from idp.domain import accounts as rules
from idp.domain import throttling as limits
from idp.domain.audit import AuditEvent, Origin
from idp.domain.errors import Refusal
from idp.ephemeral import EphemeralUnavailable
from idp.services import audit, outbox, throttling
from idp.services.platform import Platform
from idp.storage.writing import writing

NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Destination:
    """Whom a code goes to: ``phone`` None is nobody; ``subject`` is what was typed to name them."""

    phone: str | None
    subject: str
    account_id: str | None = None

    @classmethod
    def of_phone(cls, phone: str) -> Destination:
        """A phone that was typed as such."""
        return cls(phone, phone)


def send_code(platform: Platform, destination: Destination, purpose: str, origin: Origin) -> Refusal | None:
    """Make a code and write its message; what it refuses depends only on subject, purpose and address.

    ``sms_too_soon``, ``sms_daily_limit``, ``sms_address_limit`` (seconds), ``service_unavailable``.
    A phone reached under several names keeps its own limits: beyond them the answer is as if sent.
    """
    try:
        refusal = _refusal_by_limits(platform, destination, purpose, origin)
        if refusal is not None:
            return refusal
        if platform.settings.throttle and not _phone_is_free(platform, destination, purpose):
            return None
        code = _keep_new_code(platform, destination, purpose)
    except EphemeralUnavailable:
        return Refusal.of("service_unavailable")
    _write_message(platform, destination, purpose, code, origin)
    return None


def _refusal_by_limits(
    platform: Platform, destination: Destination, purpose: str, origin: Origin
) -> Refusal | None:
    if not platform.settings.throttle:
        return None
    subject = destination.subject
    return (
        throttling.admit(platform, limits.SMS_OF_ADDRESS, origin.address)
        or _refusal_of_subject(platform, purpose, _index(platform, "subject:" + subject))
        or throttling.admit(platform, limits.SMS_OF_PAIR, subject, origin.address)
    )


def _refusal_of_subject(platform: Platform, purpose: str, subject: str) -> Refusal | None:
    store, pause = platform.ephemeral, f"sms:pause:{purpose}:{subject}"
    again = store.hit(pause, rules.SMS_RESEND_AFTER)
    if again.count > 1:
        return Refusal.of("sms_too_soon", "sms_code", seconds=rules.seconds_left(again.resets_in))
    day = store.hit(f"sms:day:{purpose}:{subject}", rules.SMS_DAY)
    if day.count > rules.SMS_PER_DAY:
        store.drop(pause)  # so that the next answer names the limit again and not the pause
        return Refusal.of("sms_daily_limit", "sms_code", seconds=rules.seconds_left(day.resets_in))
    return None


def _phone_is_free(platform: Platform, destination: Destination, purpose: str) -> bool:
    """The limits of the phone itself; its pause ends a second before the subject's, counted first."""
    store, phone = platform.ephemeral, _phone_index(platform, destination)
    if store.hit(f"sms:pause:{purpose}:{phone}", rules.SMS_RESEND_AFTER - rules.SMS_RESEND_SLACK).count > 1:
        return False
    return store.hit(f"sms:day:{purpose}:{phone}", rules.SMS_DAY).count <= rules.SMS_PER_DAY


def _keep_new_code(platform: Platform, destination: Destination, purpose: str) -> str:
    """A new code in place of a former one; its own nonce begins its count of tries afresh."""
    code = platform.settings.sms_fixed_code or f"{secrets.randbelow(10**6):06}"
    phone = _phone_index(platform, destination)
    nonce = secrets.token_bytes(NONCE_BYTES)
    kept = nonce + _digest(platform, nonce, purpose, phone, code)
    platform.ephemeral.put(_code_key(purpose, phone), kept, rules.SMS_CODE_TTL)
    return code


def _write_message(
    platform: Platform, destination: Destination, purpose: str, code: str, origin: Origin
) -> None:
    phone, text = destination.phone, sms.text(purpose, code=code)
    with writing() as statements:
        if phone is not None:
            outbox.enqueue_sms(statements, platform, phone, purpose, text, code=code)
        else:
            outbox.enqueue_nothing(statements, platform, purpose, text)
        audit.record(
            statements,
            AuditEvent.SMS_SEND,
            origin,
            account_id=destination.account_id,
            result="success" if phone else "account_unknown",
            detail={"purpose": purpose, "phone": rules.mask_phone(phone) if phone else ""},
        )


def check_code(platform: Platform, phone: str, purpose: str, code: str) -> Refusal | None:
    """Whether the phone's code for this purpose is right, and use it up."""
    destination = Destination.of_phone(phone)
    examined = try_code(platform, destination, purpose, code)
    if isinstance(examined, Refusal):
        return examined
    return (
        None
        if redeem_code(platform, destination, purpose, code)
        else Refusal.of("sms_code_wrong", "sms_code")
    )


def examine_code(platform: Platform, destination: Destination, purpose: str, code: str) -> Refusal | None:
    """Whether a code is right, without using it up: a form has other fields that may be wrong.

    A wrong one costs a try; a right one gives the tries back. ``sms_code_wrong``, ``sms_code_expired``.
    May raise EphemeralUnavailable, as ``redeem_code`` and ``check_code`` may.
    """
    examined = try_code(platform, destination, purpose, code)
    if isinstance(examined, Refusal):
        return examined
    platform.ephemeral.drop(examined)
    return None


def try_code(platform: Platform, destination: Destination, purpose: str, code: str) -> str | Refusal:
    """The same, without giving the tries back yet: for a right code, the key of their count.

    Whoever redeems the code next need not: the count is of that one code, and ends with it.
    """
    store, phone = platform.ephemeral, _phone_index(platform, destination)
    kept = store.get(_code_key(purpose, phone))
    if kept is None:
        return Refusal.of("sms_code_expired", "sms_code")
    tries = f"sms:tries:{kept[:NONCE_BYTES].hex()}"
    if store.hit(tries, rules.SMS_CODE_TTL).count > rules.SMS_CODE_TRIES:
        return Refusal.of("sms_code_expired", "sms_code")
    if not _fits(platform, kept, purpose, phone, code):
        return Refusal.of("sms_code_wrong", "sms_code")
    return tries


def redeem_code(platform: Platform, destination: Destination, purpose: str, code: str) -> bool:
    """Use a right code up: of several users at once exactly one succeeds."""
    phone = _phone_index(platform, destination)
    kept = platform.ephemeral.take(_code_key(purpose, phone))
    return kept is not None and _fits(platform, kept, purpose, phone, code)


def _fits(platform: Platform, kept: bytes, purpose: str, phone: str, code: str) -> bool:
    nonce, digest = kept[:NONCE_BYTES], kept[NONCE_BYTES:]
    typed = rules.find_sms_code(code) or ""
    return constant_time_equal(digest, _digest(platform, nonce, purpose, phone, typed))


def _digest(platform: Platform, nonce: bytes, purpose: str, phone: str, code: str) -> bytes:
    return mac(platform.keyring.mac_key, "sms-code", nonce + f"{purpose}:{phone}:{code}".encode())


def _code_key(purpose: str, phone: str) -> str:
    return f"sms:code:{purpose}:{phone}"


def _phone_index(platform: Platform, destination: Destination) -> str:
    return _index(platform, destination.phone or "nobody:" + destination.subject)


def _index(platform: Platform, value: str) -> str:
    """Phones and what was typed at the sign-in don't stand in the short-lived store either."""
    return platform.keyring.fields.index(value, "sms.destination")

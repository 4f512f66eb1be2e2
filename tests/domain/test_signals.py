"""What follows from an end, and what the token about it says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from idp.domain import signals
from idp.domain.signals import (
    EVENTS_SUPPORTED,
    HANDLER_EXPIRED,
    HANDLER_REVOKED,
    SESSION_REVOKED,
    TOKEN_CLAIMS_CHANGE,
    VERIFICATION,
    Ended,
    Envelope,
    Event,
)

NOW = datetime(2026, 11, 25, 8, 0, 0, 500_000, UTC)
ISSUER = "https://idp.example"
ROW: dict[str, Any] = {
    "account_id": "account",
    "sid": "sid",
    "scope": "enterprise handler openid",
    "enterprise_credit_code": "91990101MADEM00117",
    "handler_authorization_id": "authorisation",
}


def types(ended: Ended, reason: str) -> list[str]:
    return [event.type for event in signals.events_after(ended, reason, NOW)]


def test_what_is_offered_is_what_can_arise() -> None:
    assert set(EVENTS_SUPPORTED) == set(types(signals.ended_authorization(ROW), HANDLER_REVOKED))


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("openid enterprise handler", Ended("account", "sid", "91990101MADEM00117", True)),
        ("openid enterprise", Ended("account", "sid", "91990101MADEM00117", False)),
        ("openid handler", Ended("account", "sid", None, True)),
        ("openid", Ended("account", "sid")),
        ("openid enterprises", Ended("account", "sid")),
    ],
)
def test_a_client_is_told_nothing_that_its_scopes_kept_from_it(scope: str, expected: Ended) -> None:
    assert signals.ended_authorization({**ROW, "scope": scope}) == expected


def test_who_acts_for_oneself_rests_on_no_handler_authorisation() -> None:
    row = {**ROW, "enterprise_credit_code": None, "handler_authorization_id": None}
    assert signals.ended_authorization(row) == Ended("account", "sid")


def test_a_session_ends_for_every_enterprise() -> None:
    assert signals.ended_session(ROW) == Ended("account", "sid")


@pytest.mark.parametrize(
    ("ended", "reason", "expected"),
    [
        (Ended("a", "s"), "logout", [SESSION_REVOKED]),
        (Ended("a", "s", "e", as_handler=True), "consent_withdrawn", [SESSION_REVOKED]),
        (Ended("a", "s", "e", as_handler=False), HANDLER_REVOKED, [SESSION_REVOKED]),
        (Ended("a", "s", "e", as_handler=True), HANDLER_REVOKED, [TOKEN_CLAIMS_CHANGE, SESSION_REVOKED]),
        (Ended("a", "s", "e", as_handler=True), HANDLER_EXPIRED, [TOKEN_CLAIMS_CHANGE, SESSION_REVOKED]),
    ],
)
def test_every_end_revokes_the_session_and_a_handlers_also_changes_claims(
    ended: Ended, reason: str, expected: list[str]
) -> None:
    assert types(ended, reason) == expected


def test_after_a_revocation_no_matter_is_left() -> None:
    change, _ = signals.events_after(Ended("a", "s", "e", as_handler=True), HANDLER_REVOKED, NOW)
    assert change.body["claims"] == {"handler_scope": []}


@pytest.mark.parametrize(
    ("reason", "initiator"),
    [
        ("logout", "user"),
        ("remote", "user"),
        ("password_changed", "user"),
        ("consent_withdrawn", "user"),
        ("frozen", "admin"),
        (HANDLER_REVOKED, "admin"),
        ("expired", "policy"),
        ("code_reused", "system"),
        ("refresh_token_reused", "system"),
        ("a reason of tomorrow", "system"),
    ],
)
def test_an_event_says_when_by_whom_and_why(reason: str, initiator: str) -> None:
    (event,) = signals.events_after(Ended("a", "s"), reason, NOW)
    assert event.body["event_timestamp"] == int(NOW.timestamp())
    assert event.body["initiating_entity"] == initiator
    assert all(event.body["reason_admin"][language] for language in ("en", "zh-CN"))


@pytest.mark.parametrize(("state", "body"), [(None, {}), ("s", {"state": "s"})])
def test_a_verification_brings_back_the_state_if_there_was_one(
    state: str | None, body: dict[str, Any]
) -> None:
    assert signals.verification(state) == Event(VERIFICATION, body)


def test_a_subject_has_the_parts_that_are_known() -> None:
    user = {"format": "iss_sub", "iss": ISSUER, "sub": "sub"}
    assert signals.subject_of(ISSUER, "sub", Ended("a", None)) == user
    assert signals.subject_of(ISSUER, "sub", Ended("a", "sid", "uscc")) == {
        "format": "complex",
        "user": user,
        "session": {"format": "opaque", "id": "sid"},
        "tenant": {"format": "opaque", "id": "uscc"},
    }
    assert "tenant" not in signals.subject_of(ISSUER, "sub", Ended("a", "sid"))


def test_a_token_has_the_claims_of_an_event_and_neither_sub_nor_exp() -> None:
    envelope = Envelope(ISSUER, "client", "jti", "txn")
    claims = signals.event_token_claims(envelope, signals.opaque("s"), signals.verification(None), NOW)
    assert claims == {
        "iss": ISSUER,
        "aud": "client",
        "iat": int(NOW.timestamp()),
        "jti": "jti",
        "txn": "txn",
        "sub_id": {"format": "opaque", "id": "s"},
        "events": {VERIFICATION: {}},
    }

"""Event tokens: each rule of RFC 8417 and SSF 1.0 §4.1 broken once, and what the good ones say."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from clients.rp import clock
from clients.rp.discovery import Provider
from clients.rp.signals import (
    MAX_AGE,
    SESSION_REVOKED,
    TOKEN_CLAIMS_CHANGE,
    VERIFICATION,
    EventToken,
    InvalidEventToken,
    SecurityEvent,
    SessionRevoked,
    Subject,
    TokenClaimsChange,
    Verification,
    process_event_token,
)
from tests.clients.provider import TestProvider


def processed(op: Provider, token: str) -> EventToken | InvalidEventToken:
    return process_event_token(op, "smdvs", token, clock.now())


def user(provider: TestProvider, **changes: Any) -> dict[str, Any]:
    return {"format": "iss_sub", "iss": provider.issuer, "sub": "person-1", **changes}


def opaque(identifier: object) -> dict[str, Any]:
    return {"format": "opaque", "id": identifier}


def test_a_good_token_says_whose_session_has_ended(op: Provider, provider: TestProvider) -> None:
    sub_id = {"format": "complex", "user": user(provider), "session": opaque("s"), "tenant": opaque("e")}
    token = processed(op, provider.event_token(sub_id, jti="the-jti"))
    assert isinstance(token, EventToken)
    assert token.events == (SessionRevoked(Subject("person-1", "s", "e")),)
    assert token.jti == "the-jti"
    assert clock.now() + MAX_AGE - timedelta(minutes=1) < token.expires_at < clock.now() + 2 * MAX_AGE


def test_a_part_that_is_not_there_stands_for_any(op: Provider, provider: TestProvider) -> None:
    for sub_id, subject in (
        (user(provider), Subject("person-1")),
        ({"format": "complex", "user": user(provider)}, Subject("person-1")),
        ({"format": "complex", "session": opaque("s")}, Subject(None, "s")),
        (
            {"format": "complex", "user": user(provider), "tenant": opaque("e")},
            Subject("person-1", None, "e"),
        ),
    ):
        token = processed(op, provider.event_token(sub_id))
        assert isinstance(token, EventToken)
        assert token.events == (SessionRevoked(subject),)


@pytest.mark.parametrize(
    "sub_id",
    [
        None,
        "person-1",
        {},
        {"format": "email", "email": "a@example.com"},
        {"format": "iss_sub", "iss": "https://another.example", "sub": "person-1"},
        {"format": "iss_sub", "sub": "person-1"},
        {"format": "complex"},
        {"format": "complex", "session": {"format": "opaque", "id": 7}},
        {"format": "complex", "session": {"format": "opaque", "id": ""}},
        {"format": "complex", "session": {"format": "jwt_id", "jti": "x"}},
        {"format": "complex", "session": "s"},
        {"format": "complex", "user": "person-1"},
        {"format": "complex", "user": {"format": "iss_sub", "iss": "https://another.example", "sub": "p"}},
        {
            "format": "complex",
            "session": {"format": "opaque", "id": "s"},
            "device": {"format": "opaque", "id": "d"},
        },
    ],
)
@pytest.mark.parametrize("event_type", [SESSION_REVOKED, TOKEN_CLAIMS_CHANGE])
def test_a_subject_that_we_do_not_know_whole_is_nobody(
    op: Provider, provider: TestProvider, sub_id: Any, event_type: str
) -> None:
    token = provider.event_token(sub_id, events={event_type: {"claims": {}}})
    outcome = processed(op, token)
    assert isinstance(outcome, InvalidEventToken)
    assert outcome.err == "invalid_request"


@pytest.mark.parametrize("sub", [None, "", 7])
def test_a_user_without_a_name_is_nobody(op: Provider, provider: TestProvider, sub: object) -> None:
    assert isinstance(processed(op, provider.event_token(user(provider, sub=sub))), InvalidEventToken)


@pytest.mark.parametrize(
    ("event_type", "body", "sub_id", "expected"),
    [
        (
            TOKEN_CLAIMS_CHANGE,
            {"claims": {"handler_scope": []}},
            {"format": "complex", "session": {"format": "opaque", "id": "s"}},
            TokenClaimsChange(Subject(None, "s"), {"handler_scope": []}),
        ),
        (VERIFICATION, {}, {"format": "opaque", "id": "stream"}, Verification("stream", None)),
        (VERIFICATION, {"state": "s"}, {"format": "opaque", "id": "stream"}, Verification("stream", "s")),
        ("urn:example:tomorrow", {}, None, None),
    ],
)
def test_events_come_typed_and_unknown_ones_are_passed_over(
    op: Provider,
    provider: TestProvider,
    event_type: str,
    body: dict[str, Any],
    sub_id: Any,
    expected: SecurityEvent | None,
) -> None:
    token = processed(op, provider.event_token(sub_id, events={event_type: body}))
    assert isinstance(token, EventToken)
    assert token.events == ((expected,) if expected else ())


@pytest.mark.parametrize(
    ("events", "sub_id"),
    [
        ({TOKEN_CLAIMS_CHANGE: {}}, {"format": "complex", "session": {"format": "opaque", "id": "s"}}),
        (
            {TOKEN_CLAIMS_CHANGE: {"claims": []}},
            {"format": "complex", "session": {"format": "opaque", "id": "s"}},
        ),
        ({VERIFICATION: {}}, None),
        ({VERIFICATION: {"state": 7}}, {"format": "opaque", "id": "stream"}),
    ],
)
def test_an_event_without_what_it_must_have_is_refused(
    op: Provider, provider: TestProvider, events: dict[str, Any], sub_id: Any
) -> None:
    assert isinstance(processed(op, provider.event_token(sub_id, events=events)), InvalidEventToken)


@pytest.mark.parametrize(
    ("changes", "err"),
    [
        ({"iss": "http://127.0.0.1:1"}, "invalid_issuer"),
        ({"iss": None}, "invalid_issuer"),
        ({"aud": "another"}, "invalid_audience"),
        ({"aud": None}, "invalid_audience"),
        ({"iat": None}, "invalid_request"),
        ({"iat": 1}, "invalid_request"),
        ({"iat": "now"}, "invalid_request"),
        ({"iat": True}, "invalid_request"),
        ({"iat": 9_999_999_999}, "invalid_request"),
        ({"jti": None}, "invalid_request"),
        ({"jti": ""}, "invalid_request"),
        ({"jti": 7}, "invalid_request"),
        ({"exp": 9_999_999_999}, "invalid_request"),
        ({"sub": "person-1"}, "invalid_request"),
        ({"nonce": "n"}, "invalid_request"),
        ({"events": None}, "invalid_request"),
        ({"events": {}}, "invalid_request"),
        ({"events": [SESSION_REVOKED]}, "invalid_request"),
        ({"events": {SESSION_REVOKED: True}}, "invalid_request"),
    ],
)
def test_a_token_that_breaks_a_rule_is_no_event(
    op: Provider, provider: TestProvider, changes: dict[str, Any], err: str
) -> None:
    outcome = processed(op, provider.event_token(user(provider), **changes))
    assert isinstance(outcome, InvalidEventToken)
    assert outcome.err == err
    assert outcome.description.isascii()


def test_a_token_may_be_as_old_as_the_provider_keeps_events(op: Provider, provider: TestProvider) -> None:
    week = int(time.time()) - 7 * 24 * 3600
    assert isinstance(processed(op, provider.event_token(user(provider), iat=week)), EventToken)


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "logout+jwt", ""])
def test_another_type_of_token_is_no_event(op: Provider, provider: TestProvider, typ: str) -> None:
    outcome = processed(op, provider.event_token(user(provider), typ=typ))
    assert outcome == InvalidEventToken("invalid_request", "typ must be secevent+jwt")


def test_a_token_of_another_key_and_garbage_are_no_events(op: Provider, provider: TestProvider) -> None:
    processed(op, provider.event_token(user(provider)))  # the keys are known now
    provider.rotate_key()
    for token, err in ((provider.event_token(user(provider)), "invalid_key"), ("x", "invalid_request")):
        outcome = processed(op, token)
        assert isinstance(outcome, InvalidEventToken)
        assert outcome.err == err

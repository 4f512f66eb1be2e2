"""Logout tokens: each rule of Back-Channel Logout 1.0 §2.6 broken once."""

from __future__ import annotations

from typing import Any

import pytest

from clients.rp import clock
from clients.rp.discovery import Provider
from clients.rp.logout import InvalidLogoutToken, LogoutEvent, process_logout_token
from tests.clients.provider import LOGOUT_EVENT, TestProvider


def processed(op: Provider, token: str) -> LogoutEvent | InvalidLogoutToken:
    return process_logout_token(op, "smdvs", token, clock.now())


@pytest.mark.parametrize("whose", [{"sid": "s"}, {"sub": "u"}, {"sid": "s", "sub": "u"}])
def test_a_good_token_says_whose_session_ends(
    op: Provider, provider: TestProvider, whose: dict[str, str]
) -> None:
    event = processed(op, provider.logout_token(**whose))
    assert isinstance(event, LogoutEvent)
    assert (event.sid, event.sub) == (whose.get("sid"), whose.get("sub"))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://127.0.0.1:1"},
        {"aud": "another"},
        {"aud": None},
        {"iat": None},
        {"iat": 1},
        {"iat": 9_999_999_999},
        {"exp": None},
        {"exp": 1},
        {"jti": None},
        {"jti": 7},
        {"events": None},
        {"events": {}},
        {"events": [LOGOUT_EVENT]},
        {"events": {LOGOUT_EVENT: True}},
        {"nonce": "n"},
        {"sid": None},
        {"sid": 5, "sub": "u"},
        {"sid": ""},
    ],
)
def test_a_token_that_breaks_a_rule_ends_nothing(
    op: Provider, provider: TestProvider, changes: dict[str, Any]
) -> None:
    outcome = processed(op, provider.logout_token(**({"sid": "s"} | changes)))
    assert isinstance(outcome, InvalidLogoutToken)
    assert outcome.description.isascii()


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", ""])
def test_another_type_of_token_is_no_logout_token(op: Provider, provider: TestProvider, typ: str) -> None:
    token = provider.logout_token(typ=typ, sid="s")
    assert processed(op, token) == InvalidLogoutToken("typ must be logout+jwt")


def test_garbage_is_no_logout_token(op: Provider) -> None:
    assert isinstance(processed(op, "x"), InvalidLogoutToken)

"""``/smdvs/events``: who may push, what is answered, and which sessions end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from clients.rp import clock
from clients.rp.signals import (
    SESSION_REVOKED,
    TOKEN_CLAIMS_CHANGE,
    VERIFICATION,
    EventToken,
    SessionRevoked,
    Subject,
)
from clients.smdvs.events import authorization_header
from clients.smdvs.storage.sessions import list_sessions
from tests.clients.conftest import Browser, system_of
from tests.clients.provider import ENTERPRISE, OTHER_ENTERPRISE, Person, TestProvider


@pytest.fixture
def smdvs(smdvs_backend: Flask) -> Flask:
    """On each database."""
    return smdvs_backend


def push(browser: Browser, token: str, **headers: str) -> TestResponse:
    settings = system_of(browser.http.application).settings
    usual = {"Authorization": authorization_header(settings), "Content-Type": "application/secevent+jwt"}
    return browser.http.post("/smdvs/events", data=token, headers=usual | headers)


def about(
    provider: TestProvider, sub: str = "person-1", sid: str | None = None, tenant: str | None = None
) -> dict[str, Any]:
    parts = {"session": sid, "tenant": tenant}
    known = {name: {"format": "opaque", "id": value} for name, value in parts.items() if value is not None}
    return {"format": "complex", "user": {"format": "iss_sub", "iss": provider.issuer, "sub": sub}, **known}


def signed_in(browser: Browser) -> bool:
    return browser.get("/smdvs/reports").status_code == 200


def sid_of(browser: Browser, sub: str = "person-1") -> str:
    with system_of(browser.http.application).database.reading() as session:
        return list_sessions(session, sub)[-1].sid or ""


def two(browser: Browser, provider: TestProvider, person: Person | None = None) -> Browser:
    """A second browser, signed in as well."""
    browser.sign_in(Person.handler())
    other = Browser(browser.http.application.test_client(), provider)
    other.sign_in(person or Person.handler())
    return other


def test_the_session_that_an_event_names_ends_and_no_other(browser: Browser, provider: TestProvider) -> None:
    browser.sign_in()
    first = sid_of(browser)
    other = two(Browser(browser.http.application.test_client(), provider), provider)
    answer = push(browser, provider.event_token(about(provider, sid=first)))
    assert (answer.status_code, answer.data) == (202, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert not signed_in(browser)
    assert signed_in(other)


def test_an_event_without_a_session_ends_all_of_the_account(browser: Browser, provider: TestProvider) -> None:
    other = two(browser, provider)
    legal = Browser(browser.http.application.test_client(), provider)
    legal.sign_in(Person.legal_person())
    assert push(browser, provider.event_token(about(provider))).status_code == 202
    assert (signed_in(browser), signed_in(other), signed_in(legal)) == (False, False, True)


def test_an_event_about_one_enterprise_leaves_the_other(browser: Browser, provider: TestProvider) -> None:
    other = two(browser, provider, Person.handler(OTHER_ENTERPRISE))
    push(browser, provider.event_token(about(provider, tenant=OTHER_ENTERPRISE)))
    assert (signed_in(browser), signed_in(other)) == (True, False)


@pytest.mark.parametrize(
    ("claims", "ends"),
    [
        ({"handler_scope": []}, True),
        ({"handler_scope": ["another-matter"]}, True),
        ({"handler_scope": None}, True),
        ({"handler_scope": ["another-matter", "nev-accident-report"]}, False),
        ({"roles": []}, False),
    ],
)
def test_a_handler_who_has_lost_the_matter_is_out(
    browser: Browser, provider: TestProvider, claims: Mapping[str, Any], ends: bool
) -> None:
    browser.sign_in()
    events = {TOKEN_CLAIMS_CHANGE: {"claims": claims}}
    assert (
        push(browser, provider.event_token(about(provider, tenant=ENTERPRISE), events=events)).status_code
        == 202
    )
    assert signed_in(browser) is not ends


def test_what_a_handler_loses_a_legal_person_never_had(browser: Browser, provider: TestProvider) -> None:
    browser.sign_in(Person.legal_person())
    events: dict[str, Any] = {TOKEN_CLAIMS_CHANGE: {"claims": {"handler_scope": []}}}
    push(browser, provider.event_token(about(provider, "legal-1"), events=events))
    assert signed_in(browser)


def test_any_event_makes_us_ask_again_about_tokens(
    browser: Browser, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.rp.liveness.CACHE_SECONDS", 60.0)
    browser.sign_in()
    assert signed_in(browser)
    asked = provider.calls.count("introspect")
    assert signed_in(browser)
    assert provider.calls.count("introspect") == asked
    push(browser, provider.event_token(about(provider, "somebody-else")))
    assert signed_in(browser)
    assert provider.calls.count("introspect") == asked + 1


def test_an_event_counts_once_and_is_confirmed_again(browser: Browser, provider: TestProvider) -> None:
    token = provider.event_token(about(provider))
    browser.sign_in()
    assert push(browser, token).status_code == 202
    browser.sign_in()
    assert push(browser, token).status_code == 202
    assert signed_in(browser)


def test_of_two_deliveries_at_once_one_is_carried_out(browser: Browser) -> None:
    sessions = system_of(browser.http.application).rp.sessions
    token = EventToken("jti", (SessionRevoked(Subject("person-1")),), clock.now() + timedelta(minutes=1))
    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(lambda _: sessions.end_by_signals(token, clock.now()), range(2)))
    assert sorted(outcomes) == [False, True]


def test_a_verification_and_an_event_of_tomorrow_are_confirmed_and_end_nothing(
    browser: Browser, provider: TestProvider
) -> None:
    browser.sign_in()
    stream = {"format": "opaque", "id": "stream"}
    tomorrow: dict[str, Any] = {"urn:example:tomorrow": {}}
    for events in ({VERIFICATION: {"state": "s"}}, tomorrow):
        assert push(browser, provider.event_token(stream, events=events)).status_code == 202
    assert signed_in(browser)


def assert_refused(answer: TestResponse, status: int, err: str) -> None:
    assert (answer.status_code, answer.get_json()["err"]) == (status, err)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Language"] == "en"


@pytest.mark.parametrize("presented", ["", "Bearer", "Bearer x", "Bearer \u00e9"])
def test_whoever_lacks_the_agreed_header_is_not_listened_to(
    browser: Browser, provider: TestProvider, presented: str
) -> None:
    browser.sign_in()
    answer = push(browser, provider.event_token(about(provider)), Authorization=presented)
    assert_refused(answer, 401, "authentication_failed")
    assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert signed_in(browser)


def test_false_tokens_end_nothing(browser: Browser, provider: TestProvider) -> None:
    browser.sign_in()
    good = about(provider)
    for token, err in (
        (provider.event_token(good, aud="another"), "invalid_audience"),
        (provider.event_token(good, iss="https://another.example"), "invalid_issuer"),
        (provider.event_token(good, exp=9_999_999_999), "invalid_request"),
        (provider.logout_token(sub="person-1"), "invalid_request"),
        (provider.access_token(), "invalid_request"),
        (provider.event_token(good) + "x", "invalid_request"),
        ("\u00e9", "invalid_request"),
        ("", "invalid_request"),
    ):
        assert_refused(push(browser, token), 400, err)
    assert signed_in(browser)


def test_an_event_comes_as_what_it_is(browser: Browser, provider: TestProvider) -> None:
    for kind in ("application/jwt", "application/x-www-form-urlencoded", "application/json"):
        answer = push(browser, provider.event_token(about(provider)), **{"Content-Type": kind})
        assert_refused(answer, 400, "invalid_request")


def test_without_the_providers_keys_the_event_shall_come_again(smdvs: Flask, provider: TestProvider) -> None:
    token = provider.event_token(about(provider))
    provider.broken.add("jwks")
    answer = push(Browser(smdvs.test_client(), provider), token)
    assert_refused(answer, 503, "temporarily_unavailable")


def test_the_endpoint_takes_posts_only(browser: Browser) -> None:
    assert browser.get("/smdvs/events").status_code == 405


def test_the_command_prints_the_header_and_says_what_is_missing(smdvs: Flask) -> None:
    settings = system_of(smdvs).settings
    environ = {
        **os.environ,
        "SMDVS_ISSUER": settings.issuer,
        "SMDVS_ENV": "development",
        "SMDVS_PUBLIC_URL": settings.public_url,
        "SMDVS_SECRET_KEY": settings.secret_key,
    }
    command = [sys.executable, "-m", "clients.smdvs.events"]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == authorization_header(settings) + "\n"
    assert settings.secret_key not in done.stdout
    del environ["SMDVS_SECRET_KEY"]
    failed = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "SMDVS_SECRET_KEY" in failed.stderr


def test_nobody_is_described_by_an_enterprise_alone(browser: Browser, provider: TestProvider) -> None:
    browser.sign_in()
    sub_id = {"format": "complex", "tenant": {"format": "opaque", "id": ENTERPRISE}}
    assert push(browser, provider.event_token(sub_id, events={SESSION_REVOKED: {}})).status_code == 202
    assert signed_in(browser)

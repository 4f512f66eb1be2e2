from __future__ import annotations

import re

import pytest
from flask import Flask

from idp.web.security import allow_client, allow_frames
from tests.web.conftest import MakeApp
from tests.web.visitor import Visitor

PAGES = [
    "/",
    "/login",
    "/register",
    "/help",
    "/terms",
    "/dev/outbox",
    "/nothing-here",
    "/healthz",
    "/oauth/authorize",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_response_is_guarded(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers


def test_https_is_remembered_where_it_is_used(make_app: MakeApp) -> None:
    page = Visitor(make_app(issuer="https://idp.example.test")).get("/")
    assert page.headers["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.parametrize("path", ["/", "/login", "/register"])
def test_pages_hold_no_inline_script_style_or_handler(visitor: Visitor, path: str) -> None:
    page = visitor.get(path).text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:", page)


@pytest.mark.parametrize(
    ("redirect_origin", "logo_uri", "expected"),
    [
        (
            "https://rp.example.test",
            "https://cdn.example.test/logo.png",
            "form-action 'self' https://rp.example.test;",
        ),
        ("com.example.app:", None, "form-action 'self' com.example.app:;"),
        ("http://127.0.0.1:5001", None, "form-action 'self' http://127.0.0.1:5001;"),
        ("https://rp.example.test; script-src *", "javascript:alert(1)", "form-action 'self';"),
        ("*", "https://a b/", "form-action 'self';"),
        (None, None, "form-action 'self';"),
    ],
)
def test_the_policy_opens_for_one_client_and_nothing_else(
    app: Flask, redirect_origin: str | None, logo_uri: str | None, expected: str
) -> None:
    with app.test_request_context("/"):
        allow_client(redirect_origin, logo_uri)
        policy = app.process_response(app.response_class()).headers["Content-Security-Policy"]
    assert expected in policy
    assert policy.count("script-src") == 1
    assert ("https://cdn.example.test" in policy) == (logo_uri == "https://cdn.example.test/logo.png")


def test_frames_are_opened_for_where_they_are_and_break_out_of_nothing(app: Flask) -> None:
    addresses = [
        "https://rp.example.test:8443/out?sid=1",
        "https://rp.example.test:8443/other",
        "https://a b/; script-src *",
        "javascript:alert(1)",
    ]
    with app.test_request_context("/"):
        allow_frames(addresses)
        policy = app.process_response(app.response_class()).headers["Content-Security-Policy"]
    assert policy.endswith("base-uri 'none'; frame-src https://rp.example.test:8443")
    assert policy.count("script-src") == 1

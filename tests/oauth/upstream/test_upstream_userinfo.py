from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
import pytest
from flask import Response
from joserfc.jwk import ECKey

from idp.services.platform import Platform
from tests.oauth.relying_party import base64url
from tests.oauth.upstream.guest import (
    INVALID,
    Guest,
    assert_refused,
)
from tests.oauth.upstream.other_platform import CLIENT_ID, LI, OtherPlatform

EVIL = ECKey.generate_key("P-256", {"kid": "evil"})


def test_a_person_told_in_the_open_is_not_believed(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str
) -> None:
    claims = {"iss": upstream.issuer, "aud": CLIENT_ID, **LI}
    told = orjson.dumps(claims).decode()
    unsigned = f"{base64url(orjson.dumps({'alg': 'none'}))}.{base64url(orjson.dumps(claims))}."
    jwts: list[Callable[[], str]] = [
        lambda: upstream.signed(claims),
        lambda: upstream.encrypted(told),
        lambda: upstream.encrypted(unsigned),
        lambda: upstream.encrypted(upstream.signed(claims))[:-3] + "AAA",
        lambda: upstream.encrypted(upstream.signed(claims), EVIL),
        lambda: upstream.encrypted(upstream.signed(claims), kid="unknown"),
        lambda: upstream.encrypted(upstream.signed(claims, key=EVIL)),
        lambda: "a.b.c.d.e",
        lambda: "",
    ]
    for answer in jwts:
        upstream.answers["/userinfo"] = partial(told_by, answer)
        assert_refused(guest, guest.walk(upstream), platform, INVALID)


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/jwtx"])
def test_an_answer_of_another_kind_is_not_believed(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str, kind: str
) -> None:
    claims = {"iss": upstream.issuer, "aud": CLIENT_ID, **LI}
    upstream.answers["/userinfo"] = lambda: as_jwt(upstream.encrypted(upstream.signed(claims)), kind)
    assert_refused(guest, guest.walk(upstream), platform, INVALID)
    upstream.answers["/userinfo"] = lambda: ("", 401)
    assert_refused(guest, guest.walk(upstream), platform, INVALID)


def told_by(answer: Callable[[], str]) -> Response:
    return as_jwt(answer())


def as_jwt(body: str, kind: str = "application/jwt") -> Response:
    return Response(body, content_type=kind)


@pytest.mark.parametrize(
    "change",
    [
        {"sub": "somebody-else"},
        {"sub": 7},
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": None},
    ],
)
def test_userinfo_about_somebody_else_is_not_believed(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str, change: dict[str, Any]
) -> None:
    upstream.userinfo = change
    assert_refused(guest, guest.walk(upstream), platform, INVALID)


def test_an_access_token_is_no_userinfo(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str
) -> None:
    claims = {"iss": upstream.issuer, "aud": [CLIENT_ID], **LI}

    upstream.answers["/userinfo"] = lambda: as_jwt(upstream.encrypted(upstream.signed(claims, typ="at+jwt")))
    assert_refused(guest, guest.walk(upstream), platform, INVALID)


def test_somebody_who_is_not_verified_there_is_told_so(
    guest: Guest, upstream: OtherPlatform, platform: Platform, li: str
) -> None:
    upstream.person = {"sub": "upstream-li", "phone_number": "+8619900000001", "phone_number_verified": True}
    assert_refused(guest, guest.walk(upstream), platform, "upstream_unverified")

"""Protected views: each refusal has its status, its challenges and its reason; nobody is let in on trust."""

from __future__ import annotations

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey

from clients.rp.entitlement import Holder, Reporter
from clients.rp.flask import RelyingParty, Strength
from clients.rp.signals import SESSION_REVOKED
from tests.clients.provider import ENTERPRISE, MATTER, OTHER_ENTERPRISE, Person, TestProvider

URL = "http://127.0.0.1:5003"
STRONG = "urn:gsp:acr:2fa-crypto"
SUBMIT = "accident_report:submit"


@pytest.fixture
def rp(provider: TestProvider) -> RelyingParty:
    app = Flask("example")
    key = ECKey.generate_key("P-256", auto_kid=True)
    made = RelyingParty(
        app,
        issuer=provider.issuer,
        client_id="rp",
        key=key,
        public_url=URL,
        secret_key="s" * 32,
        prefix="/app",
        matters=[MATTER],
    )
    provider.register("rp", made.public_jwks, f"{URL}/app")
    add_views(app, made)
    return made


def add_views(app: Flask, rp: RelyingParty) -> None:
    @app.post("/app/api/things")
    @rp.protects(scope=SUBMIT, matter=MATTER, enterprise="enterprise_credit_code")
    def things(reporter: Reporter) -> dict[str, Any]:
        return {"sub": reporter.sub}

    @app.get("/app/api/strong")
    @rp.protects(scope=SUBMIT, matter=MATTER, strength=Strength((STRONG,), 600))
    def strong(reporter: Reporter) -> dict[str, Any]:
        return {"sub": reporter.sub}

    @rp.api("/api/role", role="regulator")
    def role(holder: Holder) -> dict[str, Any]:
        return {"role": holder.role}

    @rp.page("/form", matter=MATTER)
    def form(reporter: Reporter) -> str:
        return rp.cookies.csrf_token() if request.method == "GET" else "stored"

    @rp.page("/strong", matter=MATTER, strength=Strength((STRONG,)))
    def strong_page(reporter: Reporter) -> str:
        return reporter.sub


@pytest.fixture
def http(rp: RelyingParty) -> FlaskClient:
    assert rp._app is not None
    return rp._app.test_client()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def proof(key: ECKey, token: str, **changes: Any) -> str:
    ath = urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    claims = {"htm": "POST", "htu": f"{URL}/app/api/things", "iat": int(time.time()), "ath": ath}
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, {**claims, "jti": secrets.token_urlsafe(8), **changes}, key)


def test_a_good_token_opens_and_the_view_knows_who_came(http: FlaskClient, provider: TestProvider) -> None:
    body = {"enterprise_credit_code": f" {ENTERPRISE.lower()}"}
    answer = http.post("/app/api/things", json=body, headers=bearer(provider.access_token()))
    assert (answer.status_code, answer.json) == (200, {"sub": "person-1"})
    regulator = provider.access_token(Person.natural_person(roles=["regulator"]))
    assert http.get("/app/api/role", headers=bearer(regulator)).json == {"role": "regulator"}


@pytest.mark.parametrize(
    ("claims", "status", "reason"),
    [
        ({"scope": "openid"}, 403, "scope_missing"),
        ({"handler_scope": ["x"]}, 403, "handler_scope_missing"),
        ({"account_type": "natural_person"}, 403, "no_enterprise"),
        ({"enterprise_credit_code": OTHER_ENTERPRISE}, 403, "enterprise_mismatch"),
        ({"aud": "x"}, 401, "token_audience"),
        ({"exp": 1}, 401, "token_expired"),
    ],
)
def test_any_other_is_refused_with_its_reason(
    http: FlaskClient, provider: TestProvider, claims: dict[str, Any], status: int, reason: str
) -> None:
    body = {"enterprise_credit_code": ENTERPRISE}
    answer = http.post("/app/api/things", json=body, headers=bearer(provider.access_token(**claims)))
    assert (answer.status_code, answer.get_json()["reason"]) == (status, reason)
    assert [c.split()[0] for c in answer.headers.getlist("WWW-Authenticate")] == ["Bearer", "DPoP"]
    assert f'error="{answer.get_json()["code"]}"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("shown", [None, "", "Bearer", "Bearer  ", "Basic eDp5", "x"])
def test_without_a_token_no_error_is_named(http: FlaskClient, shown: str | None) -> None:
    answer = http.post("/app/api/things", headers={} if shown is None else {"Authorization": shown})
    assert answer.status_code == 401
    assert "error" not in answer.headers["WWW-Authenticate"]


def test_a_bound_token_is_taken_with_a_proof_once(http: FlaskClient, provider: TestProvider) -> None:
    key = ECKey.generate_key("P-256")
    token = provider.access_token(cnf={"jkt": key.thumbprint()})
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof(key, token)}
    assert http.post("/app/api/things", headers=headers).status_code == 200
    again = http.post("/app/api/things", headers=headers)
    assert (again.status_code, again.get_json()["reason"]) == (401, "proof_invalid")
    assert again.headers.getlist("WWW-Authenticate") == [
        'DPoP error="invalid_dpop_proof", algs="ES256 PS256"'
    ]
    assert http.post("/app/api/things", headers=bearer(token)).get_json()["reason"] == "token_binding"


def test_a_weak_sign_in_is_told_what_would_do(http: FlaskClient, provider: TestProvider) -> None:
    answer = http.get("/app/api/strong", headers=bearer(provider.access_token()))
    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert f'acr_values="{STRONG}", max_age="600"' in challenge
    assert http.get("/app/api/strong", headers=bearer(provider.access_token(acr=STRONG))).status_code == 200


def test_a_person_signs_in_more_strongly_when_a_page_asks_for_it(
    http: FlaskClient, provider: TestProvider
) -> None:
    provider.sign_in(http, "/app/login", Person.handler())
    assert provider.sign_in(http, "/app/strong").location == "/app/strong"
    assert http.get("/app/strong").text == "person-1"


def test_a_provider_that_does_not_step_up_is_not_asked_for_ever(
    http: FlaskClient, provider: TestProvider
) -> None:
    provider.sign_in(http, "/app/login", Person.handler())
    assert http.get("/app/strong").status_code == 303
    answer = http.get("/app/strong")
    assert answer.status_code == 401
    assert "更高强度" in answer.text
    assert http.get("/app/form").status_code == 200


def test_a_form_of_another_site_is_not_taken(http: FlaskClient, provider: TestProvider) -> None:
    provider.sign_in(http, "/app/login", Person.handler())
    token = http.get("/app/form").text
    assert http.post("/app/form", data={"csrf_token": "x"}).status_code == 400
    assert http.post("/app/form").status_code == 400
    assert http.post("/app/form", data={"csrf_token": token}).text == "stored"


@pytest.mark.parametrize(
    ("then", "path"),
    [
        ("/app/form?x=1", "/app/form?x=1"),
        ("//evil.example", "/app/"),
        ("/\\evil.example", "/app/"),
        ("https://evil.example/app/", "/app/"),
        ("/elsewhere", "/app/"),
        ("/app/\n", "/app/"),
    ],
)
def test_after_sign_in_one_lands_on_our_own_pages_only(
    http: FlaskClient, provider: TestProvider, then: str, path: str
) -> None:
    with http.application.test_request_context():
        from flask import url_for

        address = url_for("rp_sign_in.login", then=then)
    assert provider.sign_in(http, address).location == path


def test_a_person_without_the_matter_stays_signed_in_and_is_told_why(
    http: FlaskClient, provider: TestProvider
) -> None:
    provider.sign_in(http, "/app/login", Person.natural_person())
    for _ in range(2):
        answer = http.get("/app/form")
        assert answer.status_code == 403
        assert "没有可以代表的企业" in answer.text


def test_signing_out_needs_our_form_and_leads_to_the_provider(
    http: FlaskClient, provider: TestProvider
) -> None:
    provider.sign_in(http, "/app/login", Person.handler())
    token = http.get("/app/form").text
    assert http.post("/app/logout").status_code == 400
    out = urlsplit(http.post("/app/logout", data={"csrf_token": token}).location)
    assert parse_qs(out.query)["post_logout_redirect_uri"] == [f"{URL}/app/"]
    assert http.get("/app/form").status_code == 303


def test_a_logout_token_ends_the_session_once(http: FlaskClient, provider: TestProvider) -> None:
    provider.sign_in(http, "/app/login", Person.handler())
    token = provider.logout_token(sub="person-1")
    assert http.post("/app/backchannel-logout", data={"logout_token": token}).status_code == 200
    assert http.get("/app/form").status_code == 303
    assert http.post("/app/backchannel-logout", data={"logout_token": token}).status_code == 400


def test_an_event_refuses_older_tokens_at_once_and_without_a_question(
    rp: RelyingParty, http: FlaskClient, provider: TestProvider
) -> None:
    old = provider.access_token(iat=int(time.time()) - 10)
    user = {"format": "iss_sub", "iss": provider.issuer, "sub": "person-1"}
    tenant = {"format": "opaque", "id": ENTERPRISE}
    event = provider.event_token(
        {"format": "complex", "user": user, "tenant": tenant}, events={SESSION_REVOKED: {}}
    )
    headers = {"Authorization": rp.events_authorization, "Content-Type": "application/secevent+jwt"}
    assert http.post("/app/events", data=event, headers=headers).status_code == 202
    refused = http.post("/app/api/things", headers=bearer(old))
    assert (refused.status_code, refused.get_json()["reason"]) == (401, "authorisation_ended")
    assert "introspect" not in provider.calls
    other = provider.access_token(Person.handler(OTHER_ENTERPRISE), iat=int(time.time()) - 10)
    assert http.post("/app/api/things", headers=bearer(other)).status_code == 200
    assert http.post("/app/api/things", headers=bearer(provider.access_token())).status_code == 200


def test_the_application_starts_before_the_provider(http: FlaskClient, provider: TestProvider) -> None:
    with provider.unreachable():
        answer = http.get("/app/login")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    time.sleep(1)  # a provider that was silent is not asked by everyone at once
    assert provider.sign_in(http, "/app/login").status_code == 303


@pytest.mark.parametrize("asked", [{}, {"matter": "m", "role": "r"}])
def test_a_view_asks_for_a_matter_or_for_a_role(rp: RelyingParty, asked: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="matter or"):
        rp.protects(**asked)


def test_a_slow_provider_is_no_yes(
    http: FlaskClient, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.rp.transport.READ_TIMEOUT", 0.1)
    provider.delays["introspect"] = 0.5
    answer = http.post("/app/api/things", headers=bearer(provider.access_token()))
    assert (answer.status_code, answer.get_json()["code"]) == (503, "provider_unavailable")
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize(("seconds", "status"), [(3, 200), (60, 401)])
def test_clocks_may_differ_by_seconds_and_not_by_more(
    http: FlaskClient, provider: TestProvider, seconds: int, status: int
) -> None:
    token = provider.access_token(iat=int(time.time()) + seconds)
    assert http.post("/app/api/things", headers=bearer(token)).status_code == status


def test_keys_that_the_provider_takes_away_open_nothing_more(
    http: FlaskClient, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.rp.discovery.JWKS_SECONDS", 0.0)
    token = provider.access_token()
    assert http.post("/app/api/things", headers=bearer(token)).status_code == 200
    provider.keys = provider.keys[1:]
    assert http.post("/app/api/things", headers=bearer(provider.access_token())).status_code == 200
    refused = http.post("/app/api/things", headers=bearer(token))
    assert (refused.status_code, refused.get_json()["reason"]) == (401, "token_key")

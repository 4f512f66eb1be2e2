"""Signing in through the kit: every check of the answer, the code's redemption and the ID token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from joserfc.jwk import ECKey

from clients.rp import clock, sign_in
from clients.rp.client import Client
from clients.rp.discovery import Provider
from clients.rp.errors import ProviderUnavailable
from clients.rp.prover import Prover
from clients.rp.sign_in import Pending, RefreshRefused, SignedIn, SignInFailed, Tokens
from tests.clients.provider import SCOPE, Claims, TestProvider, follow


def walk(
    op: Provider, client: Client, pending: Pending, change: Callable[[dict[str, str]], Any] | None = None
) -> SignedIn | SignInFailed:
    """To the provider and back; ``change`` meddles with the answer's parameters."""
    back = follow(sign_in.authorization_url(op, client, pending, SCOPE))
    answer = dict(parse_qsl(urlsplit(back).query))
    if change is not None:
        change(answer)
    return sign_in.finish(op, client, pending, answer, clock.now())


@pytest.fixture
def pending() -> Pending:
    return sign_in.begin(clock.now(), "reports")


def test_a_sign_in_gives_tokens_and_checked_claims(op: Provider, client: Client, pending: Pending) -> None:
    outcome = walk(op, client, pending)
    assert isinstance(outcome, SignedIn)
    assert outcome.claims["enterprise_credit_code"] == "91990101MADEM00117"
    assert outcome.tokens.refresh_token is not None


def test_the_request_uses_pkce_state_and_nonce_and_never_shows_the_verifier(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    url = sign_in.authorization_url(op, client, pending, SCOPE)
    (sent,) = provider.pushed.values()
    assert sent["code_challenge_method"] == "S256"
    assert len(sent["code_challenge"]) == 43
    assert sent["state"] == pending.state
    assert sent["nonce"] == pending.nonce
    assert pending.code_verifier not in url
    assert pending.code_verifier not in str(sent)


def test_the_browser_carries_the_name_of_a_pushed_request_only(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    query = parse_qs(urlsplit(sign_in.authorization_url(op, client, pending, SCOPE)).query)
    assert query == {"client_id": [client.client_id], "request_uri": list(provider.pushed)}


def test_a_request_that_can_not_be_pushed_begins_no_sign_in(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    provider.client_id = "another"
    with pytest.raises(ProviderUnavailable):
        sign_in.authorization_url(op, client, pending, SCOPE)


def test_tokens_are_bound_to_our_key(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    outcome = walk(op, client, pending)
    assert isinstance(outcome, SignedIn)
    claims = provider.tokens[outcome.tokens.access_token]
    assert claims["cnf"] == {"jkt": client.key_thumbprint}


def test_a_code_is_worth_nothing_with_another_key(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    other = replace(client, prover=Prover(ECKey.generate_key("P-256")))
    back = follow(sign_in.authorization_url(op, client, pending, SCOPE))
    answer = dict(parse_qsl(urlsplit(back).query))
    refused = sign_in.finish(op, other, pending, answer, clock.now())
    assert refused == SignInFailed("code_refused", "invalid_grant")


def test_less_than_a_bound_token_is_no_sign_in(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    provider.answer_changes["token"] = lambda body: body | {"token_type": "Bearer"}
    assert walk(op, client, pending) == SignInFailed("token_response")


def test_the_nonces_of_a_server_are_used(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    for nonce in ("first", "second"):
        provider.dpop_nonce = nonce
        outcome = walk(op, client, replace(pending))
        assert isinstance(outcome, SignedIn)
        provider.dpop_nonce = f"{nonce}, later"
        token, sub = outcome.tokens.access_token, outcome.claims["sub"]
        assert sign_in.userinfo(op, client, token, sub)["name"] == "李示例"


def test_an_ordinary_client_at_an_ordinary_provider_stays_simple(
    client: Client, pending: Pending, provider: TestProvider, op: Provider
) -> None:
    def ordinary(body: Claims) -> Claims:
        return {name: value for name, value in body.items() if not name.startswith("pushed")}

    provider.answer_changes["discovery"] = ordinary
    simple = replace(client, prover=None)
    query = parse_qs(urlsplit(sign_in.authorization_url(op, simple, pending, SCOPE)).query)
    assert query["state"] == [pending.state]
    outcome = walk(op, simple, pending)
    assert isinstance(outcome, SignedIn)
    assert sign_in.userinfo(op, simple, outcome.tokens.access_token, outcome.claims["sub"])


def test_a_refresh_without_a_new_token_keeps_the_present_one(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    first = walk(op, client, pending)
    assert isinstance(first, SignedIn)
    provider.answer_changes["token"] = lambda body: {k: v for k, v in body.items() if k != "refresh_token"}
    renewed = sign_in.refresh(op, client, first.tokens.refresh_token or "", clock.now())
    assert isinstance(renewed, Tokens)
    assert renewed.refresh_token == first.tokens.refresh_token


def test_no_two_sign_ins_share_a_secret() -> None:
    one, two = (sign_in.begin(clock.now(), "") for _ in range(2))
    assert not {one.state, one.nonce, one.code_verifier} & {two.state, two.nonce, two.code_verifier}


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        (lambda answer: answer.update(state="another"), SignInFailed("state")),
        (lambda answer: answer.pop("state"), SignInFailed("state")),
        (lambda answer: answer.update(iss="http://127.0.0.1:1"), SignInFailed("issuer")),
        (lambda answer: answer.pop("iss"), SignInFailed("issuer")),
        (lambda answer: answer.update(error="access_denied"), SignInFailed("refused", "access_denied")),
        (lambda answer: answer.pop("code"), SignInFailed("no_code")),
        (lambda answer: answer.update(code="guessed"), SignInFailed("code_refused", "invalid_grant")),
    ],
)
def test_an_answer_that_does_not_fit_is_no_sign_in(
    op: Provider,
    client: Client,
    pending: Pending,
    change: Callable[[dict[str, str]], Any],
    failure: SignInFailed,
) -> None:
    assert walk(op, client, pending, change) == failure


@pytest.mark.pitfall(25)
def test_an_error_from_another_issuer_is_not_believed(op: Provider, client: Client, pending: Pending) -> None:
    def from_elsewhere(answer: dict[str, str]) -> None:
        answer.update(error="access_denied", iss="http://127.0.0.1:1")

    assert walk(op, client, pending, from_elsewhere) == SignInFailed("issuer")


def test_a_code_is_redeemed_with_this_browsers_verifier_only(
    op: Provider, client: Client, pending: Pending
) -> None:
    back = follow(sign_in.authorization_url(op, client, pending, SCOPE))
    answer = dict(parse_qsl(urlsplit(back).query))
    stolen = replace(pending, code_verifier="x" * 64)
    assert sign_in.finish(op, client, stolen, answer, clock.now()) == SignInFailed(
        "code_refused", "invalid_grant"
    )


def test_a_sign_in_that_took_too_long_is_over(op: Provider, client: Client) -> None:
    begun = sign_in.begin(clock.now() - timedelta(minutes=11), "")
    assert walk(op, client, begun) == SignInFailed("too_late")


@pytest.mark.pitfall(25)
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://127.0.0.1:1"},
        {"aud": "another-client"},
        {"aud": ["smdvs", "another-client"]},
        {"aud": ["smdvs", "another-client"], "azp": "another-client"},
        {"azp": "another-client"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": 5},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"aud": 5},
        {"exp": "soon"},
    ],
)
def test_an_id_token_with_a_wrong_claim_is_no_sign_in(
    op: Provider, client: Client, pending: Pending, provider: TestProvider, changes: Claims
) -> None:
    def change(claims: Claims) -> Claims:
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    provider.answer_changes["id_token"] = change
    assert walk(op, client, pending) == SignInFailed("id_token")


def test_several_audiences_are_fine_when_we_are_the_authorized_party(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    provider.answer_changes["id_token"] = lambda claims: claims | {"aud": ["smdvs", "x"], "azp": "smdvs"}
    assert isinstance(walk(op, client, pending), SignedIn)


@pytest.mark.pitfall(25)
def test_a_token_response_without_id_token_is_no_sign_in(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    def drop(body: Claims) -> Claims:
        return {name: value for name, value in body.items() if name != "id_token"}

    provider.answer_changes["token"] = drop
    assert walk(op, client, pending) == SignInFailed("token_response")


@pytest.mark.parametrize("changes", [{"access_token": 5}, {"token_type": "mac"}, {"access_token": ""}])
def test_a_token_response_that_is_none_is_no_sign_in(
    op: Provider, client: Client, pending: Pending, provider: TestProvider, changes: Claims
) -> None:
    provider.answer_changes["token"] = lambda body: body | changes
    assert walk(op, client, pending) == SignInFailed("token_response")


def test_an_access_token_in_place_of_the_id_token_is_no_sign_in(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    def swapped(body: Claims) -> Claims:
        claims = {"iss": provider.issuer, "aud": "smdvs", "sub": "x", "nonce": pending.nonce}
        forged = provider.sign(claims | {"iat": 1, "exp": 9_999_999_999}, "at+jwt")
        return body | {"id_token": forged}

    provider.answer_changes["token"] = swapped
    assert walk(op, client, pending) == SignInFailed("id_token")


def test_an_id_token_of_a_stranger_is_no_sign_in(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    stranger = ECKey.generate_key("P-256", {"kid": str(provider.keys[0].kid)})

    def forged(body: Claims) -> Claims:
        claims = {"iss": provider.issuer, "aud": "smdvs", "sub": "x", "nonce": pending.nonce}
        return body | {"id_token": provider.sign(claims | {"iat": 1, "exp": 9_999_999_999}, "JWT", stranger)}

    provider.answer_changes["token"] = forged
    assert walk(op, client, pending) == SignInFailed("id_token")


def test_a_refresh_gives_new_tokens(op: Provider, client: Client, pending: Pending) -> None:
    first = walk(op, client, pending)
    assert isinstance(first, SignedIn)
    renewed = sign_in.refresh(op, client, first.tokens.refresh_token or "", clock.now())
    assert not isinstance(renewed, RefreshRefused)
    assert renewed.access_token != first.tokens.access_token
    assert renewed.refresh_token != first.tokens.refresh_token


def test_a_refused_refresh_is_the_end_of_the_grant(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    first = walk(op, client, pending)
    assert isinstance(first, SignedIn)
    provider.revoke_all()
    refused = sign_in.refresh(op, client, first.tokens.refresh_token or "", clock.now())
    assert refused == RefreshRefused("invalid_grant")


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, {"error": "invalid_client"}), (429, {}), (200, {}), (200, {"access_token": "x"}), (302, {})],
)
def test_a_refresh_that_fails_for_another_reason_is_not_the_persons_fault(
    client: Client, status: int, body: Claims
) -> None:
    with pytest.raises(ProviderUnavailable):
        sign_in.process_refresh_response(client, status, body, clock.now())


def test_userinfo_about_someone_else_is_not_believed(
    op: Provider, client: Client, pending: Pending, provider: TestProvider
) -> None:
    outcome = walk(op, client, pending)
    assert isinstance(outcome, SignedIn)
    token, sub = outcome.tokens.access_token, outcome.claims["sub"]
    assert sign_in.userinfo(op, client, token, sub)["name"] == "李示例"
    provider.answer_changes["userinfo"] = lambda body: body | {"sub": "someone-else"}
    assert sign_in.userinfo(op, client, token, sub) == {}


def test_signing_out_names_the_sign_in_and_where_to_return(op: Provider, client: Client) -> None:
    url = sign_in.end_session_url(op, client, "the-id-token", "the-state")
    sent = parse_qs(urlsplit(url or "").query)
    assert sent["id_token_hint"] == ["the-id-token"]
    assert sent["post_logout_redirect_uri"] == [client.post_logout_redirect_uri]
    assert sent["client_id"] == ["smdvs"]
